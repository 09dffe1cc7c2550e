import { expect } from 'chai';
import { of } from 'rxjs';
import { ClosedError, DecodeError, HttpError, OriginError } from '../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import { connect } from '../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../lib/ucwa/session/session.ts';
import type { ConnectOptions } from '../../lib/ucwa/options.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { windows } from '../../lib/ucwa/auth/signIn.ts';
import type { Link } from '../../lib/ucwa/protocol/resource.ts';
import { connected, record } from './connected.ts';

const applications = 'https://pool.contoso.com/ucwa/v1/applications';

const got = (ucwa: Ucwa, href: string): unknown => {
  let value: unknown;
  ucwa.get({ href }).subscribe({
    next: (resource) => (value = resource),
    error: (error: unknown) => (value = error),
  });
  return value;
};

describe('connect', () => {
  const noLinks: readonly [type: string, link: unknown][] = [
    ['a string', '/ucwa/oauth/v1/applications/101/me'],
    ['undefined', undefined],
    ['null', null],
    ['an object', { href: undefined }],
    ['an array', ['/me']],
  ];
  for (const [type, link] of noLinks) {
    it(`sends nothing to get ${type} that is no link`, () => {
      const { ucwa, sent } = connected();
      expect(() => ucwa.get(link as Link)).to.throw(
        TypeError,
        `link must be an object with an href, such as event.link, but it is ${type}`,
      );
      expect(sent()).to.deep.equal([]);
    });
  }

  const bad: readonly (readonly [string, object, string])[] = [
    ['no address', {}, 'applications must be given, or domain, or application, and only one of them'],
    ['both addresses', { applications, application: applications }, 'only one of them'],
    ['a domain and an address', { applications, domain: 'contoso.com' }, 'only one of them'],
    ['a domain that is none', { domain: 'contoso.com/x', signIn: windows() }, 'domain must be'],
    ['a domain and no way to sign in', { domain: 'contoso.com' }, 'token must be a function of the origin'],
    [
      'one token for a domain, whose servers need one each',
      { domain: 'contoso.com', token: 'token' },
      'token must be a function of the origin',
    ],
    ['a way to sign in and no domain', { applications, signIn: windows() }, 'signIn must be left out'],
    ['a relative address', { applications: '/ucwa' }, 'applications must be an absolute'],
    [
      'an address with a password',
      { application: 'https://a:b@contoso.com/' },
      'application must be an absolute',
    ],
    ['a token with a line break', { applications, token: 'a\nb' }, 'token must be visible ASCII'],
    ['an empty culture', { applications, culture: '' }, 'culture must be a text of 1 to 100 characters'],
    ['a long userAgent', { applications, userAgent: 'x'.repeat(101) }, 'userAgent must be'],
    ['an endpointId that is no text', { applications, endpointId: 7 }, 'endpointId must be'],
    [
      'a culture that is no language',
      { applications, culture: 'en_us' },
      "culture must be a language such as 'en-us'",
    ],
    ['a long instanceId', { applications, instanceId: 'x'.repeat(101) }, 'instanceId must be'],
    ['a long endpointId', { applications, endpointId: 'x'.repeat(101) }, 'endpointId must be'],
    ['a culture with a header', { applications, culture: 'en-us\r\nx: y' }, 'culture must be a text'],
    ['a userAgent with a header', { applications, userAgent: 'a\r\nx: y' }, 'userAgent must be'],
    ['an endpointId with a line break', { applications, endpointId: 'a\nb' }, 'endpointId must be'],
    ['an instanceId with a null', { applications, instanceId: 'a\0' }, 'instanceId must be'],
    ['an empty instanceId', { applications, instanceId: '' }, 'instanceId must be'],
    [
      'a negative grace time',
      { applications, graceSeconds: -1 },
      'graceSeconds must be a number from 0 to 900',
    ],
    [
      'a low interval that is too short',
      { applications, channel: { lowSeconds: 4 } },
      'channel.lowSeconds must be a whole number from 5 to 1800',
    ],
    [
      'a medium interval that is too long',
      { applications, channel: { mediumSeconds: 1801 } },
      'channel.mediumSeconds must be',
    ],
    [
      'a timeout that is too short',
      { applications, channel: { timeoutSeconds: 179 } },
      'channel.timeoutSeconds must be',
    ],
    ['a negative priority', { applications, channel: { priority: -1 } }, 'channel.priority must be'],
    [
      'an unknown acknowledgement',
      { applications, channel: { ack: 'never' } },
      'channel.ack must be one of "eager", "processed"',
    ],
    ['a batch that is no object', { applications, batch: true }, 'batch must be'],
    ['a batch without parts', { applications, batch: { maxParts: 0 } }, 'maxParts must be a whole number'],
    ['a bad retry policy', { applications, retry: { retries: -1 } }, 'retry.retries must be'],
    [
      'a transport and a fetch',
      { applications, transport: () => of(), fetch: () => undefined },
      'fetch must be left out',
    ],
  ];
  for (const [name, options, message] of bad) {
    it(`should throw for ${name}`, () => {
      expect(() => connect(options as ConnectOptions)).to.throw(TypeError, message);
    });
  }

  it('should never show a token that cannot be used', () => {
    expect(() => connect({ applications, token: 'se cret' }))
      .to.throw(TypeError)
      .with.property('message')
      .that.does.not.contain('se cret');
  });

  it('should go through any fetch', async () => {
    const urls: string[] = [];
    const ucwa = connect({
      applications,
      token: 'token',
      fetch: (url) => {
        urls.push(url);
        return Promise.resolve(new Response('{"code":"Forbidden"}', { status: 403 }));
      },
    });
    const error = await new Promise((resolve) => ucwa.events$.subscribe({ error: resolve }));
    expect(error).to.be.instanceOf(HttpError);
    expect(urls).to.deep.equal([applications]);
  });

  it('should leave requests unsigned where there is no token', () => {
    const seen: unknown[] = [];
    const transport: Transport = ({ url, headers }) => {
      seen.push(headers?.['authorization']);
      return of({ status: 403, url, headers: headersFrom({}), body$: of() });
    };
    record(connect({ applications, transport }).events$);
    expect(seen).to.deep.equal([undefined]);
  });

  describe('asks the token provider', () => {
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
      it(`should renew the token once for all after ${name}, and lose no event`, async () => {
        const asked: string[] = [];
        const { ucwa, server } = connected(
          {},
          {
            token: (origin: string) => {
              asked.push(origin);
              return of(`token${asked.length}`);
            },
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

    it('should give up where the new token is refused, too', async () => {
      const { ucwa, server } = connected({ token: 'good' }, { token: () => of('bad') });
      const kept = record(ucwa.events$);
      expect((kept.error as Error).message).to.contain('the token was refused');
      expect(server.requests).to.have.length(2);
      await ucwa.close();
    });
  });

  describe('get', () => {
    it('should bring what a link leads to', async () => {
      const { ucwa, server } = connected();
      record(ucwa.events$);
      server.setPresence('sip:sara@contoso.com', { availability: 'Busy' });
      const href = '/ucwa/oauth/v1/applications/101/people/sara@contoso.com/presence';
      expect(got(ucwa, href)).to.deep.include({ rel: 'contactPresence', availability: 'Busy' });
      await ucwa.close();
    });

    it('should error where the server refuses', () => {
      expect(got(connected().ucwa, '/nowhere')).to.be.instanceOf(HttpError);
    });

    it('should error for what is no link', () => {
      expect(got(connected().ucwa, 'http://[')).to.be.instanceOf(DecodeError);
    });

    it('should send nothing to another server', () => {
      const { ucwa, sent } = connected();
      expect(got(ucwa, 'https://evil.example/presence')).to.be.instanceOf(OriginError);
      expect(sent()).to.deep.equal([]);
    });

    it('should refuse a connection that is closed', async () => {
      const { ucwa } = connected();
      await ucwa.close();
      expect(got(ucwa, '/me')).to.be.instanceOf(ClosedError);
    });
  });

  describe('close', () => {
    it('should complete all streams, leave the server clean, and refuse new subscribers', async () => {
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
