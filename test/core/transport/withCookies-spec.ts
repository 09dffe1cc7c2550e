import { expect } from 'chai';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { restrictToOrigin } from '../../../lib/core/transport/restrictToOrigin.ts';
import { cookieJar, withCookies } from '../../../lib/core/transport/withCookies.ts';
import { httpServer } from '../../support/net/httpServer.ts';
import { respondWith, response } from '../../support/responses.ts';

const get = { method: 'GET', url: 'https://mail.example/ews' };
const setting = (cookie: string, status = 200, location?: string) =>
  response(status, { headers: { 'set-cookie': cookie, ...(location === undefined ? {} : { location }) } });

describe('withCookies', () => {
  it('leaves a request as it is while there are no cookies', () => {
    const server = respondWith(response(200));
    withCookies()(server.transport)(get).subscribe();
    expect(server.requests).to.deep.equal([get]);
  });

  it('sends cookies with the other headers', () => {
    const server = respondWith(setting('a=1'), response(200));
    const transport = withCookies()(server.transport);
    const request = { ...get, headers: { accept: 'text/xml' } };
    transport(request).subscribe();
    transport(request).subscribe();
    expect(server.requests.map(({ headers }) => headers)).to.deep.equal([
      { accept: 'text/xml' },
      { accept: 'text/xml', cookie: 'a=1' },
    ]);
  });

  it('keeps the cookies that the request has itself', () => {
    const server = respondWith(setting('a=1'), response(200));
    const transport = withCookies()(server.transport);
    const request = { ...get, headers: { cookie: 'own=0' } };
    transport(request).subscribe();
    transport(request).subscribe();
    expect(server.requests.map(({ headers }) => headers?.['cookie'])).to.deep.equal(['own=0', 'own=0; a=1']);
  });

  it('does not send the cookies of one origin to another', () => {
    const server = respondWith(setting('a=1; domain=example'), response(200));
    const transport = withCookies()(server.transport);
    transport(get).subscribe();
    transport({ ...get, url: 'https://other.example/ews' }).subscribe();
    expect(server.requests[1]?.headers).to.equal(undefined);
  });

  it('reads the cookies when the request is sent', () => {
    const jar = cookieJar();
    const server = respondWith(response(200));
    const sending = withCookies(jar)(server.transport)(get);
    jar.store(get.url, 'a=1');
    sending.subscribe();
    expect(server.requests[0]?.headers).to.deep.equal({ cookie: 'a=1' });
  });

  it('sees the cookies of a redirect, below restrictToOrigin', () => {
    const server = respondWith(setting('a=1; path=/', 302, '/two'), response(200));
    restrictToOrigin('https://mail.example')(withCookies()(server.transport))(get).subscribe();
    expect(server.requests[1]).to.deep.equal({
      method: 'GET',
      url: 'https://mail.example/two',
      headers: { cookie: 'a=1' },
    });
  });

  it('reads several Set-Cookie headers of a real server', async () => {
    const seen: (string | undefined)[] = [];
    const server = await httpServer((incoming, outgoing) => {
      seen.push(incoming.headers.cookie);
      outgoing.setHeader('set-cookie', [
        'exchangecookie=ddb8; expires=Thu, 25-Sep-2064 18:42:45 GMT; path=/; HttpOnly',
        'X-BackEndOverrideCookie=mbx1~1941996295; path=/; HttpOnly',
      ]);
      outgoing.end();
    });
    const transport = withCookies()(fetchTransport());
    const once = () =>
      new Promise((resolve, reject) => {
        transport({ method: 'GET', url: server.url }).subscribe({
          complete: () => resolve(0),
          error: reject,
        });
      });
    await once();
    await once();
    await server.close();
    expect(seen).to.deep.equal([undefined, 'exchangecookie=ddb8; X-BackEndOverrideCookie=mbx1~1941996295']);
  });
});
