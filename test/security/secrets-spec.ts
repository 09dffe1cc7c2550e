import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { lastValueFrom, map, mergeMap, type Observable, of, Subject, throwError } from 'rxjs';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../lib/core/errors.ts';
import { describeUrl } from '../../lib/core/text.ts';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import type { HttpRequest, Middleware, Transport } from '../../lib/core/transport/transport.ts';
import { withCookies } from '../../lib/core/transport/withCookies.ts';
import { withToken } from '../../lib/core/auth/withToken.ts';
import { ntlm } from '../../lib/node/ntlm/ntlm.ts';
import { autodiscovered } from '../../lib/ews/discovery/autodiscover.ts';
import { lookUp } from '../ews/discovery/lookUp.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { basic } from '../../lib/ews/auth/basic.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import {
  AutodiscoverError,
  ConnectionsFullError,
  EwsError,
  SoapFault,
} from '../../lib/ews/protocol/errors.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { pushListener } from '../../lib/ews/push/listener.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { ucwaDomain } from '../../lib/testing/ucwa/discovery/domain.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { anonymousMeeting, password } from '../../lib/ucwa/auth/signIn.ts';
import { requestToken } from '../../lib/ucwa/auth/tokenEndpoint.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { discover } from '../ucwa/discovery/discover.ts';
import { trustedHosts, trustedUrl } from '../../lib/ucwa/discovery/steps.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { advance } from '../../lib/ucwa/protocol/cursor.ts';
import { DiscoveryError, EndedError, SignInError } from '../../lib/ucwa/protocol/errors.ts';
import { eventsResponseCodec } from '../../lib/ucwa/protocol/events.ts';
import { requestJson } from '../../lib/ucwa/protocol/request.ts';
import { rawServer } from '../support/net/httpServer.ts';
import { response } from '../support/responses.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';

const SECRET = 'Tr0ub4dor-and-3';
const BASIC = btoa(`sara:${SECRET}`);
const uris = ['sip:john@contoso.com'];

/** Returns all visible texts of a value: printed, as a string, as JSON, and inspected completely. */
function seen(value: unknown): string {
  const inspected = inspect(value, {
    depth: Infinity,
    showHidden: true,
    getters: true,
    maxStringLength: null,
  });
  const stack = value instanceof Error ? value.stack : '';
  return [inspected, String(value), stack, jsonOf(value)].join('\n');
}

