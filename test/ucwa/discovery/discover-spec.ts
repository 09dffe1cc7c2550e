import { expect } from 'chai';
import { asyncScheduler, mergeMap, type Observable, of, Subject, takeUntil, throwError, timer } from 'rxjs';
import { DecodeError, HttpError, NetworkError } from '../../../lib/core/errors.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../lib/core/transport/transport.ts';
import { ucwaDiscovery, type UcwaDiscoveryOptions } from '../../../lib/testing/ucwa/discovery/discovery.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { anonymousMeeting, password, windows } from '../../../lib/ucwa/auth/signIn.ts';
import type { SignIn } from '../../../lib/ucwa/auth/signer.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import type { Discovery } from '../../../lib/ucwa/discovery/location.ts';
import { discover, type DiscoverOptions } from './discover.ts';
import { DiscoveryError, SignInError, UntrustedLinkError } from '../../../lib/ucwa/protocol/errors.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

const sara = password({ username: 'sara@contoso.com', password: 'hush' });
const WEB = 'https://lyncweb.contoso.com';
const USER = `${WEB}/Autodiscover/AutodiscoverService.svc/root/oauth/user`;
const TOKEN = `${WEB}/WebTicket/oauthtoken`;
const APPLICATIONS = `${WEB}/ucwa/oauth/v1/applications`;
const EXTERNAL = 'https://lyncdiscover.contoso.com/';
const INTERNAL = 'https://lyncdiscoverinternal.contoso.com/';

/** Records each request with its token. */
const watched = (transport: Transport): { transport: Transport; sent: string[] } => {
  const sent: string[] = [];
  return {
    sent,
    transport: (request) => {
      const authorization = request.headers?.['authorization'];
      sent.push(`${request.method} ${request.url}${authorization === undefined ? '' : ` ${authorization}`}`);
      return transport(request);
    },
  };
};

const setUp = (
  simulated: UcwaDiscoveryOptions = {},
  options: Partial<DiscoverOptions> = {},
): { hosts: ReturnType<typeof ucwaDiscovery>; sent: string[]; discovery: Discovery } => {
  const hosts = ucwaDiscovery(simulated);
  const { transport, sent } = watched(hosts.transport);
  const discovery = discover({
    domain: 'contoso.com',
    auth: sara,
    transport,
    ...options,
  });
  return { hosts, sent, discovery };
};

/** Returns the result of a synchronous Observable. */
const outcomeOf = (source: Observable<unknown>): unknown => {
  const outcomes: unknown[] = [];
  let completed = false;
  source.subscribe({
    next: (value) => outcomes.push(value),
    error: (error: unknown) => outcomes.push(error),
    complete: () => (completed = true),
  });
  expect(outcomes).to.have.length(1);
  expect(completed).to.equal(!(outcomes[0] instanceof Error));
  return outcomes[0];
};

/** Returns links by URL; every other URL has no host. */
const linked =
  (answers: Readonly<Record<string, object | HttpResponse>>): Transport =>
  (request: HttpRequest) => {
    const answer = answers[request.url];
    if (answer === undefined)
      return throwError(() => new NetworkError('no answer', request, { code: 'ENOTFOUND' }));
    if ('status' in answer) return of({ ...answer, url: request.url } as HttpResponse);
    return of({ ...response(200, { body: [JSON.stringify({ _links: answer })] }), url: request.url });
  };

