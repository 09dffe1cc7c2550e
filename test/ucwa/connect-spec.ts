import { expect } from 'chai';
import { of } from 'rxjs';
import { ClosedError, DecodeError, HttpError, OriginError } from '../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../lib/ucwa/session/session.ts';
import type { UcwaOptions } from '../../lib/ucwa/options.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import type { Link } from '../../lib/ucwa/protocol/resource.ts';
import { connected, record } from './connected.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';
import { existingApplication } from '../../lib/ucwa/discovery/server.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

const server = 'https://pool.contoso.com/ucwa/v1/applications';

const got = (ucwa: Ucwa, href: string): unknown => {
  let value: unknown;
  ucwa.get({ href }).subscribe({
    next: (resource) => (value = resource),
    error: (error: unknown) => (value = error),
  });
  return value;
};

describe('connectUcwa', () => {
  const noLinks: readonly [type: string, link: unknown][] = [
    ['a string', '/ucwa/oauth/v1/applications/101/me'],
    ['undefined', undefined],
    ['null', null],
    ['an object', { href: undefined }],
    ['an array', ['/me']],
  ];
  for (const [type, link] of noLinks) {
    it(`sends nothing for ${type} instead of a link`, () => {
      const { ucwa, sent } = connected();
      expect(() => ucwa.get(link as Link)).to.throw(
        TypeError,
        `link must be an object with an href, such as event.link, but it is ${type}`,
      );
      expect(sent()).to.deep.equal([]);
    });
  }

  const bad: readonly (readonly [string, object | (() => object), string])[] = [
    [
      'no server',
      {},
      "server must be the URL of applications, or discovered(domain) or existingApplication(href) from 'rxchange/ucwa', but it is undefined",
    ],
    ['an object as server', { server: { domain: 'contoso.com' } }, 'but it is an object'],
    ['a URL as domain', () => ({ server: discovered('contoso.com/x') }), 'domain must be'],
    ['a relative address', { server: '/ucwa' }, 'server must be an absolute'],
    [
      'an address with a password',
      () => ({ server: existingApplication('https://a:b@contoso.com/') }),
      'href must be an absolute',
    ],
    ['a token with a line break', () => ({ server, auth: bearer('a\nb') }), 'token must be visible ASCII'],
    [
      'credentials of another scheme',
      { server, auth: { scheme: 'Basic', sign: () => undefined } },
      'but it is basic(…)',
    ],
    ['a token as auth', { server, auth: 'hush' }, "auth must be bearer(token) from 'rxchange'"],
    ['an empty culture', { server, culture: '' }, 'culture must be a text of 1 to 100 characters'],
    ['a long userAgent', { server, userAgent: 'x'.repeat(101) }, 'userAgent must be'],
    ['an endpointId that is no text', { server, endpointId: 7 }, 'endpointId must be'],
    [
      'a culture that is no language',
      { server, culture: 'en_us' },
      "culture must be a language such as 'en-us'",
    ],
    ['a long instanceId', { server, instanceId: 'x'.repeat(101) }, 'instanceId must be'],
    ['a long endpointId', { server, endpointId: 'x'.repeat(101) }, 'endpointId must be'],
    ['a culture with a header', { server, culture: 'en-us\r\nx: y' }, 'culture must be a text'],
    ['a userAgent with a header', { server, userAgent: 'a\r\nx: y' }, 'userAgent must be'],
    ['an endpointId with a line break', { server, endpointId: 'a\nb' }, 'endpointId must be'],
    ['an instanceId with a null', { server, instanceId: 'a\0' }, 'instanceId must be'],
    ['an empty instanceId', { server, instanceId: '' }, 'instanceId must be'],
    ['a negative grace time', { server, graceSeconds: -1 }, 'graceSeconds must be a number from 0 to 900'],
    [
      'a low interval that is too short',
      { server, channel: { lowSeconds: 4 } },
      'channel.lowSeconds must be a whole number from 5 to 1800',
    ],
    [
      'a medium interval that is too long',
      { server, channel: { mediumSeconds: 1801 } },
      'channel.mediumSeconds must be',
    ],
    [
      'a timeout that is too short',
      { server, channel: { timeoutSeconds: 179 } },
      'channel.timeoutSeconds must be',
    ],
    ['a negative priority', { server, channel: { priority: -1 } }, 'channel.priority must be'],
    [
      'an unknown acknowledgement',
      { server, channel: { ack: 'never' } },
      'channel.ack must be one of "eager", "processed"',
    ],
    ['a batch that is no object', { server, batch: true }, "batch must be batching() from 'rxchange/ucwa'"],
    ['options as batch', { server, batch: { maxParts: 3 } }, 'batch must be batching()'],
    [
      'batches without parts',
      () => ({ batch: batching({ maxParts: 0 }) }),
      'maxParts must be a whole number',
    ],
    ['options as publish', { server, publish: { availability: 'Online' } }, 'publish must be publishing()'],
    ['a domain', { domain: 'contoso.com' }, 'unknown option domain: write server: discovered(domain)'],
    [
      'the URL as applications',
      { applications: server },
      'unknown option applications: write server: applications',
    ],
    ['the URL of an application', { application: server }, 'write server: existingApplication(href)'],
    ['a token', { server, token: 'hush' }, "unknown option token: write auth: bearer(token) from 'rxchange'"],
    ['a sign-in as signIn', { server, signIn: {} }, 'unknown option signIn: write auth: password(…)'],
    ['a bad retry policy', { server, retry: { retries: -1 } }, 'retry.retries must be'],
    [
      'a transport and a fetch',
      { server, transport: () => of(), fetch: () => undefined },
      'fetch must be left out',
    ],
  ];
  for (const [name, given, message] of bad) {
    it(`throws for ${name}`, () => {
      const options = (): object => (typeof given === 'function' ? (given as () => object)() : given);
      expect(() => connectUcwa(options() as UcwaOptions)).to.throw(TypeError, message);
    });
  }

  it('never shows an invalid token', () => {
    expect(() => connectUcwa({ server, auth: bearer('se cret') }))
      .to.throw(TypeError)
      .with.property('message')
      .that.does.not.contain('se cret');
  });

  it('uses any fetch', async () => {
    const urls: string[] = [];
    const ucwa = connectUcwa({
      server,
      auth: bearer('token'),
      fetch: (url) => {
        urls.push(url);
        return Promise.resolve(new Response('{"code":"Forbidden"}', { status: 403 }));
      },
    });
    const error = await new Promise((resolve) => ucwa.events$.subscribe({ error: resolve }));
    expect(error).to.be.instanceOf(HttpError);
    expect(urls).to.deep.equal([server]);
  });

  it('sends requests without Authorization if there is no token', () => {
    const seen: unknown[] = [];
    const transport: Transport = ({ url, headers }) => {
      seen.push(headers?.['authorization']);
      return of({ status: 403, url, headers: headersFrom({}), body$: of() });
    };
    record(connectUcwa({ server, transport }).events$);
    expect(seen).to.deep.equal([undefined]);
  });

  describe('the token provider', () => {
    const invalid: Fault = {
      status: 403,
      headers: { 'content-type': 'application/json' },
      body: '{"code":"Forbidden","subcode":"InvalidToken"}',
    };
    const cases: readonly (readonly [string, Fault])[] = [
      ['401', { status: 401 }],
      ['403 with a challenge', { status: 403, headers: { 'www-authenticate': 'Bearer' } }],
      ['403 InvalidToken', invalid],
    ];
    for (const [name, fault] of cases) {
      it(`is called once for all requests after ${name}, without losing events`, async () => {
        const asked: string[] = [];
        const { ucwa, server } = connected(
          {},
          {
            auth: bearer((origin: string) => {
              asked.push(origin);
              return of(`token${asked.length}`);
            }),
          },
        );
        server.failNext(1, fault, ({ url }) => url.includes('/events'));
        const kept = record(presence(ucwa, { uris: ['sip:sara@contoso.com'] }));
        expect(kept.error).to.equal(undefined);
        expect(kept.values).to.have.length(3);
        expect(asked).to.deep.equal(['https://ucwa.example', 'https://ucwa.example']);
        await ucwa.close();
        expect(server.applications).to.deep.equal([]);
      });
    }

    it('is not called again if the new token is rejected, too', async () => {
      const { ucwa, server } = connected({ token: 'good' }, { auth: bearer(() => of('bad')) });
      const kept = record(ucwa.events$);
      expect((kept.error as Error).message).to.contain('the token was refused');
      expect(server.requests).to.have.length(2);
      await ucwa.close();
    });
  });

  describe('get', () => {
    it('emits the resource of a link', async () => {
      const { ucwa, server } = connected();
      record(ucwa.events$);
      server.setPresence('sip:sara@contoso.com', { availability: 'Busy' });
      const href = '/ucwa/oauth/v1/applications/101/people/sara@contoso.com/presence';
      expect(got(ucwa, href)).to.deep.include({ rel: 'contactPresence', availability: 'Busy' });
      await ucwa.close();
    });

    it('errors if the server rejects the request', () => {
      expect(got(connected().ucwa, '/nowhere')).to.be.instanceOf(HttpError);
    });

    it('errors for a value that is no link', () => {
      expect(got(connected().ucwa, 'http://[')).to.be.instanceOf(DecodeError);
    });

    it('sends nothing to another server', () => {
      const { ucwa, sent } = connected();
      expect(got(ucwa, 'https://evil.example/presence')).to.be.instanceOf(OriginError);
      expect(sent()).to.deep.equal([]);
    });

    it('errors on a closed connection', async () => {
      const { ucwa } = connected();
      await ucwa.close();
      expect(got(ucwa, '/me')).to.be.instanceOf(ClosedError);
    });
  });

  describe('close', () => {
    it('completes all streams, releases everything, and rejects new subscribers', async () => {
      const { ucwa, server } = connected();
      const streams = [record(ucwa.events$), record(presence(ucwa, { uris: ['sip:sara@contoso.com'] }))];
      const { clean } = await ucwa.close();
      expect(clean).to.equal(true);
      expect(streams.map(({ isComplete }) => isComplete)).to.deep.equal([true, true]);
      expect(server.applications).to.deep.equal([]);
      expect(record(ucwa.events$).error).to.be.instanceOf(ClosedError);
    });
  });
});