/** A value in use may contain itself, and has no JSON then. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function expectNoSecret(value: unknown): void {
  expect(seen(value)).to.not.contain(SECRET).and.not.contain(BASIC);
}

describe('Secrets', () => {
  it('are found by this spec if they are visible', () => {
    expect(seen({ deep: [{ token: SECRET }] })).to.contain(SECRET);
    expect(seen(new Error('x', { cause: new Error(SECRET) }))).to.contain(SECRET);
  });

  it('are invisible in a UCWA connection and all it emits', async () => {
    const server = ucwaSimulator({ token: SECRET, mediumSeconds: 0 });
    const ucwa = connectUcwa({ server: server.url, auth: bearer(SECRET), transport: server.transport });
    const recorded: unknown[] = [];
    ucwa.activity$.subscribe((activity) => recorded.push(activity));
    ucwa.application$.subscribe((application) => recorded.push(application));
    const watching = presence(ucwa, { uris }).subscribe((event) => recorded.push(event));
    expectNoSecret(ucwa);
    watching.unsubscribe();
    const report = await ucwa.close();
    for (const value of [ucwa, recorded, report, server, server.requests]) expectNoSecret(value);
    expect(server.requests).to.have.length.above(3);
  });

  it('are invisible in sign-in methods and discovery', async () => {
    const server = ucwaDomain({ users: { 'sara@contoso.com': SECRET } });
    const signIn = password({ username: 'sara@contoso.com', password: SECRET });
    const options = { auth: signIn, transport: server.transport };
    const discovery = discover({ domain: 'contoso.com', ...options });
    const location = await lastValueFrom(discovery.location$);
    const ucwa = connectUcwa({ server: discovered('contoso.com'), ...options });
    presence(ucwa, { uris }).subscribe().unsubscribe();
    const report = await ucwa.drain();
    const conferenceUri = `sip:a@b.c;gruu;opaque=app:conf:focus:id:${SECRET}`;
    const meeting = anonymousMeeting({ conferenceUri });
    for (const value of [signIn, meeting, discovery, location, ucwa, report, server.requests, server.tokens])
      expectNoSecret(value);
    expect(server.requests.map(({ body }) => body).join(' ')).to.contain('password=…');
  });

  it('are invisible in an EWS connection and all it emits', async () => {
    const credentials = { username: 'sara', password: SECRET };
    const server = ewsSimulator({ basic: credentials });
    const exchange = connectExchange({
      server: server.url,
      auth: basic(credentials),
      transport: server.transport,
    });
    const recorded: unknown[] = [];
    exchange.activity$.subscribe((activity) => recorded.push(activity));
    pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] })
      .subscribe((event) => recorded.push(event))
      .unsubscribe();
    const report = await exchange.drain();
    for (const value of [
      exchange,
      exchange.actingAs({ sid: 'S-1' }),
      recorded,
      report,
      server,
      server.requests,
    ])
      expectNoSecret(value);
    expect(server.requests).to.have.length(3);
  });

  it('are invisible in middlewares, transports and listeners', () => {
    const values = [
      withToken(SECRET),
      withToken(SECRET)(fetchTransport()),
      ntlm({ username: 'sara', password: SECRET }),
      basic({ username: 'sara', password: SECRET }),
      bearer(SECRET),
      pushListener({ path: `/${SECRET}` }),
    ];
    for (const value of values) expectNoSecret(value);
  });

  const refusals: readonly (readonly [string, number, string])[] = [
    ['a refusal of the token', 401, ''],
    [
      'an error of the server that quotes the token',
      400,
      JSON.stringify({ code: 'BadRequest', message: SECRET }),
    ],
    ['an answer that cannot be read', 200, `{"access_token":"${SECRET}"`],
    ['an answer of another shape', 200, JSON.stringify({ _links: { token: SECRET } })],
  ];
  for (const [name, status, body] of refusals) {
    it(`are invisible in an error: ${name}`, () => {
      const headers = { 'content-type': 'application/json' };
      const transport: Transport = ({ url }) => of({ ...response(status, { headers, body: [body] }), url });
      const ucwa = connectUcwa({ server: 'https://pool.contoso.com/', auth: bearer(SECRET), transport });
      let error: unknown;
      ucwa.events$.subscribe({ error: (cause: unknown) => (error = cause) });
      expect(error).to.be.instanceOf(Error);
      expectNoSecret(error);
    });
  }

  it('are invisible in the TypeError of an invalid option', () => {
    const anonymous = password({ username: 'a', password: SECRET });
    const bad: readonly (() => unknown)[] = [
      () => connectUcwa({ server: 'https://a.b/', auth: bearer(`${SECRET}\n`) }),
      () => connectUcwa({ server: `https://sara:${SECRET}@a.b/`, auth: bearer('t') }),
      () =>
        connectUcwa({
          applications: 'https://a.b/',
          token: 't',
          signIn: password({ username: 'a', password: SECRET }),
        } as never),
      () => connectUcwa({ server: 'https://a.b/', auth: bearer({ secret: SECRET } as never) }),
      () => connectExchange({ server: `https://sara:${SECRET}@a.b/` }),
      () =>
        connectExchange({ server: 'https://a.b/', auth: basic({ username: 'a', password: `${SECRET}\0` }) }),
      () =>
        connectExchange({
          server: 'https://a.b/',
          auth: { username: 'a', password: SECRET } as never,
        }),
      () => connectExchange({ server: 'https://a.b/', auth: SECRET as never }),
      () => connectExchange({ server: 'https://a.b/', token: SECRET } as never),
      () => connectExchange({ server: 'https://a.b/', basic: { username: 'a', password: SECRET } } as never),
      () => password({ username: '', password: SECRET }),
      () => anonymousMeeting({ conferenceUri: SECRET }),
      () => pushListener({ path: SECRET }),
      () => withToken(new Subject() as never),
      () => connectExchange(`https://a.b/?key=${SECRET}` as never),
      () => connectUcwa(`https://a.b/?key=${SECRET}` as never),
      () => connectExchange({ server: `foo:sara:${SECRET}@a.b` }),
      () => connectExchange({ server: { address: `https://sara:${SECRET}@a.b/` } }),
      () => connectExchange({ url: `https://a.b/?key=${SECRET}` } as never),
      () => connectExchange({ server: autodiscovered(`https://sara:${SECRET}@a.b/`) }),
      () =>
        connectExchange({
          server: autodiscovered('a@b.test', { allowRedirectTo: [`https://sara:${SECRET}@a.b/`] }),
        }),
      ...[
        { urls: [`http://a.b/?key=${SECRET}`] },
        { urls: `https://a.b/?key=${SECRET}` as never },
        { domain: `https://sara:${SECRET}@a.b/` },
        { allowRedirectTo: [`https://sara:${SECRET}@a.b/`] },
        { allowRedirectTo: `https://sara:${SECRET}@a.b/` as never },
      ].map((bad) => () => discover({ domain: 'contoso.com', auth: anonymous, ...bad })),
    ];
    for (const make of bad) {
      let error: unknown;
      try {
        make();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).to.be.instanceOf(TypeError);
      expectNoSecret(error);
    }
  });
});

/** Characters that parsers of URLs write in different ways, or treat as an end. */
const ODD = [
  'a',
  '{',
  '}',
  '|',
  '^',
  '\\',
  '`',
  '"',
  "'",
  '<',
  '>',
  ' ',
  '%',
  'é',
  '?',
  '#',
  '&',
  ';',
  '\u2028',
];

