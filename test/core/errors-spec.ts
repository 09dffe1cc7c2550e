import { expect } from 'chai';
import {
  ClosedError,
  DecodeError,
  HttpError,
  NetworkError,
  OriginError,
  TokenError,
} from '../../lib/core/errors.ts';
import { expectHarmless } from '../support/errorTexts.ts';

const request = { method: 'DELETE', url: 'https://user:hush@pool.contoso.com/ucwa/1?token=hush#hush' };

describe('The errors', () => {
  const cause = Object.assign(new TypeError('hush'), { code: 'ECONNRESET', config: { headers: 'hush' } });
  const errors = [
    new NetworkError('no answer', request, { cause, code: 'ECONNRESET' }),
    new HttpError(404, request, {
      cause,
      code: 'NotFound',
      subcode: 'ApplicationNotFound',
      hint: 'make it again',
    }),
    new DecodeError('event', { path: '/a', expected: 'string', actual: '7' }, { cause }),
    new OriginError('https://a', 'https://b', 'a link'),
    new ClosedError('presence'),
    new TokenError('https://a', new HttpError(404, request)),
  ];

  for (const error of errors) {
    it(`is tagged and named, with nothing secret in its message: ${error.name}`, () => {
      expect(error).to.be.instanceOf(Error);
      expect(error._tag).to.equal(error.name);
      expect(error.message).not.to.contain('hush');
    });
  }

  it('keeps a cause of this library', () => {
    const own = errors[2];
    for (const error of [
      new NetworkError('no answer', request, { cause: own }),
      new HttpError(500, request, { cause: own }),
      new DecodeError('event', { path: '', expected: 'a', actual: 'b' }, { cause: own }),
    ]) {
      expect(error.cause).to.equal(own);
    }
  });

  it('describes a foreign cause, and keeps nothing of its text', () => {
    for (const error of errors.slice(0, 3)) {
      expect(error.cause).to.include({ name: 'TypeError', code: 'ECONNRESET', message: 'ECONNRESET' });
    }
  });

  it('has no cause without one', () => {
    expect(new NetworkError('no answer', request)).to.not.have.property('cause');
    expect(new HttpError(500, request, { cause: undefined })).to.not.have.property('cause');
  });

  it('says what happened to which request', () => {
    expect(errors.map(({ message }) => message)).to.deep.equal([
      'no answer: DELETE https://pool.contoso.com/ucwa/1 (ECONNRESET)',
      'DELETE https://pool.contoso.com/ucwa/1 was answered 404 NotFound/ApplicationNotFound: make it again',
      'event: expected string at /a, but there is 7',
      'a link leads to https://b, but this connection is for https://a only: nothing was sent there. ' +
        'If both are yours, connect to https://b on its own.',
      'presence cannot be subscribed to: its connection is closed. Create another.',
      'the token provider has failed for https://a, because a request of its own was answered 404. Correct the provider.',
    ]);
  });

  it('reads well without the parts that are not known', () => {
    expect(new HttpError(500, request).message).to.equal(
      'DELETE https://pool.contoso.com/ucwa/1 was answered 500',
    );
    expect(new NetworkError('no answer', request).message).to.equal(
      'no answer: DELETE https://pool.contoso.com/ucwa/1',
    );
    expect(new DecodeError('event', { path: '', expected: 'a', actual: 'b' }).message).to.contain(
      'at the root',
    );
  });
});

describe('The texts of an error', () => {
  const long = `\u001b[2J\u202e\u009b\u2028${'x'.repeat(5_000_000)}`;
  const where = { method: long, url: `https://pool.contoso.com/${long}?${long}` };
  const problem = { path: long, expected: long, actual: long };
  const cause = Object.assign(new Error(long), { name: long, code: long });
  const harmful: readonly (readonly [string, Error])[] = [
    ['NetworkError', new NetworkError(long, where, { code: long, cause })],
    ['HttpError', new HttpError(500, where, { code: long, subcode: long, hint: long, cause })],
    ['DecodeError', new DecodeError(long, problem, { cause })],
    ['OriginError', new OriginError(long, long, long)],
    ['OriginError of an unsafe URL', new OriginError(undefined, long, long)],
    ['ClosedError', new ClosedError(long)],
  ];

  for (const [name, error] of harmful) {
    it(`are printable and short, whatever a server sends: ${name}`, () => {
      expectHarmless(error);
    });
  }

  it('have no code that is not a word', () => {
    const error = new HttpError(404, request, { code: 'Not Found\u001b[2J', subcode: 'x'.repeat(65) });
    expect(error).to.include({ code: undefined, subcode: undefined });
    expect(error.message).to.match(/was answered 404$/);
    expect(new NetworkError('no answer', request, { code: 'a b' }).code).to.equal(undefined);
  });
});
