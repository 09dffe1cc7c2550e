import { createHmac } from 'node:crypto';
import type { NtlmIdentity } from './identity.ts';
import { md4 } from './md4.ts';

/** The inputs of the responses to one challenge. */
export interface ResponseInput {
  readonly identity: Pick<NtlmIdentity, 'username' | 'password' | 'domain'>;
  readonly serverChallenge: Uint8Array;
  /** Eight random bytes. */
  readonly clientChallenge: Uint8Array;
  /** The time as a Windows FILETIME, of the server if it sends one. */
  readonly time: Uint8Array;
  /** The attributes that the response protects. */
  readonly targetInfo: Uint8Array;
}

/** The proofs that a client knows the password, and the key that follows from them. */
export interface Responses {
  readonly lm: Buffer;
  readonly nt: Buffer;
  readonly sessionKey: Buffer;
}

/** Returns the NTLMv2 responses to a challenge. @see [MS-NLMP] NTLM v2 Authentication */
export function ntlmV2Responses(input: ResponseInput): Responses {
  const { serverChallenge, clientChallenge, time, targetInfo } = input;
  const key = responseKey(input.identity);
  const temp = Buffer.concat([
    Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]),
    time,
    clientChallenge,
    Buffer.alloc(4),
    targetInfo,
    Buffer.alloc(4),
  ]);
  const proof = hmacMd5(key, serverChallenge, temp);
  return {
    lm: Buffer.concat([hmacMd5(key, serverChallenge, clientChallenge), clientChallenge]),
    nt: Buffer.concat([proof, temp]),
    sessionKey: hmacMd5(key, proof),
  };
}

/** Returns the key that an account and its password make: NTOWFv2. */
export function responseKey({ username, password, domain }: ResponseInput['identity']): Buffer {
  return hmacMd5(md4(utf16(password)), utf16(upperCase(username) + domain));
}

/** Returns the keyed digest of some bytes. */
export function hmacMd5(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac('md5', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Returns a text as NTLM sends it. */
export function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

/** Windows maps each letter to one letter, so that ß stays as it is. */
function upperCase(text: string): string {
  return Array.from(text, (letter) => {
    const upper = letter.toUpperCase();
    return upper.length === letter.length ? upper : letter;
  }).join('');
}