const FETCHES: readonly (readonly [string, typeof fetch | undefined])[] = [
  ['the default transport', undefined],
  ['the global fetch', globalThis.fetch],
];

const failureOf = (source$: Observable<unknown>): Promise<unknown> =>
  new Promise((resolve) => {
    source$.subscribe({ error: resolve, complete: () => resolve(undefined) });
  });

describe('Secrets of a request that fails', () => {
  /** A port without a listener. */
  let port = 0;
  before(async () => {
    const server = createServer().listen(0);
    ({ port } = server.address() as AddressInfo);
    await new Promise((closed) => server.close(closed));
  });

  const request = (odd: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
    method: 'POST',
    url: `http://127.0.0.1:${port}/me?key=${odd}${SECRET}${odd}#${odd}${SECRET}`,
    headers: { authorization: `Bearer ${SECRET}`, cookie: `a=${SECRET}` },
    body: `password=${SECRET}`,
    ...more,
  });

  for (const [name, fetch] of FETCHES) {
    for (const odd of ODD) {
      it(`are in no error of ${name}, with ${JSON.stringify(odd)} in query and fragment`, async () => {
        const error = await failureOf(fetchTransport(fetch)(request(odd)));
        expect(error).to.be.instanceOf(NetworkError).and.include({ code: 'ECONNREFUSED' });
        expect((error as Error).message).to.equal(
          `no answer: POST http://127.0.0.1:${port}/me (ECONNREFUSED)`,
        );
        expectNoSecret(error);
      });
    }

    it(`are in no error of ${name} about a response that breaks off`, async () => {
      const server = await rawServer((socket) => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello');
      });
      const error = await failureOf(
        fetchTransport(fetch)(request('{', { url: `${server.url}/me?key={${SECRET}#{${SECRET}` })).pipe(
          mergeMap(({ body$ }) => body$),
        ),
      );
      await server.close();
      expect(error).to.be.instanceOf(NetworkError);
      expectNoSecret(error);
    });

    it(`are in no error of ${name} about a non-HTTP response`, async () => {
      const server = await rawServer((socket) => {
        socket.end(`HTTP/1.1 200 OK\r\nSet-Cookie\0: ${SECRET}\r\n\r\n${SECRET}`);
      });
      const error = await failureOf(fetchTransport(fetch)(request('a', { url: `${server.url}/me` })));
      await server.close();
      expect(error).to.be.instanceOf(NetworkError);
      expectNoSecret(error);
    });
  }

  const quoting: readonly (readonly [string, (url: string, init: RequestInit) => unknown])[] = [
    ['the URL', (url) => new Error(`request to ${url} failed`)],
    ['the encoded URL', (url) => new Error(`request to ${encodeURIComponent(url)} failed`)],
    ['a header', (_, { headers }) => new TypeError(`${JSON.stringify(headers)} is not legal`)],
    ['the body', (_, { body }) => new SyntaxError(`Unexpected token in ${JSON.stringify(body)}`)],
    ['a name', (url) => Object.assign(new Error('x'), { name: url })],
    ['a code', (url) => Object.assign(new Error('x'), { code: url })],
    ['its stack', (url) => Object.assign(new Error('x'), { stack: `Error: x\n    at ${url}` })],
    ['its properties', (url, init) => Object.assign(new Error('x'), { config: { url, init }, code: 'E_X' })],
    ['its cause', (url, init) => new Error('x', { cause: new Error(url, { cause: init }) })],
    ['its causes, deep down', (url) => new Error('x', { cause: new Error('y', { cause: new Error(url) }) })],
    [
      'itself as its cause',
      (url) => {
        const error = new Error(url);
        return Object.assign(error, { cause: error });
      },
    ],
    ['its list of errors', (url) => new AggregateError([new Error(url)], url)],
    ['a text', (url) => url],
    ['an object', (url) => ({ message: url, name: 'Error', url })],
  ];
  for (const [name, make] of quoting) {
    it(`are in no error of a fetch whose error quotes ${name}`, async () => {
      const transport = fetchTransport((url, init) => {
        throw make(url, init);
      });
      const error = await failureOf(transport(request('{')));
      expect(error).to.be.instanceOf(NetworkError);
      expectNoSecret(error);
    });

    it(`are in no NetworkError of a transport whose error quotes ${name}`, () => {
      const asked = request('{');
      const cause = make(asked.url, asked);
      expectNoSecret(new NetworkError('no answer', asked, { cause }));
      expectNoSecret(new DecodeError('answer', { path: '', expected: 'a', actual: 'b' }, { cause }));
    });
  }
});

