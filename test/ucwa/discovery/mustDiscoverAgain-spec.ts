import { expect } from 'chai';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import { shouldRediscover } from '../../../lib/ucwa/discovery/location.ts';

const request = { method: 'GET', url: 'https://pool.contoso.com/ucwa' };
const http = (status: number, codes: { code?: string; subcode?: string } = {}): HttpError =>
  new HttpError(status, request, codes);

describe('mustDiscoverAgain', () => {
  for (const [name, error, failures, expected] of [
    ['a 502', http(502), 1, true],
    ['a 403 of something in between', http(403), 1, true],
    ['a 403 with a code alone', http(403, { code: 'Forbidden' }), 1, true],
    ['a 403 with a subcode that is not a word', http(403, { subcode: 'Limit\u001bExceeded' }), 1, true],
    ['a 403 of UCWA itself', http(403, { code: 'Forbidden', subcode: 'LimitExceeded' }), 1, false],
    ['a 403 of UCWA without a reason', http(403, { code: 'Forbidden', subcode: 'None' }), 1, false],
    ['a 401', http(401), 1, false],
    ['a 404', http(404, { code: 'NotFound', subcode: 'ApplicationNotFound' }), 1, false],
    ['a 500', http(500), 9, false],
    ['a 503', http(503), 9, false],
    ['a 504', http(504), 9, false],
    ['a first failure to connect', new NetworkError('no answer', request), 1, false],
    ['a second failure to connect', new NetworkError('no answer', request), 2, false],
    ['a third failure to connect', new NetworkError('no answer', request), 3, true],
    ['a later failure to connect', new NetworkError('no answer', request), 40, true],
    ['a link to another origin', new OriginError('a', 'b', 'c'), 9, false],
    ['an answer that is none', new DecodeError('a', { path: '', expected: 'b', actual: 'c' }), 9, false],
    ['an error of somebody else', new Error('x'), 9, false],
    ['no error', undefined, 9, false],
  ] as const) {
    it(`is ${expected} after ${name}`, () => {
      expect(shouldRediscover(error, failures)).to.equal(expected);
    });
  }
});
