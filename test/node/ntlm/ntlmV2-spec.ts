import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { AV, readAvPairs, writeAvPairs } from '../../../lib/node/ntlm/avPairs.ts';
import { NEGOTIATE_MESSAGE, readChallenge, type ServerChallenge } from '../../../lib/node/ntlm/messages.ts';
import { bindingHash, filetime, NTLM_V2, respondTo } from '../../../lib/node/ntlm/ntlmV2.ts';
import { responseKey, utf16 } from '../../../lib/node/ntlm/responses.ts';

const identity = { username: 'sara', password: 'hush', domain: 'CONTOSO', workstation: 'DESK' };
const BINDING = Buffer.from('tls-server-end-point:a hash');
const connection = { targetName: 'HTTP/mail.contoso.com', channelBinding: BINDING };
const nonces = { clientChallenge: Buffer.alloc(8, 1), now: Buffer.alloc(8, 2) };
const TIMESTAMP = Buffer.alloc(8, 3);
const DOMAIN: readonly [number, Buffer] = [2, utf16('CONTOSO')];

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  createHmac('md5', key).update(Buffer.concat(parts)).digest();

/** Returns a challenge with these attributes. */
function challengeOf(pairs: readonly (readonly [number, Uint8Array])[], flags = 0xa2898205): ServerChallenge {
  const targetInfo = writeAvPairs(new Map(pairs));
  const head = Buffer.alloc(48);
  head.write('NTLMSSP\0');
  head.writeUInt32LE(2, 8);
  head.writeUInt32LE(flags, 20);
  head.write('01234567', 24);
  head.writeUInt16LE(targetInfo.length, 40);
  head.writeUInt16LE(targetInfo.length, 42);
  head.writeUInt32LE(head.length, 44);
  const challenge = readChallenge(Buffer.concat([head, targetInfo]));
  if (challenge === undefined) throw new Error('the spec writes no challenge');
  return challenge;
}

/** Returns the parts of an AUTHENTICATE message. */
function partsOf(message: Buffer) {
  const field = (position: number): Buffer => {
    const start = message.readUInt32LE(position + 4);
    return message.subarray(start, start + message.readUInt16LE(position));
  };
  const nt = field(20);
  return {
    lm: field(12),
    nt,
    domain: field(28).toString('utf16le'),
    username: field(36).toString('utf16le'),
    workstation: field(44).toString('utf16le'),
    sessionKey: field(52),
    flags: message.readUInt32LE(60),
    firstField: Math.min(...[12, 20, 28, 36, 44].map((position) => message.readUInt32LE(position + 4))),
    time: nt.subarray(24, 32),
    pairs: readAvPairs(nt.subarray(44)) ?? new Map<number, Uint8Array>(),
  };
}

describe('respondTo', () => {
  describe('a challenge with a time', () => {
    const challenge = challengeOf([DOMAIN, [AV.timestamp, TIMESTAMP]]);
    const message = respondTo(challenge, identity, connection, nonces);
    const parts = partsOf(message);

    it('sends the MIC of all three messages', () => {
      const sessionKey = hmac(responseKey(identity), parts.nt.subarray(0, 16));
      const zeroed = Buffer.from(message);
      zeroed.fill(0, 72, 88);
      const mic = hmac(sessionKey, NEGOTIATE_MESSAGE, challenge.message, zeroed);
      expect(message.subarray(72, 88)).to.deep.equal(mic);
      expect(parts.firstField).to.equal(88);
      expect(parts.pairs.get(AV.flags)).to.deep.equal(Buffer.from([2, 0, 0, 0]));
    });

    it('uses the time of the server, and sends no LM response', () => {
      expect(parts.time).to.deep.equal(TIMESTAMP);
      expect(parts.lm).to.deep.equal(Buffer.alloc(24));
    });

    it('returns the attributes of the server, and adds those of the client', () => {
      expect([...parts.pairs.keys()]).to.deep.equal([2, 7, 6, 10, 9]);
      expect(parts.pairs.get(AV.channelBindings)).to.deep.equal(bindingHash(BINDING));
      expect(parts.pairs.get(AV.targetName)).to.deep.equal(utf16('HTTP/mail.contoso.com'));
    });

    it('names the account and the machine', () => {
      expect(parts).to.deep.include({ domain: 'CONTOSO', username: 'sara', workstation: 'DESK' });
    });

    it('offers no exchange of keys', () => {
      expect(parts.sessionKey).to.have.length(0);
      expect(parts.flags.toString(16)).to.equal('a2888205');
    });
  });

  it('sends no MIC for a challenge without a time', () => {
    const parts = partsOf(respondTo(challengeOf([DOMAIN]), identity, connection, nonces));
    expect(parts.firstField).to.equal(72);
    expect(parts.time).to.deep.equal(nonces.now);
    expect(parts.lm.subarray(16)).to.deep.equal(nonces.clientChallenge);
    expect(parts.pairs.get(AV.flags)).to.deep.equal(Buffer.alloc(4));
  });

  it('keeps the flags of the server', () => {
    const challenge = challengeOf([
      [AV.flags, Buffer.from([1, 0, 0, 0])],
      [AV.timestamp, TIMESTAMP],
    ]);
    const { pairs } = partsOf(respondTo(challenge, identity, connection, nonces));
    expect(pairs.get(AV.flags)).to.deep.equal(Buffer.from([3, 0, 0, 0]));
  });

  it('sends a binding of zeros without TLS', () => {
    const { pairs } = partsOf(
      respondTo(challengeOf([DOMAIN]), identity, { targetName: 'HTTP/mail' }, nonces),
    );
    expect(pairs.get(AV.channelBindings)).to.deep.equal(Buffer.alloc(16));
  });
});

