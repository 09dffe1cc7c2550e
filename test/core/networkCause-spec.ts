import { expect } from 'chai';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describedCause } from '../../lib/core/networkCause.ts';
import { codeOf } from '../../lib/core/systemErrors.ts';

const SECRET = 'hush';

/** An error as Node makes it of a failed system call. */
const systemError = (facts: object): Error =>
  Object.assign(new Error(`connect ECONNREFUSED ${SECRET}`), { code: 'ECONNREFUSED', ...facts });

describe('describedCause', () => {
  it('keeps what a system error says about the connection', () => {
    const cause = systemError({ syscall: 'connect', address: '127.0.0.1', port: 8080, errno: -111 });
    expect(describedCause(cause)).to.include({
      name: 'Error',
      message: 'connect ECONNREFUSED 127.0.0.1 8080',
      code: 'ECONNREFUSED',
    });
    const unknown = systemError({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'mail.contoso.com' });
    expect(describedCause(unknown)?.message).to.equal('getaddrinfo ENOTFOUND mail.contoso.com');
  });

  it('keeps the name, and says that the text is withheld', () => {
    const described = describedCause(new TypeError(`Failed to fetch ${SECRET}`));
    expect(described).to.include({ name: 'TypeError' }).and.not.have.property('code');
    expect(described?.message).to.match(/^its text is withheld, because it can quote/);
  });

  it('takes no number for a code', () => {
    expect(describedCause(new DOMException('x', 'AbortError')))
      .to.include({ name: 'AbortError' })
      .and.not.have.property('code');
  });

  it('describes the causes of the cause', () => {
    const cause = new TypeError('fetch failed', { cause: systemError({ syscall: 'connect' }) });
    expect(describedCause(cause)?.cause).to.include({ message: 'connect ECONNREFUSED' });
  });

  it('describes four errors at most, of a chain without end too', () => {
    const first = new Error('a');
    first.cause = new Error('b', { cause: first });
    let depth = 0;
    for (let one: unknown = describedCause(first); one instanceof Error; one = one.cause) depth += 1;
    expect(depth).to.equal(4);
  });

  it('keeps no text, property or frame of any error', () => {
    class Strange extends Error {
      readonly input = SECRET;
      readonly rawPacket = Buffer.from(SECRET);
      override readonly name = `E ${SECRET}`;
      readonly code = `E ${SECRET}`;
      readonly address = { toString: () => SECRET };
    }
    const strange = new Strange(SECRET, { cause: SECRET });
    strange.stack = `Error: x\n    at ${SECRET}`;
    const described = describedCause(strange);
    expect(inspect(described, { depth: Infinity, showHidden: true })).to.not.contain(SECRET);
    expect(described).to.include({ name: 'Error' });
    expect(described?.stack).to.equal(`Error: ${described?.message ?? ''}`);
  });

  it('describes an error of another context', () => {
    expect(describedCause(runInNewContext('new TypeError("x")'))).to.include({ name: 'TypeError' });
  });

  for (const [name, value] of [
    ['nothing', undefined],
    ['a text', SECRET],
    ['an object', { reason: SECRET }],
  ] as const) {
    it(`keeps nothing of ${name} that was thrown`, () => {
      expect(describedCause(value)).to.equal(undefined);
    });
  }

  it('describes an error that throws when it is read', () => {
    const get = (): never => {
      throw new Error(SECRET);
    };
    const hostile = Object.defineProperties(new Error('x'), { code: { get }, cause: { get }, name: { get } });
    expect(describedCause(hostile)).to.include({ name: 'Error' });
    expect(codeOf(hostile)).to.equal(undefined);
  });

  it('is the same for what it described before', () => {
    const once = describedCause(systemError({ syscall: 'connect', address: '::1', port: 443 }));
    const facts = { message: 'connect ECONNREFUSED ::1 443', code: 'ECONNREFUSED', port: 443 };
    expect(once).to.include(facts);
    expect(describedCause(once)).to.include(facts);
  });
});
