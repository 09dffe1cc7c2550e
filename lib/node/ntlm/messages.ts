import { type AvPairs, readAvPairs } from './avPairs.ts';
import { utf16 } from './responses.ts';

/** The flags of a negotiation. [MS-NLMP] NEGOTIATE */
export const FLAG = {
  unicode: 0x1,
  requestTarget: 0x4,
  ntlm: 0x200,
  alwaysSign: 0x8000,
  extendedSessionSecurity: 0x80000,
  targetInfo: 0x800000,
  version: 0x2000000,
  key128: 0x20000000,
  key56: 0x80000000,
} as const;

/** The flags that Windows offers over HTTP: no signing, no sealing, and so no exchange of keys. */
const OFFERED =
  (FLAG.unicode |
    FLAG.requestTarget |
    FLAG.ntlm |
    FLAG.alwaysSign |
    FLAG.extendedSessionSecurity |
    FLAG.version |
    FLAG.key128 |
    FLAG.key56) >>>
  0;

/** Windows 10, revision 15 of NTLM; some servers refuse messages without a version. */
const VERSION = Buffer.from([10, 0, 0, 0, 0, 0, 0, 15]);

const SIGNATURE = Buffer.from('NTLMSSP\0');
/** The offset of the MIC in an AUTHENTICATE message. */
export const MIC_OFFSET = 72;
const MIC_BYTES = 16;

/** The first message of the client: what it offers. @see [MS-NLMP] NEGOTIATE_MESSAGE */
export const NEGOTIATE_MESSAGE: Uint8Array = negotiateMessage();

function negotiateMessage(): Buffer {
  const message = Buffer.alloc(40);
  message.set(SIGNATURE);
  message.writeUInt32LE(1, 8);
  message.writeUInt32LE(OFFERED, 12);
  message.set(VERSION, 32);
  return message;
}

/** The message of the server. @see [MS-NLMP] CHALLENGE_MESSAGE */
export interface ServerChallenge {
  /** The message itself, which the MIC protects. */
  readonly message: Buffer;
  readonly flags: number;
  readonly challenge: Uint8Array;
  readonly pairs: AvPairs;
}

/** Returns a challenge; undefined if the bytes are not one, or one that this library cannot answer. */
export function readChallenge(message: Buffer): ServerChallenge | undefined {
  if (message.length < 32 || !SIGNATURE.equals(message.subarray(0, 8)) || message.readUInt32LE(8) !== 2)
    return undefined;
  const flags = message.readUInt32LE(20);
  if ((flags & FLAG.unicode) === 0) return undefined;
  const targetInfo = (flags & FLAG.targetInfo) === 0 ? Buffer.alloc(0) : fieldAt(message, 40);
  const pairs = targetInfo && readAvPairs(targetInfo);
  return pairs && { message, flags, challenge: message.subarray(24, 32), pairs };
}

/** Returns the payload that the length and offset at a position refer to; undefined if it is elsewhere. */
function fieldAt(message: Buffer, position: number): Buffer | undefined {
  if (message.length < position + 8) return undefined;
  const length = message.readUInt16LE(position);
  const start = message.readUInt32LE(position + 4);
  return start + length > message.length ? undefined : message.subarray(start, start + length);
}

/** The content of the second message of the client. */
export interface AuthenticateInput {
  readonly domain: string;
  readonly username: string;
  readonly workstation: string;
  readonly lm: Uint8Array;
  readonly nt: Uint8Array;
  /** The flags that both sides have agreed on. */
  readonly flags: number;
  /** Whether the message has room for a MIC, which is zero at first. */
  readonly hasMic: boolean;
  /** @default none: no exchange of keys is offered */
  readonly encryptedSessionKey?: Uint8Array;
  /** @default that of Windows 10 */
  readonly version?: Uint8Array;
}

/** Returns the second message of the client. @see [MS-NLMP] AUTHENTICATE_MESSAGE */
export function authenticateMessage(input: AuthenticateInput): Buffer {
  const { lm, nt, flags, hasMic, encryptedSessionKey = Buffer.alloc(0), version = VERSION } = input;
  const head = Buffer.alloc(hasMic ? MIC_OFFSET + MIC_BYTES : MIC_OFFSET);
  head.set(SIGNATURE);
  head.writeUInt32LE(3, 8);
  head.writeUInt32LE(flags, 60);
  head.set(version, 64);
  const payload: Uint8Array[] = [];
  let end = head.length;
  const fields: readonly (readonly [position: number, value: Uint8Array])[] = [
    [28, utf16(input.domain)],
    [36, utf16(input.username)],
    [44, utf16(input.workstation)],
    [12, lm],
    [20, nt],
    [52, encryptedSessionKey],
  ];
  for (const [position, value] of fields) {
    head.writeUInt16LE(value.length, position);
    head.writeUInt16LE(value.length, position + 2);
    head.writeUInt32LE(end, position + 4);
    payload.push(value);
    end += value.length;
  }
  return Buffer.concat([head, ...payload]);
}

/** Returns the flags of a challenge that this library has offered, or understands. */
export function agreedFlags(flags: number): number {
  return (flags & (OFFERED | FLAG.targetInfo)) >>> 0;
}