describe('Secrets in a response of another shape', () => {
  const json = (body: unknown): Transport => {
    const headers = { 'content-type': 'application/json' };
    return ({ url }) => of({ ...response(200, { headers, body: [JSON.stringify(body)] }), url });
  };

  const strange: readonly (readonly [string, unknown])[] = [
    ['a text at the root', SECRET],
    ['a number at the root', 12_345_678],
    ['a number as token', { access_token: 12_345_678 }],
    ['true as token', { access_token: true }],
  ];
  for (const [name, body] of strange) {
    it(`are not quoted from a token endpoint: ${name}`, async () => {
      const signIn = password({ username: 'a', password: 'b' });
      const error = await failureOf(requestToken(json(body), { url: 'https://a.test/token', signIn }));
      expect(error).to.be.instanceOf(DecodeError);
      expectNoSecret(error);
      expect((error as Error).message).to.not.match(/12345678|true/);
    });
  }

  it('are not quoted from a link that is a string', async () => {
    const transport = json({ _links: { next: `/e?ack=1&k=${SECRET}` } });
    const request = { method: 'GET', url: 'https://a.test/events' };
    const response$ = requestJson(transport, request, eventsResponseCodec, 'events');
    const error = await failureOf(response$.pipe(map(({ value }) => advance({ url: request.url }, value))));
    expect(error).to.be.instanceOf(DecodeError);
    expectNoSecret(error);
  });
});

