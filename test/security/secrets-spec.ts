import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { lastValueFrom, of, Subject } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import { fetchTransport } from '../../lib/core/fetchTransport.ts';
import type { Transport } from '../../lib/core/transport.ts';
import { withToken } from '../../lib/core/withToken.ts';
import { affinityGroup } from '../../lib/ews/affinity.ts';
import { ntlm } from '../../lib/ews/ntlm.ts';
import { pullNotifications } from '../../lib/ews/pull.ts';
import { pushListener } from '../../lib/ews/pushListener.ts';
import { exchange } from '../../lib/ews/service.ts';
import { ewsSimulator } from '../../lib/testing/ewsSimulator.ts';
import { ucwaDomain } from '../../lib/testing/ucwaDomain.ts';
import { ucwaSimulator } from '../../lib/testing/ucwaSimulator.ts';
import { connect } from '../../lib/ucwa/connect.ts';
import { discover } from '../../lib/ucwa/discovery.ts';
import { presence } from '../../lib/ucwa/presence.ts';
import { anonymousMeeting, password } from '../../lib/ucwa/signIn.ts';
import { response } from '../support/responses.ts';

const SECRET = 'Tr0ub4dor-and-3';
const BASIC = btoa(`sara:${SECRET}`);
const uris = ['sip:john@contoso.com'];

/** All that can be seen of a value: by who prints it, makes a text or JSON of it, or inspects it to the bottom. */
function seen(value: unknown): string {
  const inspected = inspect(value, {
    depth: Infinity,
    showHidden: true,
    getters: true,
    maxStringLength: null,
  });
  const isError = value instanceof Error;
  return [inspected, String(value), isError ? value.stack : jsonOf(value)].join('\n');
}

/** What holds itself, as what is in use does, has no JSON. */
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
  it('should be seen by this spec where they are', () => {
    expect(seen({ deep: [{ token: SECRET }] })).to.contain(SECRET);
    expect(seen(new Error('x', { cause: new Error(SECRET) }))).to.contain(SECRET);
  });

  it('should not be seen in a connection to UCWA, its ledger, what it emits, and the log of the simulator', async () => {
    const server = ucwaSimulator({ token: SECRET, mediumSeconds: 0 });
    const ucwa = connect({ applications: server.url, token: SECRET, transport: server.transport });
    const told: unknown[] = [];
    ucwa.activity$.subscribe((activity) => told.push(activity));
    ucwa.application$.subscribe((application) => told.push(application));
    const watching = presence(ucwa, { uris }).subscribe((event) => told.push(event));
    expectNoSecret(ucwa);
    watching.unsubscribe();
    const report = await ucwa.close();
    for (const value of [ucwa, told, report, server, server.requests]) expectNoSecret(value);
    expect(server.requests).to.have.length.above(3);
  });

  it('should not be seen in a way to sign in, in discovery, nor in the log of the simulated domain', async () => {
    const server = ucwaDomain({ users: { 'sara@contoso.com': SECRET } });
    const signIn = password({ username: 'sara@contoso.com', password: SECRET });
    const options = { domain: 'contoso.com', signIn, transport: server.transport };
    const discovery = discover(options);
    const location = await lastValueFrom(discovery.location$);
    const ucwa = connect(options);
    presence(ucwa, { uris }).subscribe().unsubscribe();
    const report = await ucwa.drain();
    const conferenceUri = `sip:a@b.c;gruu;opaque=app:conf:focus:id:${SECRET}`;
    const meeting = anonymousMeeting({ conferenceUri });
    for (const value of [signIn, meeting, discovery, location, ucwa, report, server.requests, server.tokens])
      expectNoSecret(value);
    expect(server.requests.map(({ body }) => body).join(' ')).to.contain('password=…');
  });

  it('should not be seen in a connection to EWS, its ledger, what it emits, and the log of the simulator', async () => {
    const basic = { username: 'sara', password: SECRET };
    const server = ewsSimulator({ basic });
    const service = exchange({ url: server.url, basic, transport: server.transport });
    const told: unknown[] = [];
    service.activity$.subscribe((activity) => told.push(activity));
    pullNotifications(service, { folders: ['inbox'], events: ['newMail'] })
      .subscribe((event) => told.push(event))
      .unsubscribe();
    const report = await service.drain();
    for (const value of [service, service.as({ sid: 'S-1' }), told, report, server, server.requests])
      expectNoSecret(value);
    expect(server.requests).to.have.length(3);
  });

  it('should not be seen in middlewares, transports and listeners', () => {
    const messages = {
      createType1Message: () => 'a',
      decodeType2Message: () => 'b',
      createType3Message: () => 'c',
    };
    const values = [
      withToken(SECRET),
      withToken(SECRET)(fetchTransport()),
      ntlm(messages as never, { username: 'sara', password: SECRET }),
      affinityGroup({ anchorMailbox: 'sara@contoso.com' }),
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
    it(`should not be seen in an error: ${name}`, () => {
      const headers = { 'content-type': 'application/json' };
      const transport: Transport = ({ url }) => of({ ...response(status, { headers, body: [body] }), url });
      const ucwa = connect({ applications: 'https://pool.contoso.com/', token: SECRET, transport });
      let error: unknown;
      ucwa.events$.subscribe({ error: (cause: unknown) => (error = cause) });
      expect(error).to.be.instanceOf(Error);
      expectNoSecret(error);
    });
  }

  for (const [name, fetch] of [
    ['cross-fetch', undefined],
    ['the global fetch', globalThis.fetch],
  ] as const) {
    it(`should not be seen in the error of a connection that cannot be made, nor its query: ${name}`, async () => {
      const server = createServer().listen(0);
      const { port } = server.address() as AddressInfo;
      await new Promise((closed) => server.close(closed));
      const error = await new Promise((failed) =>
        fetchTransport(fetch)({
          method: 'GET',
          url: `http://127.0.0.1:${port}/me?key=${SECRET}`,
          headers: { authorization: `Bearer ${SECRET}` },
        }).subscribe({ error: failed }),
      );
      expect(error).to.be.instanceOf(NetworkError);
      expectNoSecret(error);
    });
  }

  it('should not be seen in the TypeError of an option that cannot be used', () => {
    const bad: readonly (() => unknown)[] = [
      () => connect({ applications: 'https://a.b/', token: `${SECRET}\n` }),
      () => connect({ applications: `https://sara:${SECRET}@a.b/`, token: 't' }),
      () =>
        connect({
          applications: 'https://a.b/',
          token: 't',
          signIn: password({ username: 'a', password: SECRET }),
        } as never),
      () => connect({ applications: 'https://a.b/', token: { secret: SECRET } as never }),
      () => exchange({ url: `https://sara:${SECRET}@a.b/` }),
      () => exchange({ url: 'https://a.b/', basic: { username: 'a', password: `${SECRET}\0` } }),
      () => exchange({ url: 'https://a.b/', basic: { username: 'a', password: SECRET }, token: SECRET }),
      () => password({ username: '', password: SECRET }),
      () => anonymousMeeting({ conferenceUri: SECRET }),
      () => pushListener({ path: SECRET }),
      () => withToken(new Subject() as never),
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