describe('discover', () => {
  it('sends nothing before subscription', () => {
    const { sent } = setUp();
    expect(sent).to.deep.equal([]);
  });

  it('follows the documented steps from the domain to the applications', () => {
    const { sent, discovery } = setUp();
    expect(outcomeOf(discovery.location$)).to.deep.equal({
      applications: APPLICATIONS,
      origin: WEB,
      user: USER,
      xframe: `${WEB}/Autodiscover/XFrame/XFrame.html`,
    });
    expect(sent).to.deep.equal([
      `GET ${INTERNAL}`,
      `GET ${EXTERNAL}`,
      `GET ${USER}`,
      `POST ${TOKEN}`,
      `GET ${USER} Bearer cwt=AAEB0001`,
    ]);
  });

  it('requests the internal host first, and no other if it responds', () => {
    const { sent, discovery } = setUp({ internal: true });
    outcomeOf(discovery.location$);
    expect(sent[0]).to.equal(`GET ${INTERNAL}`);
    expect(sent).not.to.include(`GET ${EXTERNAL}`);
  });

  it('follows a challenge with an unquoted href', () => {
    const { sent, discovery } = setUp({ href: 'bare' });
    outcomeOf(discovery.location$);
    expect(sent).to.include(`POST ${TOKEN}`);
  });

  describe('requests the next host', () => {
    const good = { user: { href: USER } };
    for (const [name, first, expected] of [
      ['after a 404', response(404), HttpError],
      [
        'after a page',
        response(200, { headers: { 'content-type': 'text/html' }, body: ['<html>'] }),
        NetworkError,
      ],
      ['after an answer without links', response(200, { body: ['{}'] }), DecodeError],
      [
        'after a redirect out of the domain',
        response(302, { headers: { location: 'https://evil.example/' } }),
        UntrustedLinkError,
      ],
      ['after a link out of the domain', { redirect: { href: 'https://evil.example/' } }, UntrustedLinkError],
      ['after a user out of the domain', { user: { href: 'https://evil.example/' } }, UntrustedLinkError],
      ['after a user that is a script', { user: { href: 'javascript:alert(1)' } }, UntrustedLinkError],
      ['after an empty link', { user: { href: '' } }, DecodeError],
    ] as const) {
      it(name, () => {
        const hosts = ucwaDiscovery();
        const roots = linked({ [INTERNAL]: first, [EXTERNAL]: good });
        const { transport, sent } = watched((request) =>
          request.url.startsWith(WEB) ? hosts.transport(request) : roots(request),
        );
        const options = { domain: 'contoso.com', auth: sara, transport };
        expect(outcomeOf(discover(options).location$)).to.include({ applications: APPLICATIONS });
        expect(sent.filter((line) => line.includes('evil'))).to.deep.equal([]);

        const failing = discover({ ...options, transport: linked({ [INTERNAL]: first }) });
        const error = outcomeOf(failing.location$);
        expect(error).to.be.instanceOf(DiscoveryError);
        expect((error as DiscoveryError).failures[0]?.cause).to.be.instanceOf(expected);
      });
    }

    it('after ten seconds without an answer', () => {
      const hosts = ucwaDiscovery();
      const times: number[] = [];
      inVirtualTime(({ cold }) => {
        const silent = cold<never>('-');
        const { location$ } = discover({
          domain: 'contoso.com',
          auth: sara,
          transport: (request) => (request.url === INTERNAL ? silent : hosts.transport(request)),
        });
        location$.subscribe();
        timer(10_000).subscribe(() => times.push(hosts.tokens.length));
        timer(9_999).subscribe(() => times.push(hosts.tokens.length));
      });
      expect(times).to.deep.equal([0, 1]);
    });
  });

  it('names every host in the error if none leads to UCWA', () => {
    const { discovery } = setUp({ domain: 'fabrikam.com' });
    const error = outcomeOf(discovery.location$);
    expect(error).to.be.instanceOf(DiscoveryError).and.include({ domain: 'contoso.com', isTransient: true });
    expect((error as DiscoveryError).failures.map(({ url }) => url)).to.deep.equal([INTERNAL, EXTERNAL]);
  });

  it('requests no other host after a failed sign-in', () => {
    const { sent, discovery } = setUp({ internal: true, users: { 'sara@contoso.com': 'other' } });
    const error = outcomeOf(discovery.location$);
    expect(error).to.be.instanceOf(SignInError).and.include({ code: 'invalid_grant' });
    expect((error as Error).message).not.to.include('hush');
    expect(sent).not.to.include(`GET ${EXTERNAL}`);
  });

  it('does not resend a wrong password until forget', () => {
    const { sent, discovery } = setUp({ users: { 'sara@contoso.com': 'other' } });
    outcomeOf(discovery.location$);
    outcomeOf(discovery.location$);
    expect(sent.filter((line) => line.startsWith('POST'))).to.have.length(1);
    discovery.forget();
    outcomeOf(discovery.location$);
    expect(sent.filter((line) => line.startsWith('POST'))).to.have.length(2);
  });

  describe('follows redirects', () => {
    const ELSEWHERE = 'https://webdir.online.lync.com/Autodiscover/AutodiscoverService.svc/root';

    it('to a host that the caller allows, and signs in there', () => {
      const { sent, discovery } = setUp({ redirectTo: ELSEWHERE }, { allowRedirectTo: ['lync.com'] });
      expect(outcomeOf(discovery.location$)).to.include({ origin: 'https://webdir.online.lync.com' });
      expect(sent.filter((line) => line.startsWith('POST'))).to.deep.equal([
        'POST https://webdir.online.lync.com/WebTicket/oauthtoken',
      ]);
    });

    it('to no other', () => {
      const { sent, discovery } = setUp({ redirectTo: ELSEWHERE });
      const error = outcomeOf(discovery.location$);
      expect(error).to.be.instanceOf(DiscoveryError);
      expect((error as Error).message).to.include('name it in allowRedirectTo');
      expect(sent.filter((line) => line.includes('lync.com'))).to.deep.equal([]);
    });

    it('at most five', () => {
      const requests: string[] = [];
      const { location$ } = discover({
        domain: 'contoso.com',
        auth: sara,
        urls: [EXTERNAL],
        transport: (request) => {
          requests.push(request.url);
          const body = [JSON.stringify({ _links: { redirect: { href: `/${requests.length}` } } })];
          return of({ ...response(200, { body }), url: request.url });
        },
      });
      const error = outcomeOf(location$) as DiscoveryError;
      expect(error.cause).to.be.instanceOf(DecodeError);
      expect(error.message).to.include('one redirect after another');
      expect(requests).to.have.length(6);
    });

    it('of a user on another server, and signs in there again', () => {
      const homes: Transport = linked({
        [EXTERNAL]: { user: { href: 'https://a.contoso.com/user' } },
        'https://b.contoso.com/root': { user: { href: '/user' } },
      });
      const users: Readonly<Record<string, object>> = {
        'https://a.contoso.com': { redirect: { href: 'https://b.contoso.com/root' } },
        'https://b.contoso.com': {
          applications: { href: '/ucwa/applications' },
          xframe: { href: 'https://evil.example/' },
        },
      };
      const { transport, sent } = watched((request) => {
        const { origin, pathname } = new URL(request.url);
        const answered = (body: object, status = 200, headers = {}): Observable<HttpResponse> =>
          of({ ...response(status, { headers, body: [JSON.stringify(body)] }), url: request.url });
        if (pathname === '/token') return answered({ access_token: `for-${origin.slice(8, 9)}` });
        if (pathname !== '/user') return homes(request);
        return request.headers?.['authorization'] === `Bearer for-${origin.slice(8, 9)}`
          ? answered({ _links: users[origin] })
          : answered({}, 401, { 'www-authenticate': `MsRtcOAuth href=${origin}/token` });
      });
      const { location$ } = discover({ domain: 'contoso.com', auth: sara, urls: [EXTERNAL], transport });
      expect(outcomeOf(location$)).to.deep.equal({
        applications: 'https://b.contoso.com/ucwa/applications',
        origin: 'https://b.contoso.com',
        user: 'https://b.contoso.com/user',
      });
      expect(sent).to.deep.equal([
        `GET ${EXTERNAL}`,
        'GET https://a.contoso.com/user',
        'POST https://a.contoso.com/token',
        'GET https://a.contoso.com/user Bearer for-a',
        'GET https://b.contoso.com/root',
        'GET https://b.contoso.com/user',
        'POST https://b.contoso.com/token',
        'GET https://b.contoso.com/user Bearer for-b',
      ]);
    });

    it('to a user link that requires a token itself', () => {
      const hosts = ucwaDiscovery();
      const { location$ } = discover({
        domain: 'contoso.com',
        auth: sara,
        urls: [USER],
        transport: hosts.transport,
      });
      expect(outcomeOf(location$)).to.include({ user: USER, applications: APPLICATIONS });
    });

    it('of HTTP with the token of the target origin', () => {
      const moved = 'https://b.contoso.com/user';
      const asked: string[] = [];
      const { transport, sent } = watched(
        linked({
          [EXTERNAL]: response(302, { headers: { location: '/root' } }),
          [`${EXTERNAL}root`]: { user: { href: USER }, xframe: { href: '/xframe' } },
          [USER]: response(307, { headers: { location: moved } }),
          [moved]: { applications: { href: '/ucwa' } },
        }),
      );
      const { location$ } = discover({
        domain: 'contoso.com',
        auth: bearer((origin: string) => {
          asked.push(origin);
          return of(`t${asked.length}`);
        }),
        urls: [EXTERNAL],
        transport,
      });
      expect(outcomeOf(location$)).to.deep.equal({
        applications: 'https://b.contoso.com/ucwa',
        origin: 'https://b.contoso.com',
        user: USER,
        xframe: `${EXTERNAL}xframe`,
      });
      expect(sent).to.deep.equal([
        `GET ${EXTERNAL}`,
        `GET ${EXTERNAL}root`,
        `GET ${USER} Bearer t1`,
        `GET ${moved} Bearer t2`,
      ]);
    });

    it('but prefers a link that comes with a redirect', () => {
      const hosts = ucwaDiscovery();
      const root = linked({ [EXTERNAL]: { redirect: { href: '/other' }, user: { href: USER } } });
      const { location$ } = discover({
        domain: 'contoso.com',
        auth: sara,
        urls: [EXTERNAL],
        transport: (request) => (request.url === EXTERNAL ? root : hosts.transport)(request),
      });
      expect(outcomeOf(location$)).to.include({ applications: APPLICATIONS });
    });
  });

  describe('when the user link is unusable', () => {
    for (const [name, links, expected] of [
      ['without applications', { self: { href: USER } }, DecodeError],
      [
        'with applications out of the domain',
        { applications: { href: 'https://evil.example/' } },
        UntrustedLinkError,
      ],
      [
        'with applications by http',
        { applications: { href: 'http://lyncweb.contoso.com/' } },
        UntrustedLinkError,
      ],
    ] as const) {
      it(`errors: ${name}`, () => {
        const { location$ } = discover({
          domain: 'contoso.com',
          auth: bearer(() => of('a')),
          urls: [EXTERNAL],
          transport: linked({ [EXTERNAL]: { user: { href: USER } }, [USER]: links }),
        });
        expect(outcomeOf(location$)).to.be.instanceOf(expected);
      });
    }

    it('errors with the refusal of the server', () => {
      const { location$ } = discover({
        domain: 'contoso.com',
        auth: bearer(() => of('a')),
        urls: [EXTERNAL],
        transport: linked({
          [EXTERNAL]: { user: { href: USER } },
          [USER]: response(403, { body: ['{"code":"Forbidden","subcode":"None"}'] }),
        }),
      });
      expect(outcomeOf(location$))
        .to.be.instanceOf(HttpError)
        .and.include({ status: 403, code: 'Forbidden' });
    });
  });

  describe('with a token provider', () => {
    it('requests a token per origin and sends none to discovery hosts', () => {
      const asked: string[] = [];
      const { transport, sent } = watched(
        linked({
          [EXTERNAL]: { user: { href: USER } },
          [USER]: { applications: { href: 'https://pool.contoso.com/ucwa' } },
        }),
      );
      const discovery = discover({
        domain: 'contoso.com',
        auth: bearer((origin: string) => {
          asked.push(origin);
          return of(`t${asked.length}`);
        }),
        urls: [EXTERNAL],
        transport,
      });
      expect(outcomeOf(discovery.location$)).to.include({ origin: 'https://pool.contoso.com' });
      discovery
        .signed(transport)({ method: 'GET', url: 'https://pool.contoso.com/ucwa' })
        .subscribe({ error: () => undefined });
      expect(asked).to.deep.equal([WEB, 'https://pool.contoso.com']);
      expect(sent).to.deep.equal([
        `GET ${EXTERNAL}`,
        `GET ${USER} Bearer t1`,
        'GET https://pool.contoso.com/ucwa Bearer t2',
      ]);
    });

    it('sends a string token only to the servers that need one', () => {
      const { transport, sent } = watched(
        linked({
          [EXTERNAL]: { user: { href: USER } },
          [USER]: { applications: { href: 'https://pool.contoso.com/ucwa' } },
        }),
      );
      const { location$ } = discover({
        ...{ domain: 'contoso.com', auth: bearer('hush'), urls: [EXTERNAL], transport },
      });
      outcomeOf(location$);
      expect(sent).to.deep.equal([`GET ${EXTERNAL}`, `GET ${USER} Bearer hush`]);
    });

    it('requests no additional tokens after forget', () => {
      let asked = 0;
      const { discovery } = setUp(
        {},
        {
          auth: bearer(() => {
            asked += 1;
            return of('a');
          }),
          transport: linked({
            [EXTERNAL]: { user: { href: USER } },
            [USER]: { applications: { href: APPLICATIONS } },
          }),
        },
      );
      outcomeOf(discovery.location$);
      discovery.forget();
      outcomeOf(discovery.location$);
      expect(asked).to.equal(1);
    });

    it('errors with the error of the provider', () => {
      const { discovery } = setUp({}, { auth: bearer(() => throwError(() => new Error('no session'))) });
      expect(outcomeOf(discovery.location$)).to.have.property('message', 'no session');
    });
  });

  describe('signs requests', () => {
    const get = (url: string): HttpRequest => ({ method: 'GET', url });

    it('with the token that discovery needed', () => {
      const { hosts, sent, discovery } = setUp();
      outcomeOf(discovery.location$);
      const before = sent.length;
      outcomeOf(discovery.signed(watchedBy(sent, hosts.transport))(get(APPLICATIONS)));
      expect(sent.slice(before)).to.deep.equal([`GET ${APPLICATIONS} Bearer cwt=AAEB0001`]);
    });

    it('to a pool of another origin with a token of that origin', () => {
      const applications = 'https://pool.contoso.com/ucwa/oauth/v1/applications';
      const { hosts, sent, discovery } = setUp({ applications });
      outcomeOf(discovery.location$);
      const before = sent.length;
      outcomeOf(discovery.signed(watchedBy(sent, hosts.transport))(get(applications)));
      expect(sent.slice(before)).to.deep.equal([
        `GET ${applications}`,
        'POST https://pool.contoso.com/WebTicket/oauthtoken',
        `GET ${applications} Bearer cwt=AAEB0002`,
      ]);
    });

    it('to no origin except the found ones', () => {
      const { hosts, sent, discovery } = setUp();
      outcomeOf(discovery.location$);
      const before = sent.length;
      const error = outcomeOf(discovery.signed(hosts.transport)(get('https://other.contoso.com/')));
      expect(error).to.have.property('name', 'OriginError');
      expect(sent).to.have.length(before);
    });

    it('with a new token, requested once, when the server refuses the old', () => {
      const { hosts, discovery } = setUp({ latencyMs: 10 });
      const statuses: number[] = [];
      inVirtualTime(() => {
        discovery.location$.subscribe(() => {
          hosts.revokeTokens();
          for (let index = 0; index < 5; index += 1) {
            discovery
              .signed(hosts.transport)(get(APPLICATIONS))
              .subscribe(({ status }) => statuses.push(status));
          }
        });
      });
      expect(statuses).to.deep.equal([404, 404, 404, 404, 404]);
      expect(hosts.tokens).to.have.length(2);
    });

    it('with a new token when a 403 says InvalidToken', () => {
      const { hosts, sent, discovery } = setUp();
      outcomeOf(discovery.location$);
      hosts.failNext(1, { status: 403, body: '{"code":"Forbidden","subcode":"InvalidToken"}' });
      outcomeOf(discovery.signed(watchedBy(sent, hosts.transport))(get(APPLICATIONS)));
      expect(sent.at(-1)).to.equal(`GET ${APPLICATIONS} Bearer cwt=AAEB0002`);
    });

    it('with a new token before the old one ends', () => {
      const { hosts, discovery } = setUp();
      const statuses: number[] = [];
      inVirtualTime(() => {
        const transport = discovery.signed(hosts.transport);
        discovery.location$.subscribe();
        for (const seconds of [28_739, 28_740, 57_479, 57_480]) {
          timer(seconds * 1000).subscribe(() =>
            transport(get(APPLICATIONS)).subscribe(({ status }) => statuses.push(status)),
          );
        }
      });
      expect(statuses).to.deep.equal([404, 404, 404, 404]);
      expect(hosts.tokens.map(({ expiresAt }) => expiresAt / 1000)).to.deep.equal([28_800, 57_540, 86_280]);
      expect(hosts.requests.filter(({ status }) => status === 401)).to.have.length(1);
    });

    it('of a meeting with renewed tokens of the same identity', () => {
      const conferenceUri = 'sip:john@contoso.com;gruu;opaque=app:conf:focus:id:G03W98W4';
      const { hosts, discovery } = setUp({}, { auth: anonymousMeeting({ conferenceUri }) });
      inVirtualTime(() => {
        const transport = discovery.signed(hosts.transport);
        discovery.location$.subscribe();
        timer(3_550_000).subscribe(() => transport(get(APPLICATIONS)).subscribe());
      });
      expect(hosts.tokens.map(({ identity }) => identity)).to.deep.equal(['anonymous1', 'anonymous1']);
    });
  });

  describe('caches the location of UCWA', () => {
    it('for later subscribers', () => {
      const { sent, discovery } = setUp();
      const first = outcomeOf(discovery.location$);
      const before = sent.length;
      expect(outcomeOf(discovery.location$)).to.equal(first);
      expect(sent).to.have.length(before);
    });

    it('and shares one search between simultaneous subscribers', () => {
      const { hosts, discovery } = setUp({ latencyMs: 100 });
      const seen: unknown[] = [];
      inVirtualTime(() => {
        discovery.location$.subscribe((location) => seen.push(location));
        discovery.location$.subscribe((location) => seen.push(location));
      });
      expect(seen).to.have.length(2);
      expect(hosts.tokens).to.have.length(1);
    });

    it('until forget, and then reuses its tokens', () => {
      const { sent, hosts, discovery } = setUp();
      outcomeOf(discovery.location$);
      const before = sent.length;
      discovery.forget();
      outcomeOf(discovery.location$);
      expect(sent.slice(before)).to.deep.equal([
        `GET ${INTERNAL}`,
        `GET ${EXTERNAL}`,
        `GET ${USER} Bearer cwt=AAEB0001`,
      ]);
      expect(hosts.tokens).to.have.length(1);
    });

    it('but no failure', () => {
      const { hosts, discovery } = setUp();
      hosts.failNext(1, { status: 404 }, ({ url }) => url === EXTERNAL);
      expect(outcomeOf(discovery.location$)).to.be.instanceOf(DiscoveryError);
      expect(outcomeOf(discovery.location$)).to.include({ applications: APPLICATIONS });
    });

    it('and cancels the search when all unsubscribe', () => {
      const answer = new Subject<HttpResponse>();
      const { discovery } = setUp({}, { transport: () => answer });
      const one = discovery.location$.subscribe();
      const two = discovery.location$.subscribe();
      one.unsubscribe();
      expect(answer.observed).to.equal(true);
      two.unsubscribe();
      expect(answer.observed).to.equal(false);
    });
  });

  it('connects, renews the token, and leaves nothing on the server', () => {
    const pool = ucwaSimulator({ origin: WEB, mediumSeconds: 0 });
    const { hosts, discovery } = setUp({ pool: pool.transport, latencyMs: 10, tokenSeconds: 600 });
    const seen: string[] = [];
    inVirtualTime(() => {
      const watching = discovery.location$
        .pipe(
          mergeMap(({ applications }) =>
            presence(connectUcwa({ server: applications, transport: discovery.signed(hosts.transport) }), {
              uris: ['sip:lene@contoso.com'],
            }),
          ),
        )
        .subscribe(({ type, link }) => seen.push(`${type} ${link.rel}`));
      timer(1000).subscribe(() => pool.setPresence('sip:lene@contoso.com', { availability: 'Busy' }));
      timer(1_200_000).subscribe(() => {
        expect(pool.presenceSubscriptions).to.have.length(1);
        pool.setPresence('sip:lene@contoso.com', { availability: 'Away' });
      });
      timer(1_201_000).subscribe(() => watching.unsubscribe());
    });
    // The first event is the presence at the start of the subscription.
    expect(seen.filter((line) => line === 'updated contactPresence')).to.have.length(3);
    expect(pool.presenceSubscriptions).to.deep.equal([]);
    expect(pool.applications).to.deep.equal([]);
    expect(hosts.tokens.length).to.be.greaterThan(1);
    expect(hosts.requests.filter(({ status }) => status === 401)).to.have.length(1);
  });

  it('retries when the found server is busy', () => {
    const { hosts, discovery } = setUp({}, { retry: { random: () => 0.5 } });
    hosts.failNext(2, { status: 503 }, ({ url }) => url === USER);
    hosts.failNext(2, 'reset', ({ url }) => url === TOKEN);
    const seen: unknown[] = [];
    inVirtualTime(() => {
      discovery.location$.subscribe((location) => seen.push(location));
    });
    expect(seen).to.have.length(1);
  });

  describe('when a token endpoint stops responding', () => {
    const askedAt = (signIn: SignIn): number[] => {
      const hosts = ucwaDiscovery();
      const seconds: number[] = [];
      const transport: Transport = (request) => {
        if (request.url === TOKEN) seconds.push(asyncScheduler.now() / 1000);
        return hosts.transport(request);
      };
      hosts.failNext(1, { delayMs: 86_400_000 }, ({ url }) => url === TOKEN);
      inVirtualTime(() => {
        discover({
          domain: 'contoso.com',
          auth: signIn,
          transport,
          retry: { initialMs: 2000, random: () => 0.5 },
        })
          .location$.pipe(takeUntil(timer(3_600_000)))
          .subscribe();
      });
      return seconds;
    };

    it('retries once after two minutes', () => {
      expect(askedAt(sara)).to.deep.equal([0, 121]);
    });

    it('waits without a limit if the platform may prompt the user', () => {
      expect(askedAt(windows())).to.deep.equal([0]);
    });
  });

  describe('refuses', () => {
    const anything = (value: unknown): never => value as never;
    for (const [name, options, recorded] of [
      ['no domain', { domain: anything(undefined) }, 'domain must be'],
      ['a URL as domain', { domain: 'https://contoso.com' }, 'domain must be'],
      [
        'an auth that is none',
        { auth: anything({ password: 'hush' }) },
        "auth must be bearer(token) from 'rxchange'",
      ],
      ['an auth that is a secret', { auth: anything('hush') }, 'but it is a string'],
      ['no URL to begin with', { urls: [] }, 'urls must be a list of at least one URL'],
      ['a URL that is not in a list', { urls: anything('https://contoso.com/') }, 'urls must be a list'],
      ['a URL by http', { urls: ['http://lyncdiscover.contoso.com/'] }, 'urls[0] must be https'],
      [
        'an allowed host that is a URL',
        { allowRedirectTo: ['https://lync.com'] },
        'allowRedirectTo[0] must be',
      ],
      ['no time to answer', { timeoutSeconds: 0 }, 'timeoutSeconds must be'],
      ['a retry policy that cannot be used', { retry: { retries: -1 } }, 'retry.retries must be'],
    ] as const) {
      it(`${name}, before anything is sent`, () => {
        const transport: Transport = () => expect.fail('it was sent');
        const make = (): unknown =>
          discover({
            domain: 'contoso.com',
            auth: sara,
            transport,
            ...(options as Partial<DiscoverOptions>),
          });
        expect(make).to.throw(TypeError, recorded);
        expect(make).to.throw(TypeError, /^(?!.*hush)/);
      });
    }
  });
});

function watchedBy(sent: string[], transport: Transport): Transport {
  return (request) => {
    const one = watched(transport);
    const answer = one.transport(request);
    sent.push(...one.sent);
    return answer;
  };
}