describe('Secrets in the errors of a foreign transport', () => {
  const failing: Transport = ({ url }) =>
    throwError(() => Object.assign(new Error(`${url} ${SECRET}`), { config: SECRET, _tag: 'HttpError' }));

  it('are in no DiscoveryError and in none of its failures', async () => {
    const signIn = password({ username: 'a', password: SECRET });
    const options = { domain: 'contoso.com', auth: signIn, transport: failing, retry: { retries: 0 } };
    const error = await failureOf(discover(options).location$);
    expect(error).to.be.instanceOf(DiscoveryError);
    expectNoSecret(error);
  });

  it('are in no AutodiscoverError and in none of its attempts', async () => {
    const error = await failureOf(lookUp('a@contoso.com', { transport: failing }));
    expect(error).to.be.instanceOf(AutodiscoverError);
    expectNoSecret(error);
  });
});

describe('Secrets in a URL', () => {
  const signing: readonly (readonly [string, Middleware])[] = [
    ['withToken', withToken('t')],
    ['withCookies', withCookies()],
    ['ntlm', (transport) => ntlm({ username: 'a', password: 'b', connect: () => transport })],
    ['fetchTransport', () => fetchTransport()],
  ];
  for (const [name, middleware] of signing) {
    it(`are in no error of ${name} for an unsafe URL`, async () => {
      for (const url of [`/me?key=${SECRET}`, `https://sara:${SECRET}@a.test/`, `sara:${SECRET}@a.test`]) {
        const error = await failureOf(middleware(() => of())({ method: 'GET', url }));
        expect(error).to.be.instanceOf(OriginError);
        expectNoSecret(error);
      }
    });
  }

  const what = { operation: 'Subscribe', method: 'GET' };
  const none = new Map<string, string>();
  const classes: readonly (readonly [string, (url: string) => Error])[] = [
    ['NetworkError', (url) => new NetworkError('no answer', { ...what, url })],
    ['HttpError', (url) => new HttpError(404, { ...what, url })],
    ['OriginError', (url) => new OriginError('https://a.test', describeUrl(url), 'a link')],
    [
      'SoapFault',
      (url) => new SoapFault({ ...what, url }, { faultCode: 'a', faultString: 'b', values: none }),
    ],
    ['EwsError', (url) => new EwsError({ ...what, url }, { responseCode: 'ErrorX', values: none })],
    ['ConnectionsFullError', (url) => new ConnectionsFullError(url, 3, 200)],
    ['SignInError', (url) => new SignInError(url, 401)],
    ['DiscoveryError', (url) => new DiscoveryError('a.test', [{ url, cause: undefined }])],
    ['EndedError', (url) => new EndedError('application', url.replace(/^.*@/, 'https://'), 'it is over')],
    [
      'UntrustedLinkError',
      (url) => {
        const trust = trustedHosts('contoso.com', [], []);
        return expectThrown(() => trustedUrl(trust, url, 'https://contoso.com/', 'a link'));
      },
    ],
  ];
  for (const [name, make] of classes) {
    it(`are in no ${name}, whatever characters are in its query and fragment`, () => {
      for (const odd of ODD) {
        for (const end of [`?${odd}${SECRET}`, `#${odd}${SECRET}`, `?a#${odd}${SECRET}`]) {
          const error = make(`https://sara:${SECRET}@evil.test/path${end}`);
          expectNoSecret(error);
          expect(error.message).to.contain('evil.test/path');
        }
      }
    });
  }

  it('are in no AutodiscoverError, whatever the server redirects to', async () => {
    for (const odd of ODD) {
      const location = `https://evil.test/${SECRET}?${odd}${SECRET}#${odd}${SECRET}`;
      const transport: Transport = () => of(response(302, { headers: { location } }));
      const error = await failureOf(lookUp('sara@contoso.com', { transport }));
      expect(error).to.be.instanceOf(AutodiscoverError);
      expectNoSecret(error);
    }
  });
});

function expectThrown(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
