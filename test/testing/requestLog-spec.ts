import { expect } from 'chai';
import { EMPTY, mergeMap, NEVER, of, timer } from 'rxjs';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import { requestLog } from '../../lib/testing/requestLog.ts';
import { inVirtualTime } from '../support/virtualTime.ts';

const server: Transport = ({ url }) =>
  url.endsWith('held') ? NEVER : of({ status: 204, url, headers: headersFrom({}), body$: EMPTY });

describe('requestLog', () => {
  it('logs requests with their time and status', () => {
    const log = requestLog();
    const send = log.middleware(server);
    const post = { method: 'POST', url: 'https://pool.contoso.com/a?b=c', body: 'text' };
    inVirtualTime(() => {
      timer(7)
        .pipe(mergeMap(() => send(post)))
        .subscribe();
    });
    expect(log.requests).to.deep.equal([
      { method: 'POST', path: '/a?b=c', headers: {}, body: 'text', time: 7, status: 204 },
    ]);
  });

  it('logs nothing without a subscription', () => {
    const log = requestLog();
    log.middleware(server)({ method: 'GET', url: 'https://pool.contoso.com/' });
    expect(log.requests).to.deep.equal([]);
  });

  it('has no status before the response', () => {
    const log = requestLog();
    log.middleware(server)({ method: 'GET', url: 'https://pool.contoso.com/held' }).subscribe();
    expect(log.requests[0]?.status).to.equal(undefined);
  });

  const headers: readonly (readonly [name: string, value: string, kept: string])[] = [
    ['authorization', 'Bearer s3cret', 'Bearer …'],
    ['Authorization', 'bearer s3cret', 'bearer …'],
    ['AUTHORIZATION', 's3cret', '…'],
    ['authorization', 's3cret s3cret', '…'],
    ['authorization', 'Bearer', '…'],
    ['Proxy-Authorization', 'Basic s3cret', 'Basic …'],
    ['Cookie', 'a=s3cret; b=s3cret', '…'],
    ['Accept', 'application/json', 'application/json'],
  ];
  for (const [name, value, kept] of headers) {
    it(`keeps ${name}: ${value} as ${kept}`, () => {
      const log = requestLog();
      const request = { method: 'GET', url: 'https://pool.contoso.com/', headers: { [name]: value } };
      log.middleware(server)(request).subscribe();
      expect(log.requests[0]?.headers).to.deep.equal({ [name.toLowerCase()]: kept });
    });
  }

  const secrets: readonly (readonly [string, string, string, string])[] = [
    [
      'a password in a form',
      'application/x-www-form-urlencoded;charset=UTF-8',
      'grant_type=password&username=sara&password=s3cret%21&x=1',
      'grant_type=password&username=sara&password=…&x=1',
    ],
    ['a token to renew', 'application/x-www-form-urlencoded', 'ms_rtc_renew=cwt%3Ds3cret', 'ms_rtc_renew=…'],
    [
      'the token of a part',
      'multipart/batching;boundary=x',
      '--x\r\nAuthorization: Bearer s3cret\r\nAccept: */*\r\n',
      '--x\r\nAuthorization: Bearer …\r\nAccept: */*\r\n',
    ],
    ['a name in upper case', 'APPLICATION/X-WWW-FORM-URLENCODED', 'Password=s3cret&x=1', 'Password=…&x=1'],
    [
      'a field after a semicolon',
      'application/x-www-form-urlencoded',
      'a=b;password=s3;cret',
      'a=b;password=…',
    ],
    [
      'each secret of OAuth',
      'application/x-www-form-urlencoded',
      'refresh_token=s3cret&client_secret=s3cret&client_assertion=s3cret&client_assertion_type=urn',
      'refresh_token=…&client_secret=…&client_assertion=…&client_assertion_type=urn',
    ],
    [
      'a password in JSON',
      'application/json; charset=utf-8',
      '{"x":1,"newPassword" : "s3\\"cret","y":"password"}',
      '{"x":1,"newPassword" : "…","y":"password"}',
    ],
    ['a string of JSON without an end', 'application/json', '{"token":"s3cret', '{"token":"…"'],
    [
      'the token of a part without a scheme',
      'multipart/batching;boundary=x',
      '--x\r\nauthorization: s3cret\r\nCookie: a=s3cret; b=s3cret\r\nAccept: */*\r\n',
      '--x\r\nauthorization: …\r\nCookie: …\r\nAccept: */*\r\n',
    ],
    [
      'a password in the body of a part',
      'multipart/batching;boundary=x',
      '--x\r\n\r\npassword=s3cret\r\n--x\r\n\r\n{"password":"s3cret"}\r\n--x--',
      '--x\r\n\r\npassword=…\r\n--x\r\n\r\n{"password":"…"}\r\n--x--',
    ],
    ['nothing in XML', 'text/xml', '<a>password=x&amp;token=y</a>', '<a>password=x&amp;token=y</a>'],
  ];
  for (const [name, type, body, kept] of secrets) {
    it(`hides ${name}`, () => {
      const log = requestLog();
      const request = {
        method: 'POST',
        url: 'https://pool.contoso.com/',
        headers: { 'content-type': type },
        body,
      };
      log.middleware(server)(request).subscribe();
      expect(log.requests[0]?.body).to.equal(kept);
    });
  }

  it('logs the parts of a batch in its entry', () => {
    const log = requestLog();
    const whole = { method: 'POST', url: 'https://pool.contoso.com/batch' };
    const part = { method: 'GET', url: 'https://pool.contoso.com/a' };
    log
      .middleware((request) => log.partsOf(request)(server)(part))(whole)
      .subscribe();
    expect(log.requests).to.have.length(1);
    expect(log.requests[0]?.parts?.map(({ path, status }) => [path, status])).to.deep.equal([['/a', 204]]);
  });

  it('passes parts of an unknown request', () => {
    const log = requestLog();
    let status = 0;
    const part = { method: 'GET', url: 'https://pool.contoso.com/a' };
    log
      .partsOf({ ...part })(server)(part)
      .subscribe((response) => (status = response.status));
    expect(status).to.equal(204);
    expect(log.requests).to.deep.equal([]);
  });

  it('drops the oldest requests beyond 64 Mi characters', () => {
    const log = requestLog();
    const body = 'a'.repeat(1024 * 1024);
    for (let count = 0; count < 70; count += 1) {
      log
        .middleware(server)({ method: 'POST', url: `https://pool.contoso.com/${count}`, body })
        .subscribe();
    }
    expect(log.requests).to.have.length(63);
    expect(log.requests.at(-1)?.path).to.equal('/69');
  });
});
