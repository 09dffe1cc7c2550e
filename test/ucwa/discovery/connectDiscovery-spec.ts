import { expect } from 'chai';
import { mergeMap, of, retry, throwError, timer } from 'rxjs';
import { HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import { ucwaDiscovery, type UcwaDiscoverySimulator } from '../../../lib/testing/ucwa/discovery/discovery.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { password } from '../../../lib/ucwa/auth/signIn.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../../lib/ucwa/session/session.ts';
import type { UcwaOptions } from '../../../lib/ucwa/options.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { DiscoveryError, SignInError } from '../../../lib/ucwa/protocol/errors.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { record } from '../connected.ts';
import { discovered } from '../../../lib/ucwa/discovery/discovered.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { batching } from '../../../lib/ucwa/batch/batched.ts';

const ROOT = '/ucwa/oauth/v1/applications';
const uris = ['sip:sara@contoso.com'];
const signIn = password({ username: 'sara@contoso.com', password: 'hush' });

interface Company {
  readonly ucwa: Ucwa;
  readonly pools: readonly [UcwaSimulator, UcwaSimulator];
  readonly hosts: readonly [UcwaDiscoverySimulator, UcwaDiscoverySimulator];
  /** Requests in short: those to pools with their host. */
  readonly sent: string[];
  /** Moves the user to this pool. */
  readonly move: (pool: 0 | 1) => void;
  /** Returns the number of searches. */
  readonly searches: () => number;
  /** Replaces the responses until it is set to undefined. */
  fault: ((request: HttpRequest) => ReturnType<Transport> | undefined) | undefined;
}

/** A company with two pools, pool1 and pool2; the user is on the first. */
const company = (options: Partial<UcwaOptions> = {}, latencyMs = 0): Company => {
  const pools = [1, 2].map((n) =>
    ucwaSimulator({ origin: `https://pool${n}.contoso.com`, mediumSeconds: 0 }),
  ) as unknown as Company['pools'];
  const hosts = pools.map((pool) =>
    ucwaDiscovery({
      ...{ applications: pool.url, pool: pool.transport, latencyMs },
      users: { 'sara@contoso.com': 'hush' },
    }),
  ) as unknown as Company['hosts'];
  const sent: string[] = [];
  let current: 0 | 1 = 0;
  const transport: Transport = (request) => {
    const { host, pathname } = new URL(request.url);
    sent.push(`${request.method} ${host.replace('.contoso.com', '')}${pathname.replace(ROOT, '')}`);
    const isPool = host.startsWith('pool');
    return (
      it.fault?.(request) ?? hosts[isPool ? (host.startsWith('pool1') ? 0 : 1) : current].transport(request)
    );
  };
  const it: Company = {
    ...{ pools, hosts, sent, fault: undefined },
    ucwa: connectUcwa({
      server: discovered('contoso.com'),
      auth: signIn,
      batch: batching(),
      transport,
      retry: { random: () => 0.5 },
      ...options,
    }),
    move: (pool) => (current = pool),
    searches: () => sent.filter((line) => line === 'GET lyncdiscover/').length,
  };
  return it;
};

const isEvents = ({ url }: HttpRequest): boolean => new URL(url).pathname.endsWith('/events');
const isAtPool = (n: 1 | 2, { url }: HttpRequest): boolean => new URL(url).host === `pool${n}.contoso.com`;
const answer = (request: HttpRequest, fault: Extract<Fault, { status: number }>): ReturnType<Transport> =>
  of({
    status: fault.status,
    url: request.url,
    headers: { get: () => undefined },
    body$: of(new TextEncoder().encode(fault.body ?? '')),
  });
const broken = (request: HttpRequest): ReturnType<Transport> =>
  throwError(() => new NetworkError('no answer', request, { code: 'ECONNREFUSED' }));

describe('connect to a domain', () => {
  it('sends nothing before subscription', () => {
    expect(company().sent).to.deep.equal([]);
  });

  it('finds the server once and signs in there', async () => {
    const { ucwa, pools, sent, searches } = company();
    const first = record(presence(ucwa, { uris }));
    expect(pools[0].presenceSubscriptions).to.have.length(1);
    first.subscription.unsubscribe();
    const { clean } = await ucwa.drain();
    expect(clean).to.equal(true);
    expect(pools[0].applications).to.have.length(0);
    record(presence(ucwa, { uris })).subscription.unsubscribe();
    await ucwa.drain();
    expect(searches()).to.equal(1);
    expect(sent.filter((line) => line === 'POST pool1')).to.have.length(2);
    expect(sent.at(-1)).to.equal('DELETE pool1/102');
  });

  it('requests a token per origin and sends it only there', () => {
    const asked: string[] = [];
    const seen = new Set<string>();
    const token = (origin: string): string => {
      asked.push(origin);
      return `for-${new URL(origin).hostname}`;
    };
    const pool = ucwaSimulator({ origin: 'https://pool1.contoso.com' });
    const transport: Transport = (request) => {
      const { host, pathname } = new URL(request.url);
      const authorization = request.headers?.['authorization'];
      if (authorization !== undefined) seen.add(`${host} ${authorization}`);
      if (isAtPool(1, request)) return pool.transport(request);
      if (host === 'lyncdiscoverinternal.contoso.com') return broken(request);
      const links = pathname === '/' ? { user: { href: '/user' } } : { applications: { href: pool.url } };
      return answer(request, { status: 200, body: JSON.stringify({ _links: links }) });
    };
    const ucwa = connectUcwa({
      server: discovered('contoso.com'),
      auth: bearer((origin) => of(token(origin))),
      transport,
    });
    record(presence(ucwa, { uris })).subscription.unsubscribe();
    expect(asked).to.deep.equal(['https://lyncdiscover.contoso.com', 'https://pool1.contoso.com']);
    expect([...seen]).to.deep.equal([
      'lyncdiscover.contoso.com Bearer for-lyncdiscover.contoso.com',
      'pool1.contoso.com Bearer for-pool1.contoso.com',
    ]);
  });

  it('sends nothing to an origin except the found one', () => {
    const { ucwa, sent } = company();
    const kept = record(ucwa.events$);
    const before = sent.length;
    let error: unknown;
    ucwa.get({ href: 'https://pool2.contoso.com/ucwa' }).subscribe({ error: (e: unknown) => (error = e) });
    expect(error).to.be.instanceOf(OriginError);
    expect(sent).to.have.length(before);
    kept.subscription.unsubscribe();
  });

  it('finds the server for a single link', () => {
    const { ucwa, sent } = company();
    let error: unknown;
    ucwa.get({ href: '/ucwa/nothing' }).subscribe({ error: (e: unknown) => (error = e) });
    expect(error).to.be.instanceOf(HttpError).with.property('status', 404);
    expect(sent.at(-1)).to.equal('GET pool1/ucwa/nothing');
  });

  it('errors when the sign-in is refused, and sends the password once', () => {
    const { ucwa, sent } = company({
      auth: password({ username: 'sara@contoso.com', password: 'wrong' }),
    });
    const kept = record(ucwa.events$);
    expect(kept.error).to.be.instanceOf(SignInError);
    expect(sent.filter((line) => line.startsWith('POST'))).to.have.length(1);
  });

  it('sends nothing after an unsubscription during the search', () => {
    const { ucwa, pools, sent } = company({}, 100);
    inVirtualTime(() => {
      const kept = record(ucwa.events$);
      timer(150).subscribe(() => kept.subscription.unsubscribe());
    });
    expect(sent.filter((line) => line.includes('pool'))).to.deep.equal([]);
    expect(pools[0].requests).to.have.length(0);
  });

  describe('whose hosts do not respond', () => {
    it('retries as often as the policy allows before the first connection', () => {
      const it = company({ retry: { retries: 2, random: () => 0.5 } });
      it.fault = broken;
      const kept = inVirtualTime(() => record(it.ucwa.events$));
      expect(kept.error).to.be.instanceOf(DiscoveryError).with.property('isTransient', true);
      expect(it.searches()).to.equal(3);
    });

    it('continues when they come back in time', () => {
      const it = company();
      it.fault = broken;
      inVirtualTime(() => {
        const kept = record(presence(it.ucwa, { uris }));
        it.fault = undefined;
        timer(60_000).subscribe(() => {
          expect(it.pools[0].presenceSubscriptions).to.have.length(1);
          kept.subscription.unsubscribe();
        });
      });
      expect(it.searches()).to.equal(2);
    });

    it('does not retry if none of them has UCWA', () => {
      const it = company();
      it.fault = (request) => answer(request, { status: 404 });
      const kept = record(it.ucwa.events$);
      expect(kept.error).to.be.instanceOf(DiscoveryError).with.property('isTransient', false);
      expect(it.searches()).to.equal(1);
    });

    it('retries without end after the first connection', () => {
      const it = company();
      inVirtualTime(() => {
        const kept = record(presence(it.ucwa, { uris }));
        it.fault = broken;
        it.pools[0].restart();
        timer(3_600_000).subscribe(() => (it.fault = undefined));
        timer(3_700_000).subscribe(() => {
          expect(kept.error).to.equal(undefined);
          expect(it.pools[0].presenceSubscriptions).to.have.length(1);
          kept.subscription.unsubscribe();
        });
      });
      expect(it.searches()).to.be.greaterThan(1);
      expect(it.pools[0].applications).to.have.length(0);
    });
  });

  it('does not treat a sign-in response 404 as a successful release', () => {
    const it = company();
    const recorded: string[] = [];
    it.ucwa.releases.outcomes$.subscribe(({ resource, outcome }) => recorded.push(`${resource} ${outcome}`));
    inVirtualTime(() => {
      const kept = record(presence(it.ucwa, { uris }));
      it.hosts[0].revokeTokens();
      it.fault = (request) =>
        request.url.endsWith('/oauthtoken') ? answer(request, { status: 404 }) : undefined;
      kept.subscription.unsubscribe();
      timer(10_000).subscribe(() => (it.fault = undefined));
    });
    expect(recorded).to.deep.equal(['presenceSubscription Released', 'application Released']);
    expect(it.pools[0].presenceSubscriptions).to.deep.equal([]);
  });

  describe('whose user has moved to another pool', () => {
    const refusals: readonly (readonly [string, (request: HttpRequest) => ReturnType<Transport>, number])[] =
      [
        ['403', (request) => answer(request, { status: 403 }), 1],
        ['502', (request) => answer(request, { status: 502 }), 1],
        // The first failure is that of the pending request.
        ['the third failure to reach the old one', broken, 2],
      ];
    for (const [name, refusal, requests] of refusals) {
      it(`follows after ${name} with all subscriptions`, async () => {
        const it = company();
        inVirtualTime(() => {
          const kept = record(presence(it.ucwa, { uris }));
          it.move(1);
          it.fault = (request) => (isAtPool(1, request) ? refusal(request) : undefined);
          const before = it.sent.length;
          it.pools[0].restart();
          timer(60_000).subscribe(() => {
            expect(it.sent.slice(before).filter((line) => line.includes('pool1'))).to.have.length(requests);
            expect(kept.error).to.equal(undefined);
            expect(kept.values.filter((value) => value.startsWith('gap'))).to.deep.equal(['gap application']);
            expect(it.pools[1].presenceSubscriptions.map((one) => one.uris)).to.deep.equal([uris]);
            kept.subscription.unsubscribe();
          });
        });
        await it.ucwa.drain();
        expect(it.searches()).to.equal(2);
        expect(it.pools[1].applications).to.have.length(0);
      });
    }

    it('stays on the current pool of the user', () => {
      const it = company();
      inVirtualTime(() => {
        const kept = record(presence(it.ucwa, { uris }));
        it.fault = (request) => (isEvents(request) ? answer(request, { status: 502 }) : undefined);
        it.ucwa.setChannelParameters({ mediumSeconds: 5 });
        timer(20_000).subscribe(() => (it.fault = undefined));
        timer(60_000).subscribe(() => {
          it.pools[0].setPresence(uris[0]!, { availability: 'Busy' });
        });
        timer(70_000).subscribe(() => {
          expect(kept.values.filter((value) => value.startsWith('gap'))).to.deep.equal([]);
          expect(kept.values.at(-1)).to.equal('updated contactPresence');
          kept.subscription.unsubscribe();
        });
      });
      expect(it.searches()).to.be.greaterThan(1);
      expect(it.sent.filter((line) => line === 'POST pool1')).to.have.length(1);
    });

    it('errors with a 403 from the current pool of the user', () => {
      const it = company();
      const kept = inVirtualTime(() => {
        const watching = record(presence(it.ucwa, { uris }));
        it.fault = (request) => (isEvents(request) ? answer(request, { status: 403 }) : undefined);
        it.ucwa.setChannelParameters({ mediumSeconds: 5 });
        return watching;
      });
      expect(kept.error).to.be.instanceOf(HttpError).with.property('status', 403);
      expect(it.searches()).to.equal(2);
      expect(it.pools[0].applications).to.have.length(0);
    });

    it('retries while discovery is unavailable', () => {
      const it = company();
      inVirtualTime(() => {
        const kept = record(presence(it.ucwa, { uris }));
        it.move(1);
        it.fault = (request) =>
          isAtPool(1, request) ? answer(request, { status: 403 }) : answer(request, { status: 503 });
        it.pools[0].restart();
        timer(600_000).subscribe(() => {
          expect(kept.error).to.equal(undefined);
          it.fault = (request) => (isAtPool(1, request) ? answer(request, { status: 403 }) : undefined);
        });
        timer(700_000).subscribe(() => {
          expect(it.pools[1].presenceSubscriptions).to.have.length(1);
          kept.subscription.unsubscribe();
        });
      });
      expect(it.pools[1].applications).to.have.length(0);
    });

    it('serves later subscribers from the new pool', () => {
      const it = company();
      record(it.ucwa.events$).subscription.unsubscribe();
      it.move(1);
      it.fault = (request) => (isAtPool(1, request) ? answer(request, { status: 403 }) : undefined);
      const kept = record(presence(it.ucwa, { uris }));
      expect(it.pools[1].presenceSubscriptions).to.have.length(1);
      kept.subscription.unsubscribe();
      expect(it.searches()).to.equal(2);
    });

    for (const [name, refusal] of [
      ['refuses', (request: HttpRequest) => answer(request, { status: 502 })],
      ['is down', broken],
    ] as const) {
      it(`serves new subscribers while the old pool, with pending releases, ${name}`, () => {
        const it = company({}, 20);
        inVirtualTime(() => {
          const first = record(presence(it.ucwa, { uris }));
          timer(1000).subscribe(() => {
            it.move(1);
            it.pools[0].restart();
            it.fault = (request) =>
              isAtPool(1, request) ? timer(20).pipe(mergeMap(() => refusal(request))) : undefined;
            first.subscription.unsubscribe();
            const second = record(
              presence(it.ucwa, { uris: ['sip:bob@contoso.com'] }).pipe(retry({ count: 3, delay: 1000 })),
            );
            timer(60_000).subscribe(() => {
              expect(second.error).to.equal(undefined);
              expect(it.pools[1].presenceSubscriptions).to.have.length(1);
              second.subscription.unsubscribe();
            });
          });
        });
        expect(it.searches()).to.equal(2);
        expect(it.pools[1].applications).to.have.length(0);
      });
    }

    it('reports resources of the old pool as ended and sends nothing there', () => {
      const it = company();
      const recorded: string[] = [];
      it.ucwa.releases.outcomes$.subscribe(({ resource, outcome }) =>
        recorded.push(`${resource} ${outcome}`),
      );
      inVirtualTime(() => {
        const kept = record(presence(it.ucwa, { uris }));
        it.move(1);
        it.fault = (request) => (isAtPool(1, request) ? answer(request, { status: 502 }) : undefined);
        it.pools[0].restart();
        timer(60_000).subscribe(() => kept.subscription.unsubscribe());
      });
      expect(it.sent.filter((line) => line.startsWith('DELETE pool1'))).to.deep.equal([]);
      expect(recorded).to.deep.equal([
        'application EndedByServer',
        'presenceSubscription EndedByServer',
        'presenceSubscription Released',
        'application Released',
      ]);
    });
  });
});