describe('readChallenge', () => {
  const { message } = challengeOf([DOMAIN]);
  const changed = (change: (copy: Buffer) => unknown): Buffer => {
    const copy = Buffer.from(message);
    change(copy);
    return copy;
  };
  const cases: readonly (readonly [string, Buffer])[] = [
    ['nothing', Buffer.alloc(0)],
    ['another signature', changed((copy) => copy.write('NTLMSSX'))],
    ['another type', changed((copy) => copy.writeUInt32LE(3, 8))],
    ['text that is not Unicode', changed((copy) => copy.writeUInt32LE(0xa2898206, 20))],
    ['attributes beyond the end', changed((copy) => copy.writeUInt32LE(0xffffffff, 44))],
    ['attributes that are cut short', changed((copy) => copy.writeUInt16LE(7, 40))],
    ['half of its head', message.subarray(0, 31)],
    ['no place of the attributes', message.subarray(0, 47)],
  ];
  for (const [name, bytes] of cases) {
    it(`returns undefined for ${name}`, () => {
      expect(readChallenge(bytes)).to.equal(undefined);
    });
  }

  it('reads a challenge without attributes', () => {
    const old = changed((copy) => copy.writeUInt32LE(0xa2098205, 20)).subarray(0, 32);
    expect(readChallenge(old)?.pairs.size).to.equal(0);
  });
});

describe('NTLM_V2', () => {
  it('sends a first message without account and machine, but with a version', () => {
    const header = NTLM_V2.createType1Message(identity);
    const message = Buffer.from(header.slice('NTLM '.length), 'base64');
    expect(message).to.have.length(40);
    expect(message.readUInt32LE(12).toString(16)).to.equal('a2088205');
    expect(message.subarray(16, 32)).to.deep.equal(Buffer.alloc(16));
    expect(message[39]).to.equal(15);
  });

  it('responds to each challenge with other random bytes', () => {
    const challenge = NTLM_V2.parseType2Message(`NTLM ${challengeOf([DOMAIN]).message.toString('base64')}`);
    const one = NTLM_V2.createType3Message(challenge, identity, connection);
    expect(one).to.match(/^NTLM TlRMTVNTUAADAAAA/);
    expect(NTLM_V2.createType3Message(challenge, identity, connection)).to.not.equal(one);
  });

  it('throws for what is no challenge', () => {
    expect(() => NTLM_V2.parseType2Message('NTLM AAAA')).to.throw(/not a challenge/);
  });
});

describe('responseKey', () => {
  it('maps each letter of the user name to one capital letter', () => {
    const key = (username: string) => responseKey({ ...identity, username }).toString('hex');
    expect(key('sara')).to.equal(key('SARA'));
    expect(key('müller')).to.equal(key('MÜLLER'));
    expect(key('weiß')).to.equal(key('WEIß')).and.not.equal(key('WEISS'));
  });
});

describe('filetime', () => {
  it('counts 100 nanoseconds since 1601', () => {
    expect(filetime(1_055_844_000_000).toString('hex')).to.equal('0090d336b734c301');
  });
});
