import { expect } from 'chai';
import { AV, readAvPairs, writeAvPairs } from '../../../lib/node/ntlm/avPairs.ts';
import { authenticateMessage, readChallenge } from '../../../lib/node/ntlm/messages.ts';
import { md4 } from '../../../lib/node/ntlm/md4.ts';
import { bindingHash } from '../../../lib/node/ntlm/ntlmV2.ts';
import { ntlmV2Responses, responseKey, utf16 } from '../../../lib/node/ntlm/responses.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');

/** [MS-NLMP] 4.2.1 Common Values */
const identity = { username: 'User', domain: 'Domain', password: 'Password', workstation: 'COMPUTER' };
const SERVER_CHALLENGE = bytes('0123456789abcdef');
const CLIENT_CHALLENGE = Buffer.alloc(8, 0xaa);
const TIME = Buffer.alloc(8);
const RANDOM_SESSION_KEY = Buffer.alloc(16, 0x55);

/** [MS-NLMP] 4.2.4.3 Messages */
const CHALLENGE_MESSAGE = bytes(`
  4e544c4d53535000 02000000 0c000c0038000000 33828ae2 0123456789abcdef 0000000000000000 2400240044000000
  060070170000000f 530065007200760065007200
  02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000`);
const AUTHENTICATE_MESSAGE = bytes(`
  4e544c4d53535000 03000000 180018006c000000 5400540084000000 0c000c0048000000 0800080054000000
  100010005c000000 10001000d8000000 358288e2 0501280a0000000f
  44006f006d00610069006e00 5500730065007200 43004f004d0050005500540045005200
  86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa
  68cd0ab851e51c96aabc927bebef6a1c
  0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000
  02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000 00000000
  c5dad2544fc9799094ce1ce90bc9d03e`);
const VERSION = bytes('0501280a0000000f');

/** The cipher that protects the session key of the examples; this library exchanges no keys. */
function rc4(key: Uint8Array, input: Uint8Array): Buffer {
  const state = Array.from({ length: 256 }, (_, index) => index);
  const swap = (i: number, j: number): void => {
    [state[i], state[j]] = [state[j] ?? 0, state[i] ?? 0];
  };
  let j = 0;
  for (let i = 0; i < 256; i += 1) {
    j = (j + (state[i] ?? 0) + (key[i % key.length] ?? 0)) % 256;
    swap(i, j);
  }
  let [x, y] = [0, 0];
  return Buffer.from(
    Array.from(input, (byte) => {
      x = (x + 1) % 256;
      y = (y + (state[x] ?? 0)) % 256;
      swap(x, y);
      return byte ^ (state[((state[x] ?? 0) + (state[y] ?? 0)) % 256] ?? 0);
    }),
  );
}

describe('the worked examples of [MS-NLMP] 4.2', () => {
  const challenge = readChallenge(CHALLENGE_MESSAGE);
  const targetInfo = writeAvPairs(challenge?.pairs ?? new Map());
  const { lm, nt, sessionKey } = ntlmV2Responses({
    ...{ identity, targetInfo, serverChallenge: SERVER_CHALLENGE },
    ...{ clientChallenge: CLIENT_CHALLENGE, time: TIME },
  });

  it('4.2.2.1.2: the hash of the password, NTOWFv1', () => {
    expect(md4(utf16('Password'))).to.deep.equal(bytes('a4f49c406510bdcab6824ee7c30fd852'));
  });

  it('4.2.4.1.1: the key of the account, NTOWFv2 and LMOWFv2', () => {
    expect(responseKey(identity)).to.deep.equal(bytes('0c868a403bfd7a93a3001ef22ef02e3f'));
  });

  it('4.2.4.1.2: the session base key', () => {
    expect(sessionKey).to.deep.equal(bytes('8de40ccadbc14a82f15cb0ad0de95ca3'));
  });

  it('4.2.4.1.3: temp, the protected part of the response', () => {
    expect(nt.subarray(16)).to.deep.equal(
      bytes(`0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000 02000c0044006f006d00610069006e00
        01000c00530065007200760065007200 00000000 00000000`),
    );
  });

  it('4.2.4.2.1: the LMv2 response', () => {
    expect(lm).to.deep.equal(bytes('86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa'));
  });

  it('4.2.4.2.2: the NTLMv2 response', () => {
    expect(nt.subarray(0, 16)).to.deep.equal(bytes('68cd0ab851e51c96aabc927bebef6a1c'));
  });

  it('4.2.4.2.3: the encrypted session key', () => {
    expect(rc4(sessionKey, RANDOM_SESSION_KEY)).to.deep.equal(bytes('c5dad2544fc9799094ce1ce90bc9d03e'));
  });

  it('4.2.4.3: reads the CHALLENGE_MESSAGE', () => {
    expect(challenge).to.deep.include({ flags: 0xe28a8233, challenge: SERVER_CHALLENGE });
    expect([...(challenge?.pairs ?? [])]).to.deep.equal([
      [2, utf16('Domain')],
      [1, utf16('Server')],
    ]);
  });

  it('4.2.4.3: writes the AUTHENTICATE_MESSAGE', () => {
    const message = authenticateMessage({
      ...identity,
      ...{ lm, nt, flags: 0xe2888235, hasMic: false, version: VERSION },
      encryptedSessionKey: rc4(sessionKey, RANDOM_SESSION_KEY),
    });
    expect(message.toString('hex')).to.equal(AUTHENTICATE_MESSAGE.toString('hex'));
  });

  // Microsoft Open Specifications: NTLM and Channel Binding Hash
  it("Microsoft's example of a channel binding", () => {
    const hash = bytes('ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95');
    const binding = Buffer.concat([Buffer.from('tls-server-end-point:'), hash]);
    expect(bindingHash(binding)).to.deep.equal(bytes('6586e99d81c2fc984e47172fd4dd0310'));
  });

  it('reads and writes the attributes of the example as they are', () => {
    const info = CHALLENGE_MESSAGE.subarray(0x44);
    expect(writeAvPairs(readAvPairs(info) ?? new Map([[AV.flags, info]]))).to.deep.equal(info);
  });
});
