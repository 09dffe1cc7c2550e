import { bearer } from '../../lib/core/auth/auth.ts';
import { expect } from 'chai';
import fc from 'fast-check';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { lastValueFrom, materialize, type Observable, take, toArray, of } from 'rxjs';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import { withCookies } from '../../lib/core/transport/withCookies.ts';
import { withToken } from '../../lib/core/auth/withToken.ts';
import { basic } from '../../lib/ews/auth/basic.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { existingApplication } from '../../lib/ucwa/discovery/server.ts';

/** Texts that contain a header or a request. */
const evil = fc
  .array(
    fc.constantFrom(
      ...['\r\n', '\n', '\r', '\0', '\u010A', '\u2028', ' ', ':', '"', 'a', '@b.c', 'é', 'x-forged: 1'],
      ...['GET /forged HTTP/1.1', '\r\nhost: evil.test\r\n\r\n', '%0d%0a', '/', '?', '#', '..'],
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => parts.join(''));

const HEADERS = new Set([
  ...['accept', 'accept-encoding', 'authorization', 'connection', 'content-length', 'content-type', 'cookie'],
  ...['host', 'transfer-encoding', 'user-agent', 'x-anchormailbox', 'x-preferserveraffinity'],
]);

/** Resolves when a source has ended, or throws at its creation. */
async function tried(make: () => Observable<unknown>): Promise<void> {
  try {
    await lastValueFrom(make().pipe(take(1), materialize(), toArray()));
  } catch (error) {
    expect(error).to.be.instanceOf(TypeError);
  }
}

describe('Splitting requests over real sockets', () => {
  let server: Server;
  let origin = '';
  let requests = 0;
  let forged: string[] = [];
  let setCookie: string | undefined;

  before((listening) => {
    server = createServer((request, response) => {
      requests += 1;
      const { host } = request.headers;
      if (`http://${String(host)}` !== origin) forged.push(`host ${String(host)}`);
      for (const name of Object.keys(request.headers)) if (!HEADERS.has(name)) forged.push(`header ${name}`);
      if (request.url?.includes(' ') === true) forged.push(`target ${request.url}`);
      if (request.method === 'GET' && request.url === '/forged') forged.push('request');
      request.resume().on('end', () => {
        response.writeHead(404, setCookie === undefined ? {} : { 'set-cookie': setCookie });
        response.end();
      });
    });
    server.on('clientError', (error, socket) => {
      forged.push(`what is no request: ${error.message}`);
      socket.destroy();
    });
    server.listen(0, '127.0.0.1', () => {
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      listening();
    });
  });

  after((closed) => {
    server.close(() => closed());
    server.closeAllConnections();
  });

  beforeEach(() => {
    requests = 0;
    forged = [];
    setCookie = undefined;
  });

  const watch = (options: object) => {
    const url = `${origin}/EWS/Exchange.asmx`;
    const exchange = connectExchange({ server: url, retry: { retries: 0 }, ...options });
    return pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] });
  };
  const join = (options: object) =>
    connectUcwa({ server: `${origin}/applications`, auth: bearer('t'), retry: { retries: 0 }, ...options })
      .events$;

  const ways: readonly (readonly [string, (text: string) => Observable<unknown>])[] = [
    ['a token', (token) => watch({ auth: bearer(token) })],
    ['the token of a provider', (token) => watch({ auth: bearer(() => of(token)) })],
    ['a user name', (username) => watch({ auth: basic({ username, password: 'p' }) })],
    ['a password', (password) => watch({ auth: basic({ username: 'u', password }) })],
    ['an anchor mailbox', (anchorMailbox) => watch({ anchorMailbox })],
    ['an impersonated mailbox', (smtpAddress) => watch({ impersonate: { smtpAddress } })],
    ['the culture of an application', (culture) => join({ culture })],
    ['the endpointId of an application', (endpointId) => join({ endpointId })],
    [
      'an href of a server',
      (href) =>
        connectUcwa({ server: existingApplication(`${origin}/applications/1`), auth: bearer('t') }).get({
          href,
        }),
    ],
    ['the URL of a request', (text) => fetchTransport()({ method: 'GET', url: `${origin}/${text}` })],
    [
      'a header of a request',
      (text) => fetchTransport()({ method: 'GET', url: origin, headers: { cookie: text } }),
    ],
    [
      'the scheme of a token',
      (scheme) => withToken('t', { scheme })(fetchTransport())({ method: 'GET', url: origin }),
    ],
  ];
  for (const [name, send] of ways) {
    it(`is impossible through ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(evil, async (text) => {
          await tried(() => send(text));
          expect(forged).to.deep.equal([]);
        }),
        { numRuns: 60 },
      );
    });
  }

  it('is impossible through the cookies of a server', async () => {
    await fc.assert(
      fc.asyncProperty(evil, async (text) => {
        // A header of the simulated server can only contain Latin-1 without line breaks.
        setCookie = `a=${text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')}; Path=/`;
        const transport = withCookies()(fetchTransport());
        await tried(() => transport({ method: 'GET', url: origin }));
        await tried(() => transport({ method: 'GET', url: origin }));
        expect(forged).to.deep.equal([]);
      }),
      { numRuns: 60 },
    );
    expect(requests).to.be.above(100);
  });
});
