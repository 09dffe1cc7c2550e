import { createHash, randomBytes } from 'node:crypto';
import type { NtlmIdentity } from './identity.ts';
import { AV, type AvPairs, writeAvPairs } from './avPairs.ts';
import {
  agreedFlags,
  authenticateMessage,
  MIC_OFFSET,
  NEGOTIATE_MESSAGE,
  readChallenge,
  type ServerChallenge,
} from './messages.ts';
import { hmacMd5, ntlmV2Responses, utf16 } from './responses.ts';

/** The connection that NTLM signs in. @inline */
export interface NtlmConnection {
  /** The name of the service, such as `HTTP/mail.contoso.com`. */
  readonly targetName: string;
  /**
   * The data of `tls-server-end-point` (RFC 5929): these words, a colon, and the hash of the server's
   * certificate. Undefined without TLS.
   */
  readonly channelBinding?: Uint8Array | undefined;
}

/**
 * A library that writes and reads NTLM messages with their scheme (`NTLM TlRM…`), such as `@node-ntlm/core`.
 */
export interface NtlmMessages<Challenge> {
  /** Returns the first message: the value of an Authorization header. */
  createType1Message(identity: Pick<NtlmIdentity, 'domain' | 'workstation'>): string;
  /** Returns the challenge of a WWW-Authenticate header. */
  parseType2Message(header: string): Challenge;
  /** Returns the response to the challenge: the value of an Authorization header. */
  createType3Message(challenge: Challenge, identity: NtlmIdentity, connection: NtlmConnection): string;
}

/** The flag of an attribute: the message has a MIC. */
const HAS_MIC = 2;
/** The values that must differ in each response. */
interface Nonces {
  readonly clientChallenge: Uint8Array;
  /** The time of this machine as a FILETIME. */
  readonly now: Uint8Array;
}

/** The messages of this library: NTLMv2 with MIC, target name and channel binding. */
export const NTLM_V2: NtlmMessages<ServerChallenge> = {
  createType1Message: () => headerOf(NEGOTIATE_MESSAGE),
  parseType2Message: (header) => {
    const challenge = readChallenge(Buffer.from(header.slice('NTLM '.length), 'base64'));
    if (challenge === undefined) throw new Error('not a challenge in Unicode');
    return challenge;
  },
  createType3Message: (challenge, identity, connection) =>
    headerOf(
      respondTo(challenge, identity, connection, {
        clientChallenge: randomBytes(8),
        now: filetime(Date.now()),
      }),
    ),
};

/** Returns the AUTHENTICATE message for a challenge: a pure function. */
export function respondTo(
  server: ServerChallenge,
  identity: NtlmIdentity,
  connection: NtlmConnection,
  { clientChallenge, now }: Nonces,
): Buffer {
  const timestamp = server.pairs.get(AV.timestamp);
  const hasMic = timestamp !== undefined;
  const { lm, nt, sessionKey } = ntlmV2Responses({
    ...{ identity, clientChallenge, serverChallenge: server.challenge },
    time: timestamp ?? now,
    targetInfo: writeAvPairs(protectedPairs(server.pairs, connection, hasMic)),
  });
  const message = authenticateMessage({
    ...identity,
    ...{ nt, hasMic, flags: agreedFlags(server.flags) },
    // The server that sends its time expects no LM response.
    lm: hasMic ? Buffer.alloc(24) : lm,
  });
  if (hasMic) message.set(hmacMd5(sessionKey, NEGOTIATE_MESSAGE, server.message, message), MIC_OFFSET);
  return message;
}

/** Returns the attributes of the server, and those of the client: what the response protects. */
function protectedPairs(pairs: AvPairs, connection: NtlmConnection, hasMic: boolean): AvPairs {
  const { targetName, channelBinding } = connection;
  const flags = Buffer.alloc(4);
  flags.set((pairs.get(AV.flags) ?? []).slice(0, 4));
  if (hasMic) flags.writeUInt32LE((flags.readUInt32LE() | HAS_MIC) >>> 0);
  return new Map([
    ...pairs,
    [AV.flags, flags],
    [AV.channelBindings, channelBinding === undefined ? Buffer.alloc(16) : bindingHash(channelBinding)],
    [AV.targetName, utf16(targetName)],
  ]);
}

/** Returns the MD5 of a `gss_channel_bindings_struct` without addresses. [RFC 2744] */
export function bindingHash(applicationData: Uint8Array): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32LE(applicationData.length, 16);
  return createHash('md5').update(head).update(applicationData).digest();
}

/** Returns a time, in milliseconds since 1970, as a Windows FILETIME: in 100 nanoseconds since 1601. */
export function filetime(ms: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE((BigInt(Math.trunc(ms)) + 11_644_473_600_000n) * 10_000n);
  return bytes;
}

function headerOf(message: Uint8Array): string {
  return `NTLM ${Buffer.from(message).toString('base64')}`;
}
