import { expect } from 'chai';
import {
  EMPTY,
  firstValueFrom,
  lastValueFrom,
  materialize,
  type Observable,
  share,
  Subscription,
  take,
  timeout,
  toArray,
} from 'rxjs';
import { OriginError } from '../../lib/core/errors.ts';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import { memoryCheckpoints } from '../../lib/core/checkpoint/memoryStore.ts';
import { withCookies } from '../../lib/core/transport/withCookies.ts';
import { withToken } from '../../lib/core/auth/withToken.ts';
import { autodiscovered } from '../../lib/ews/discovery/autodiscover.ts';
import { lookUp } from '../ews/discovery/lookUp.ts';
import type { ExchangeOptions } from '../../lib/ews/options.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { basic } from '../../lib/ews/auth/basic.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { discover } from '../ucwa/discovery/discover.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { SignInError } from '../../lib/ucwa/protocol/errors.ts';
import { type Arrival, type Internet, internet, type Reply } from '../support/net/internet.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';
import { checkpointed } from '../../lib/ucwa/application/checkpointed.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

const SECRET = 'Tr0ub4dor-and-3';
const BASIC = `Basic ${btoa(`sara:${SECRET}`)}`;
const IDENTITY = { culture: 'en-us', endpointId: 'e', userAgent: 'rxchange' };
const HOSTS = ['contoso.com', '*.contoso.com', 'evil.test', '*.evil.test', '*.test'];

/** Hosts that end like the domain for one parser of URLs, and start like another host for the other. */
const DISGUISES = [
  ';',
  "'",
  '"',
  '{',
  '}',
  '`',
  '@',
  '\\',
  '/',
  '?',
  '#',
  '%2f',
  '%00',
  ':443/',
  ':@',
  '&',
  '!',
].map((separator) => `evil.test${separator}.contoso.com`);

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

async function ended(source$: Observable<unknown>): Promise<unknown[]> {
  const notes = await lastValueFrom(source$.pipe(materialize(), toArray()));
  return notes.map((note) => (note.kind === 'N' ? note.value : (note.error as unknown)));
}

