import { expect } from 'chai';
import {
  ClosedError,
  DecodeError,
  describeUrl,
  HttpError,
  NetworkError,
  OriginError,
} from '../../lib/core/errors.ts';

const request = { method: 'DELETE', url: 'https://user:hush@pool.contoso.com/ucwa/1?token=hush#hush' };

describe('describeUrl', () => {
  it('should leave out what can be secret', () => {
    expect(describeUrl(request.url)).to.equal('https://pool.contoso.com/ucwa/1');
  });

  it('should describe what has no origin, and what is no URL', () => {
    expect(describeUrl('urn:x')).to.equal('urn://x');
    expect(describeUrl('not a url')).to.equal('an invalid URL');
  });
});

describe('The errors', () => {
  const cause = new Error('cause');
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
  ];

  for (const error of errors) {
    it(`should be tagged and named, with nothing secret in its message: ${error.name}`, () => {
      expect(error).to.be.instanceOf(Error);
      expect(error._tag).to.equal(error.name);
      expect(error.message).not.to.contain('hush');
    });
  }

  it('should keep their cause', () => {
    for (const error of errors.slice(0, 3)) expect(error.cause).to.equal(cause);
  });

  it('should say what happened to which request', () => {
    expect(errors.map(({ message }) => message)).to.deep.equal([
      'no answer: DELETE https://pool.contoso.com/ucwa/1 (ECONNRESET)',
      'DELETE https://pool.contoso.com/ucwa/1 was answered 404 NotFound/ApplicationNotFound: make it again',
      'event: expected string at /a, but there is 7',
      'a link leads to https://b, but this connection is for https://a only: nothing was sent there. ' +
        'If both are yours, connect to https://b on its own.',
      'presence cannot be subscribed to: its connection was closed. Make a new one.',
    ]);
  });

  it('should read well without the parts that are not known', () => {
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
