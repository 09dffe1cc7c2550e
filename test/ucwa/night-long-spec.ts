import { expect } from 'chai';
import fc from 'fast-check';
import {
  asyncScheduler,
  defer,
  interval,
  merge,
  mergeMap,
  Subject,
  Subscription,
  take,
  throwError,
  timer,
} from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import type { Transport } from '../../lib/core/transport/transport.ts';
import type { LoggedRequest } from '../../lib/testing/requestLog.ts';
import { ucwaDomain } from '../../lib/testing/ucwa/discovery/domain.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../lib/testing/ucwa/options.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../lib/ucwa/session/session.ts';
import type { UcwaEvent } from '../../lib/ucwa/protocol/events.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { presenceBoard } from '../../lib/ucwa/presence/presenceBoard.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A server, and a network in front of it that is sometimes unavailable. */
interface Connection {
  readonly server: UcwaSimulator;
  readonly ucwa: Ucwa;
  readonly outcomes: readonly ReleaseOutcome[];
  readonly unplug: (forMs: number) => void;
}

function connection(options: UcwaSimulatorOptions = {}): Connection {
  const server = ucwaSimulator({ mediumSeconds: 1, ...options });
  const { transport, unplug } = unreliable(server.transport);
  const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport });
  const outcomes: ReleaseOutcome[] = [];
  ucwa.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
  return {
    server,
    ucwa,
    outcomes,
    unplug,
  };
}

/** Returns a network that is sometimes unavailable, and breaks the pending requests then. */
function unreliable(server: Transport): Pick<Connection, 'unplug'> & { readonly transport: Transport } {
  const unplugged = new Subject<void>();
  let backAt = 0;
  return {
    transport: (request) => {
      const lost = throwError(() => new NetworkError('no answer', request, { code: 'ECONNRESET' }));
      return defer(() =>
        asyncScheduler.now() < backAt
          ? lost
          : merge(server(request), unplugged.pipe(mergeMap(() => lost))).pipe(take(1)),
      );
    },
    unplug: (forMs) => {
      backAt = Math.max(backAt, asyncScheduler.now() + forMs);
      unplugged.next();
    },
  };
}