describe('Credentials over real sockets', () => {
  let world: Internet | undefined;

  afterEach(async () => {
    await world?.close();
    world = undefined;
  });

  const expectOnlyContoso = ({ arrivals }: Internet): void => {
    for (const { host, authorization, body } of arrivals) {
      if (!/^(?:[\w-]+\.)*contoso\.com$/.test(host)) {
        expect(authorization, host).to.equal(undefined);
        expect(body, host).to.not.contain(SECRET);
      }
    }
    expect(arrivals.filter(({ host }) => host.includes('test'))).to.deep.equal([]);
  };

  for (const disguise of DISGUISES) {
    it(`never reach ${disguise} through a URL of Autodiscover`, async () => {
      world = await internet(HOSTS, ({ authorization }) =>
        authorization === undefined
          ? json(401, {}, { 'www-authenticate': 'Basic realm="x"' })
          : json(200, { Protocol: 'EWS', Url: `https://${disguise}/EWS/Exchange.asmx` }),
      );
      const exchange = connectExchange({
        server: autodiscovered('sara@contoso.com'),
        auth: basic({ username: 'sara', password: SECRET }),
        retry: { retries: 0 },
      });
      await ended(pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).pipe(take(1)));
      expectOnlyContoso(world);
      expect(world.arrivals.some(({ authorization }) => authorization === BASIC)).to.equal(true);
      await exchange.close({ timeoutMs: 0 });
    });

    it(`never reach ${disguise} through a redirect of Autodiscover`, async () => {
      const location = `https://${disguise}/autodiscover/autodiscover.xml`;
      world = await internet(HOSTS, () => ({ status: 302, headers: { location } }));
      await ended(lookUp('sara@contoso.com', { auth: bearer(() => SECRET) }));
      expectOnlyContoso(world);
      expect(world.arrivals).to.not.have.length(0);
    });

    it(`never reach ${disguise} through a link of UCWA`, async () => {
      world = await internet(HOSTS, () =>
        json(200, { _links: { user: { href: `https://${disguise}/user` } } }),
      );
      await ended(discover({ domain: 'contoso.com', auth: bearer(() => SECRET) }).location$);
      expectOnlyContoso(world);
      expect(world.arrivals).to.not.have.length(0);
    });

    it(`never reach ${disguise} through the token endpoint of UCWA`, async () => {
      const endpoint = `https://${disguise.replaceAll(/["\\]/g, '\\$&')}/token`;
      const challenge = `MsRtcOAuth href="${endpoint}", grant_type="password"`;
      world = await internet(HOSTS, ({ path }) =>
        path === '/user'
          ? json(401, {}, { 'www-authenticate': challenge })
          : json(200, { _links: { user: { href: '/user' } } }),
      );
      const ucwa = connectUcwa({
        server: discovered('contoso.com'),
        auth: password({ username: 'sara@contoso.com', password: SECRET }),
        retry: { retries: 0 },
      });
      await ended(ucwa.events$.pipe(take(1)));
      expectOnlyContoso(world);
      expect(world.arrivals.some(({ path }) => path === '/user')).to.equal(true);
      await ucwa.close({ timeoutMs: 0 });
    });
  }

  describe('of Exchange', () => {
    const watch =
      (answer: (arrival: Arrival) => Reply, options: Partial<ExchangeOptions> = {}) =>
      async () => {
        world = await internet(HOSTS, answer);
        const exchange = connectExchange({
          server: 'https://mail.contoso.com/EWS/Exchange.asmx',
          auth: basic({ username: 'sara', password: SECRET }),
          retry: { retries: 0 },
          ...options,
        });
        const source$ = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] });
        const [result] = await ended(source$.pipe(take(1)));
        await exchange.close({ timeoutMs: 0 });
        return { result, arrivals: world.arrivals };
      };

    for (const status of [301, 302, 303, 307, 308]) {
      it(`do not follow a redirect with ${status} to another origin`, async () => {
        const location = 'https://evil.test/EWS/Exchange.asmx';
        const { arrivals } = await watch(() => ({ status, headers: { location } }))();
        expect(arrivals.map(({ host }) => host)).to.deep.equal(['mail.contoso.com']);
        expect(arrivals[0]?.authorization).to.equal(BASIC);
      });
    }

    it('are sent only to the port of the URL', async () => {
      const location = 'https://mail.contoso.com:8443/EWS/Exchange.asmx';
      const { arrivals, result } = await watch(() => ({ status: 307, headers: { location } }))();
      expect(arrivals).to.have.length(1);
      expect(result).to.be.instanceOf(OriginError);
    });

    it('are sent once to each host of Autodiscover if they are rejected', async () => {
      let addresses = 0;
      world = await internet(HOSTS, ({ host, path }) => {
        if (host === 'contoso.com' && path.endsWith('.xml') && addresses < 5) {
          addresses += 1;
          const redirect = `<Action>redirectAddr</Action><RedirectAddr>u${addresses}@contoso.com</RedirectAddr>`;
          const response = `<Response><Account>${redirect}</Account></Response>`;
          const headers = { 'content-type': 'text/xml' };
          return { status: 200, headers, body: `<Autodiscover>${response}</Autodiscover>` };
        }
        return { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
      });
      const credentials = { username: 'sara', password: SECRET };
      const [error] = await ended(lookUp('sara@contoso.com', { auth: basic(credentials) }));
      expect(String(error)).to.contain('refused the user name and the password before');
      const sent = world.arrivals.filter(({ authorization }) => authorization === BASIC);
      expect(sent.map(({ host }) => host)).to.deep.equal(['autodiscover.contoso.com', 'contoso.com']);
      expect(addresses).to.be.above(1);
    });

    it('are sent once for many subscriptions if they are rejected', async () => {
      world = await internet(HOSTS, () => ({ status: 401 }));
      const exchange = connectExchange({
        server: 'https://mail.contoso.com/EWS/Exchange.asmx',
        auth: basic({ username: 'sara', password: SECRET }),
      });
      const streams = Array.from({ length: 20 }, (_, index) =>
        pullNotifications(exchange.actingAs({ primarySmtpAddress: `u${index}@contoso.com` }), {
          ...{ folders: ['inbox'], events: ['newMail'] },
        }),
      );
      const results = await Promise.all(streams.map(ended));
      for (const [error] of results) expect(error).to.include({ _tag: 'HttpError', status: 401 });
      expect(world.arrivals).to.have.length(1);
      await exchange.close({ timeoutMs: 0 });
    });

    it('are not sent again to remove subscriptions after a rejection', async () => {
      let isRefused = false;
      const envelope = (operation: string, content: string): Reply => ({
        status: 200,
        headers: { 'content-type': 'text/xml' },
        body:
          '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>' +
          `<${operation}Response><ResponseMessages><${operation}ResponseMessage ResponseClass="Success">` +
          `<ResponseCode>NoError</ResponseCode>${content}</${operation}ResponseMessage>` +
          `</ResponseMessages></${operation}Response></Body></Envelope>`,
      });
      let subscriptions = 0;
      world = await internet(HOSTS, ({ body }) => {
        if (isRefused) return { status: 401 };
        const isNew = body.includes('<m:Subscribe>');
        if (isNew) subscriptions += 1;
        const [, id = ''] = /SubscriptionId>([^<]+)</.exec(body) ?? [];
        const named = `<SubscriptionId>${isNew ? `S${subscriptions}` : id}</SubscriptionId>`;
        if (isNew) return envelope('Subscribe', `${named}<Watermark>W</Watermark>`);
        const nothing =
          '<PreviousWatermark>W</PreviousWatermark><MoreEvents>false</MoreEvents><StatusEvent/>';
        return envelope('GetEvents', `<Notification>${named}${nothing}</Notification>`);
      });
      const exchange = connectExchange({
        server: 'https://mail.contoso.com/EWS/Exchange.asmx',
        auth: basic({ username: 'sara', password: SECRET }),
        retry: { initialMs: 1, maxMs: 1 },
      });
      const watching = new Subscription();
      for (let count = 0; count < 3; count += 1) {
        const mail$ = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).pipe(share());
        watching.add(mail$.subscribe());
        await firstValueFrom(mail$);
      }
      isRefused = true;
      const before = world.arrivals.length;
      watching.unsubscribe();
      const { outcomes } = await exchange.close();
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Failed', 'Failed', 'Failed']);
      expect(world.arrivals.length - before).to.be.at.most(3);
    });

    it('keep the cookies of one origin from another, whatever their domain says', async () => {
      const cookie = `session=${SECRET}; Domain=contoso.com; Path=/`;
      world = await internet(HOSTS, () => ({ status: 204, headers: { 'set-cookie': cookie } }));
      const transport = withCookies()(fetchTransport());
      for (const url of [
        'https://a.contoso.com/',
        'https://b.contoso.com/',
        'https://evil.test/',
        'https://a.contoso.com/',
      ])
        await ended(transport({ method: 'GET', url }));
      expect(world.arrivals.map(({ head }) => head.includes(SECRET))).to.deep.equal([
        false,
        false,
        false,
        true,
      ]);
    });
  });

  describe('of UCWA', () => {
    const applications = 'https://pool.contoso.com/ucwa/v1/applications';
    const application = (links: object): Reply =>
      json(201, { _links: { self: { href: '/app/1' }, events: { href: '/app/1/events' }, ...links } });

    for (const rel of ['events', 'self', 'batch']) {
      it(`do not follow the link ${rel} of an application to another origin`, async () => {
        world = await internet(HOSTS, ({ method }) =>
          method === 'POST' ? application({ [rel]: { href: `https://evil.test/${rel}` } }) : { status: 404 },
        );
        const ucwa = connectUcwa({ server: applications, auth: bearer(SECRET), retry: { retries: 0 } });
        await ended(ucwa.events$.pipe(take(1)));
        await ucwa.close({ timeoutMs: 500 });
        expectOnlyContoso(world);
        expect(world.arrivals[0]?.authorization).to.equal(`Bearer ${SECRET}`);
      });
    }

    it('include one token per origin, which no other origin gets', async () => {
      world = await internet(HOSTS, () => ({ status: 204 }));
      const signed = withToken((origin) => `token-of-${origin}`)(fetchTransport());
      for (const url of ['https://a.contoso.com/', 'https://b.contoso.com/', 'https://a.contoso.com/'])
        await ended(signed({ method: 'GET', url }));
      expect(world.arrivals).to.have.length(3);
      for (const { host, authorization } of world.arrivals)
        expect(authorization).to.equal(`Bearer token-of-https://${host}`);
    });

    for (const offer of ['Basic realm="intranet"', 'Negotiate, NTLM', 'Basic realm="Bearer"', '']) {
      it(`request no token for a web site that responds 401 with ${offer || 'nothing'}`, async () => {
        const headers: Record<string, string> = offer === '' ? {} : { 'www-authenticate': offer };
        world = await internet(HOSTS, () => ({ status: 401, headers }));
        const asked: string[] = [];
        const token = (origin: string) => {
          asked.push(origin);
          return SECRET;
        };
        const [error] = await ended(discover({ domain: 'contoso.com', auth: bearer(token) }).location$);
        expect(String(error)).to.contain(`it offers ${offer === '' ? 'no sign-in' : offer.split(/[ ,]/)[0]}`);
        expect(asked).to.deep.equal([]);
        expect(world.arrivals.map(({ authorization }) => authorization)).to.deep.equal([
          undefined,
          undefined,
        ]);
      });
    }

    it('request no token for a host that only redirects to a sign-in', async () => {
      world = await internet(HOSTS, ({ host }) =>
        host === 'pool.contoso.com'
          ? { status: 401, headers: { 'www-authenticate': 'Bearer' } }
          : { status: 302, headers: { location: 'https://pool.contoso.com/user' } },
      );
      const asked: string[] = [];
      const token = (origin: string) => {
        asked.push(origin);
        return SECRET;
      };
      await ended(discover({ domain: 'contoso.com', auth: bearer(token) }).location$);
      expect(asked)
        .to.include('https://pool.contoso.com')
        .and.not.include('https://lyncdiscover.contoso.com');
      for (const { host, authorization } of world.arrivals)
        if (authorization !== undefined) expect(host).to.equal('pool.contoso.com');
    });

    it('sign no request to an origin that discovery did not find', async () => {
      world = await internet(HOSTS, () => ({ status: 204 }));
      const { signed } = discover({ domain: 'contoso.com', auth: bearer(() => SECRET) });
      const url = 'https://evil.test/';
      const [error] = await ended(signed(fetchTransport())({ method: 'GET', url }));
      expect(error).to.be.instanceOf(OriginError);
      expect(world.arrivals).to.deep.equal([]);
    });

    const signingIn = async (answerOfEndpoint: () => Reply) => {
      const challenge = 'MsRtcOAuth href="/token", grant_type="password"';
      world = await internet(HOSTS, ({ path }) => {
        if (path === '/token') return answerOfEndpoint();
        if (path === '/user') return json(401, {}, { 'www-authenticate': challenge });
        return json(200, { _links: { user: { href: '/user' } } });
      });
      const ucwa = connectUcwa({
        server: discovered('contoso.com'),
        auth: password({ username: 'sara@contoso.com', password: SECRET }),
        retry: { retries: 0 },
      });
      const errors = [await ended(ucwa.events$.pipe(take(1))), await ended(ucwa.events$.pipe(take(1)))];
      await ucwa.close({ timeoutMs: 0 });
      return {
        errors: errors.flat(),
        forms: world.arrivals.filter(({ body }) => body.includes(SECRET)),
        world,
      };
    };

    it('are sent only to the token endpoint, even if it redirects', async () => {
      const location = 'https://evil.test/token';
      const { forms, world } = await signingIn(() => ({ status: 307, headers: { location } }));
      expectOnlyContoso(world);
      expect(forms).to.not.have.length(0);
    });

    it('are sent once if they are rejected', async () => {
      const { forms, errors } = await signingIn(() => json(400, { error: 'invalid_grant' }));
      expect(forms).to.have.length(1);
      for (const error of errors) expect(error).to.be.instanceOf(SignInError);
    });

    it('sign a batch, but not its parts', async () => {
      const server = ucwaSimulator({ mediumSeconds: 0.01, token: SECRET });
      const served = await serve(server.transport);
      const ucwa = connectUcwa({
        server: served.origin + new URL(server.url).pathname,
        auth: bearer(SECRET),
        batch: batching(),
      });
      const uris = ['sip:a@contoso.com', 'sip:b@contoso.com'];
      const watching = new Subscription();
      const first = uris.map((uri) => {
        const events$ = presence(ucwa, { uris: [uri] }).pipe(share());
        watching.add(events$.subscribe());
        return firstValueFrom(events$);
      });
      await Promise.all(first);
      watching.unsubscribe();
      await ucwa.close();
      await served.close();
      const batches = server.requests.filter(({ parts }) => parts !== undefined);
      expect(batches).to.not.have.length(0);
      for (const { headers, body } of batches) {
        expect(headers).to.include({ authorization: 'Bearer …' });
        expect(body).to.not.match(/authorization/i);
      }
    });

    for (const href of [
      'https://evil.test/app/1',
      'https://evil.test;.contoso.com/app/1',
      'http://pool.contoso.com/app/1',
    ]) {
      it(`do not follow ${href} of a checkpoint`, async () => {
        world = await internet(HOSTS, ({ method }) =>
          method === 'POST' ? application({}) : { status: 503 },
        );
        const store = memoryCheckpoints();
        const held = [
          { resource: 'presenceSubscription', id: href },
          { resource: 'application', id: href },
        ];
        await ended(store.save('key', { application: { identity: IDENTITY, self: href }, next: href, held }));
        const asked: string[] = [];
        const ucwa = connectUcwa({
          server: applications,
          auth: bearer((origin) => {
            asked.push(origin);
            return SECRET;
          }),
          retry: { retries: 0 },
          checkpoint: checkpointed(store, 'key'),
          channel: { ack: 'processed' },
        });
        await ended(ucwa.events$.pipe(take(1), timeout({ first: 400, with: () => EMPTY })));
        await ucwa.close({ timeoutMs: 0 });
        expect(new Set(world.arrivals.map(({ host }) => host))).to.deep.equal(new Set(['pool.contoso.com']));
        expect(new Set(asked)).to.deep.equal(new Set(['https://pool.contoso.com']));
      });
    }
  });
});
