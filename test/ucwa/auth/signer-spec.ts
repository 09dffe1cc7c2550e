import { expect } from 'chai';
import { mergeMap, of, throwError } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpResponse,
  readText,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { refusesToken, exposeTokenRefusal } from '../../../lib/ucwa/auth/signer.ts';

const GET = { method: 'GET', url: 'https://pool.contoso.com/' };

const through = (
  status: number,
  text: string,
  headers: Record<string, string> = {},
): readonly [boolean, string] => {
  const server: Transport = ({ url }) =>
    of({ status, url, headers: headersFrom(headers), body$: of(new TextEncoder().encode(text)) });
  let refuses = false;
  let body = '';
  exposeTokenRefusal(server)(GET)
    .pipe(
      mergeMap((response: HttpResponse) => {
        refuses = refusesToken(response);
        expect(response.headers.get('x-other')).to.equal(headers['x-other']);
        return readText(response, 'body');
      }),
    )
    .subscribe((read) => (body = read));
  return [refuses, body];
};

describe('revealInvalidToken', () => {
  const invalid = '{"code":"Forbidden","subcode":"InvalidToken"}';
  const cases: readonly (readonly [string, number, string, Record<string, string>, boolean])[] = [
    ['401', 401, '', {}, true],
    ['403 with a challenge', 403, '{"code":"Forbidden"}', { 'www-authenticate': 'Bearer' }, true],
    ['403 InvalidToken', 403, invalid, { 'x-other': '1' }, true],
    ['403 of another kind', 403, '{"code":"Forbidden","subcode":"LimitExceeded"}', { 'x-other': '1' }, false],
    ['403 that is not from UCWA', 403, '<html>', {}, false],
    ['404', 404, invalid, {}, false],
    ['200', 200, '{}', {}, false],
  ];
  for (const [name, status, text, headers, expected] of cases) {
    it(`reads ${name} as a ${expected ? 'refused' : 'good'} token and keeps the body`, () => {
      expect(through(status, text, headers)).to.deep.equal([expected, text]);
    });
  }

  it('returns a 403 whose body breaks off', () => {
    const server: Transport = (request) =>
      of({
        status: 403,
        url: request.url,
        headers: headersFrom({}),
        body$: throwError(() => new NetworkError('the answer broke off', request)),
      });
    let status = 0;
    exposeTokenRefusal(server)(GET).subscribe((response) => (status = response.status));
    expect(status).to.equal(403);
  });
});