/** Counts the requests by type, with the status if it is no success. */
function counted(requests: readonly LoggedRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { method, path, status = 0 } of requests) {
    const [, step = path] = /applications\/\d+(\/.*|$)/.exec(path) ?? [];
    const kind = step
      .replace(/\/p\d+@contoso.com/, '/CONTACT')
      .replace(/presenceSubscriptions\/\w+/, 'presenceSubscriptions/ID')
      .replace(/^\/events\?.*/, '/events')
      .replace(/\?.*/, (query) => (query.startsWith('?duration') ? '?duration' : ''));
    const key = `${method} ${kind}${status < 300 ? '' : ` ${status}`}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** The values that one subscriber got. */
interface Stream {
  recorded: number;
  error: unknown;
  readonly subscription: Subscription;
}

const people = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `sip:p${index}@contoso.com`);
const addressIn = ({ link }: UcwaEvent): string =>
  `sip:${/people\/([^/]+)\/presence/.exec(link.href)?.[1] ?? ''}`;

describe('presence through a night', () => {
  it('emits each change or a gap, with no more requests than needed', () => {
    const hosts = ucwaDomain({ mediumSeconds: 1, users: { 'lene@contoso.com': 's3cret' } });
    const { transport, unplug } = unreliable(hosts.transport);
    const ucwa = connectUcwa({
      ...{ server: discovered('contoso.com'), transport, retry: { random: () => 0.5 } },
      auth: password({ username: 'lene@contoso.com', password: 's3cret' }),
    });
    const outcomes: ReleaseOutcome[] = [];
    ucwa.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    const uris = people(200);
    const now = new Map(uris.map((uri) => [uri, 'Offline']));
    /** The contacts that changed since the board last got their state. A gap covers all. */
    const untold = new Set<string>();
    const gaps: unknown[] = [];
    let changes = 0;
    let board: ReadonlyMap<string, { readonly availability?: string | undefined }> = new Map();
    inVirtualTime(() => {
      const watching = new Subscription();
      watching.add(
        ucwa.events$.subscribe((event) => {
          if (event.type === 'gap') gaps.push(event.reason);
          else if (event.link.rel === 'contactPresence') untold.delete(addressIn(event));
        }),
      );
      watching.add(presenceBoard(ucwa, uris, { details: [] }).subscribe((states) => (board = states)));
      const changing = interval(97_000).subscribe(() => {
        changes += 1;
        const uri = uris[(changes * 37) % uris.length]!;
        const availability = ['Online', 'Busy', 'Away'][changes % 3]!;
        now.set(uri, availability);
        untold.add(uri);
        hosts.setPresence(uri, { availability });
      });
      const at = (hours: number, act: () => void): Subscription => timer(hours * HOUR).subscribe(act);
      at(2, () => unplug(20 * MINUTE));
      at(5, () => hosts.pool.endApplications());
      at(8, () => hosts.pool.reset('resync'));
      at(10, () => unplug(20 * MINUTE));
      at(13, () => hosts.pool.restart());
      at(16, () => hosts.pool.reset('resume'));
      at(19, () => unplug(20 * MINUTE));
      at(23.9, () => changing.unsubscribe());
      at(24, () => {
        expect([...untold]).to.deep.equal([]);
        expect([...board].map(([uri, { availability }]) => [uri, availability])).to.deep.equal([...now]);
        expect(
          hosts.pool.presenceSubscriptions.map((subscription) => [...subscription.uris].sort()),
        ).to.deep.equal([[...uris].sort()]);
        watching.unsubscribe();
      });
    });
    expect(hosts.pool.presenceSubscriptions).to.deep.equal([]);
    expect(hosts.pool.applications).to.deep.equal([]);
    expect(outcomes.filter(({ outcome }) => outcome === 'Unknown' || outcome === 'Failed')).to.deep.equal([]);
    // A network that is unavailable for over a quarter of an hour costs the application.
    expect(gaps).to.deep.equal([
      'recreated',
      'recreated',
      'resync',
      'recreated',
      'recreated',
      'resume',
      'recreated',
    ]);
    const counts = counted(hosts.requests);
    expect(counts).to.include({
      'POST /ucwa/oauth/v1/applications': 6,
      'POST /people/presenceSubscriptions': 7,
      'POST /WebTicket/oauthtoken': 7,
      'DELETE /people/presenceSubscriptions/ID': 1,
      'DELETE ': 1,
    });
    // A request for events ends with an event, every 97 seconds, or after three minutes. An extension is due
    // every 25 minutes.
    expect(counts['GET /events']).to.be.at.most(changes + 30);
    expect(counts['POST /people/presenceSubscriptions/ID?duration']).to.be.at.most(24 * 2.4);
    // All contacts are requested after each subscription and after the resync, and one after each change.
    expect(counts['GET /people/CONTACT/presence'] ?? 0).to.be.at.most(200 * 8 + changes);
  }).timeout(60_000);

  const loss = fc.record({
    at: fc.nat(2 * 60),
    what: fc.constantFrom(
      'endApplications',
      'restart',
      'expire',
      'resume',
      'resync',
      'unplug',
      'busy',
      'unplugLong',
    ),
  });
  const visit = fc.record({
    who: fc.uniqueArray(fc.constantFrom(...people(4)), { minLength: 1 }),
    comesAt: fc.nat(60),
    leavesAt: fc.oneof(fc.constant(Infinity), fc.integer({ min: 61, max: 120 })),
  });
  const night = fc.record({
    losses: fc.array(loss, { maxLength: 6 }),
    visits: fc.array(visit, { minLength: 1, maxLength: 4 }),
    latencyMs: fc.constantFrom(0, 20),
    contactHrefs: fc.constantFrom('address' as const, 'opaque' as const),
  });

  it('reaches all remaining subscribers despite losses, and leaves nothing', () => {
    fc.assert(
      fc.property(night, ({ losses, visits, latencyMs, contactHrefs }) => {
        const { server, ucwa, outcomes, unplug } = connection({ latencyMs, contactHrefs });
        const streams = visits.map((): Stream => ({
          recorded: 0,
          error: undefined,
          subscription: new Subscription(),
        }));
        inVirtualTime(() => {
          visits.forEach(({ who, comesAt, leavesAt }, index) => {
            const stream = streams[index]!;
            timer(comesAt * MINUTE).subscribe(() =>
              stream.subscription.add(
                presence(ucwa, { uris: who }).subscribe({
                  next: ({ link }) => {
                    if (link.rel === 'contactPresence') stream.recorded += 1;
                  },
                  error: (error: unknown) => (stream.error = error),
                }),
              ),
            );
            if (leavesAt < Infinity)
              timer(leavesAt * MINUTE).subscribe(() => stream.subscription.unsubscribe());
          });
          for (const { at, what } of losses) {
            // Not at the time of a new subscriber, because a first creation may fail.
            timer((at + 0.5) * MINUTE).subscribe(() => {
              if (what === 'unplug') unplug(15_000);
              else if (what === 'unplugLong') unplug(40 * MINUTE);
              else if (what === 'busy') server.failNext(3, { status: 503 });
              else if (what === 'resume' || what === 'resync') server.reset(what);
              else server[what]();
            });
          }
          timer(3 * HOUR).subscribe(() => {
            const isThere = visits.map(
              ({ leavesAt }, index) => leavesAt === Infinity && streams[index]!.error === undefined,
            );
            const wanted = visits.filter((_, index) => isThere[index]).map(({ who }) => [...who].sort());
            const orphans = outcomes.filter(({ outcome }) => outcome === 'Unknown').length;
            const held = server.presenceSubscriptions.map((subscription) => [...subscription.uris].sort());
            expect(held.length - wanted.length).to.be.within(0, orphans);
            for (const who of wanted) expect(held).to.deep.include(who);
            const before = streams.map(({ recorded }) => recorded);
            for (const uri of people(4)) server.setPresence(uri, { availability: 'Busy' });
            timer(5000).subscribe(() => {
              streams.forEach(({ recorded }, index) =>
                expect(recorded - before[index]!).to.equal(isThere[index]! ? visits[index]!.who.length : 0),
              );
              for (const { subscription } of streams) subscription.unsubscribe();
            });
          });
        });
        expect(server.applications).to.deep.equal([]);
        // An unavailable network rejected the first subscription of a stream that ended before it began.
        for (const { error } of streams) if (error !== undefined) expect(error).to.be.instanceOf(Error);
      }),
      { numRuns: 100, endOnFailure: true },
    );
  }).timeout(60_000);
});
