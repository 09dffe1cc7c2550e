import { expect } from 'chai';
import fc from 'fast-check';
import { map, NEVER, type Observable, Subscription, switchMap, take, tap, timer } from 'rxjs';
import type { ReleaseOutcome } from '../../lib/core/releases.ts';
import type { HttpRequest, Transport } from '../../lib/core/transport.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../lib/testing/ucwaSimulator.ts';
import type { BatchingOptions } from '../../lib/ucwa/batching.ts';
import { connect, type Ucwa } from '../../lib/ucwa/connect.ts';
import type { UcwaEvent } from '../../lib/ucwa/events.ts';
import { presence } from '../../lib/ucwa/presence.ts';
import { marbles } from '../support/marbles.ts';

/** How one subscriber comes and goes, in virtual milliseconds. */
interface Visit {
  readonly to: 'presence' | 'sharedPresence' | 'events';
  readonly comesAt: number;
  readonly staysMs: number;
  readonly leaves: 'unsubscribe' | 'take' | 'switchMap' | 'never';
}

/** What goes wrong, from when on. */
interface Mishap {
  readonly at: number;
  readonly count: number;
  readonly fault: Fault;
  readonly on: 'channel' | 'creation' | 'removal' | 'application';
}

/** What happens on the server by itself. */
interface Happening {
  readonly at: number;
  readonly what: 'note' | 'end' | 'expire' | 'resync' | 'restart';
}

interface Scenario {
  readonly visits: readonly Visit[];
  readonly mishaps: readonly Mishap[];
  readonly happenings: readonly Happening[];
  readonly latencyMs: number;
  readonly mediumSeconds: number;
  readonly ack: 'eager' | 'processed';
  readonly graceSeconds: number;
  readonly contactHrefs: 'address' | 'opaque';
  readonly batch: BatchingOptions | false;
}

const visit: fc.Arbitrary<Visit> = fc.record({
  to: fc.constantFrom('presence', 'presence', 'sharedPresence', 'events'),
  // Some in the same turn, so that what they send falls together.
  comesAt: fc.oneof(fc.nat(100), fc.constantFrom(0, 50)),
  staysMs: fc.oneof(fc.nat(80), fc.constant(50)),
  leaves: fc.constantFrom('unsubscribe', 'unsubscribe', 'take', 'switchMap', 'never'),
});

const mishap: fc.Arbitrary<Mishap> = fc.record({
  at: fc.nat(100),
  count: fc.integer({ min: 1, max: 3 }),
  fault: fc.constantFrom<Fault>(
    'reset',
    'resetAfterActing',
    { status: 503 },
    { status: 500 },
    { status: 403 },
    { delayMs: 40 },
    { truncateAfterBytes: 30 },
    { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
  ),
  on: fc.constantFrom('channel', 'channel', 'creation', 'removal', 'application'),
});

const happening: fc.Arbitrary<Happening> = fc.record({
  at: fc.nat(150),
  what: fc.constantFrom('note', 'note', 'note', 'note', 'end', 'expire', 'resync', 'restart'),
});

const scenario: fc.Arbitrary<Scenario> = fc.record({
  visits: fc.array(visit, { minLength: 1, maxLength: 6 }),
  mishaps: fc.array(mishap, { maxLength: 4 }),
  happenings: fc.array(happening, { maxLength: 8 }),
  latencyMs: fc.constantFrom(0, 1, 8, 30),
  mediumSeconds: fc.constantFrom(0, 0.01, 5),
  ack: fc.constantFrom('eager', 'processed'),
  graceSeconds: fc.constantFrom(0, 0.02),
  contactHrefs: fc.constantFrom('address', 'address', 'opaque'),
  batch: fc.constantFrom<Scenario['batch']>(false, {}, {}, { maxParts: 2 }),
});

const QUIET_AT = 120_000;
const isFor: Record<Mishap['on'], (request: HttpRequest) => boolean> = {
  channel: ({ url }) => url.includes('/events'),
  creation: ({ method, url }) => method === 'POST' && url.endsWith('/presenceSubscriptions'),
  removal: ({ method, url }) => method === 'DELETE' && url.includes('/presenceSubscriptions/'),
  application: ({ url }) => /\/applications(\/\d+)?$/.test(url),
};

/** Notes every link to events that the server hands out, and every one that is followed. */
interface Cursors {
  readonly transport: Transport;
  readonly handedOut: Set<string>;
  readonly followed: string[];
}

const watchCursors = (server: UcwaSimulator): Cursors => {
  const handedOut = new Set<string>();
  const followed: string[] = [];
  const transport: Transport = (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname.endsWith('/events')) followed.push(pathname + search);
    const note = (chunk: Uint8Array): void => {
      const text = new TextDecoder().decode(chunk);
      for (const [link] of text.matchAll(/[^"]+\/events\?ack=\d+/g)) handedOut.add(link);
    };
    return server
      .transport(request)
      .pipe(map((response) => ({ ...response, body$: response.body$.pipe(tap(note)) })));
  };
  return { transport, handedOut, followed };
};

/** What one subscriber saw. */
interface Seen {
  readonly uri: string | undefined;
  readonly notes: (number | 'reset')[];
  isAlive: boolean;
}

const NOTE = /\/note\/(\d+)$/;

const attend = (
  source: Observable<UcwaEvent>,
  { staysMs, leaves }: Visit,
  seen: Seen,
  all: Subscription,
): void => {
  const note = ({ type, link }: UcwaEvent): void => {
    const number = NOTE.exec(link.href)?.[1];
    if (number !== undefined) seen.notes.push(Number(number));
    if (type === 'reset') seen.notes.push('reset');
  };
  const over = (): void => {
    seen.isAlive = false;
  };
  const watched = source.pipe(tap(note));
  const left =
    leaves === 'take'
      ? watched.pipe(take(2))
      : leaves === 'switchMap'
        ? timer(0, Math.max(1, staysMs)).pipe(
            take(2),
            switchMap((turn) => {
              if (turn === 1) over();
              return turn === 0 ? watched : NEVER;
            }),
          )
        : watched;
  const subscription = left.subscribe({ error: over, complete: over });
  all.add(subscription);
  if (leaves === 'unsubscribe') {
    timer(staysMs).subscribe(() => {
      subscription.unsubscribe();
      over();
    });
  }
};

const happen = (
  server: UcwaSimulator,
  what: Happening['what'],
  number: () => number,
  uris: readonly string[],
): void => {
  if (what === 'restart') server.restart();
  else if (what === 'expire') server.expire();
  else if (what === 'resync') server.reset('resync');
  else if (what === 'end') {
    const [first] = server.presenceSubscriptions;
    if (first !== undefined) server.endSubscription(first.id);
  } else {
    const count = number();
    for (const uri of uris) {
      const contact = `/people/${uri.slice(4)}`;
      server.emit({
        type: 'updated',
        link: { rel: 'contactNote', href: `${contact}/note/${count}` },
        in: { rel: 'contact', href: contact },
      });
    }
  }
};

const source = (
  ucwa: Ucwa,
  shared: Observable<UcwaEvent>,
  { to }: Visit,
  uri: string,
): Observable<UcwaEvent> => {
  if (to === 'events') return ucwa.events$;
  return to === 'sharedPresence' ? shared : presence(ucwa, { uris: [uri] });
};

/** The numbers of the notes that the subscriber was to see, each stretch without a loss that was told. */
const stretches = (notes: readonly (number | 'reset')[]): number[][] =>
  notes.reduce<number[][]>(
    (found, note) => {
      if (note === 'reset') found.push([]);
      // Who sees all sees the note of each contact.
      else if (found.at(-1)?.at(-1) !== note) found.at(-1)?.push(note);
      return found;
    },
    [[]],
  );

describe('The laws of UCWA, over random interleavings', () => {
  it('should leave on the server what is alive here, tell the rest, and lose or double no event', function () {
    this.timeout(120_000);
    fc.assert(
      fc.property(scenario, (given) => {
        const server = ucwaSimulator(given);
        const { transport, handedOut, followed } = watchCursors(server);
        const ucwa = connect({
          ...{ applications: server.url, token: 'token', transport, endpointId: 'e' },
          channel: { ack: given.ack },
          ...{ graceSeconds: given.graceSeconds, batch: given.batch },
          retry: { random: () => 0.5, initialMs: 20 },
        });
        const outcomes: ReleaseOutcome[] = [];
        ucwa.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
        let pending = 0;
        ucwa.releases.pending$.subscribe((count) => (pending = count));
        const told = (outcome: ReleaseOutcome['outcome'], resource: string): ReleaseOutcome[] =>
          outcomes.filter((one) => one.outcome === outcome && one.resource === resource);

        const SHARED = 'sip:shared@contoso.com';
        const seen = given.visits.map(({ to }, index): Seen => {
          const own = to === 'presence' ? `sip:v${index}@contoso.com` : SHARED;
          return { uri: to === 'events' ? undefined : own, notes: [], isAlive: true };
        });
        const uris = [...new Set([SHARED, ...seen.flatMap(({ uri }) => (uri === undefined ? [] : [uri]))])];
        let notes = 0;
        const count = (): number => ++notes;

        marbles(() => {
          const all = new Subscription();
          const shared = presence(ucwa, { uris: [SHARED], graceSeconds: given.graceSeconds });
          given.visits.forEach((one, index) => {
            const { uri = SHARED } = seen[index]!;
            timer(one.comesAt).subscribe(() =>
              attend(source(ucwa, shared, one, uri), one, seen[index]!, all),
            );
          });
          for (const { at, what } of given.happenings) {
            timer(at).subscribe(() => happen(server, what, count, uris));
          }
          for (const { at, count: times, fault, on } of given.mishaps) {
            timer(at).subscribe(() => server.failNext(times, fault, isFor[on]));
          }

          timer(QUIET_AT).subscribe(() => {
            expect(pending, 'nothing is under way').to.equal(0);
            const alive = new Set(
              seen.flatMap(({ uri, isAlive }) => (isAlive && uri !== undefined ? [uri] : [])),
            );
            const held = server.presenceSubscriptions;
            const heldUris = held.flatMap((one) => one.uris);
            // A resync can swallow that something ended; who hears of it has to look for himself.
            const isTold = !given.happenings.some(({ what }) => what === 'resync');
            if (isTold) for (const uri of alive) expect(heldUris, 'what is alive here').to.include(uri);

            const failed = new Set(
              told('Failed', 'presenceSubscription').map(({ id }) => new URL(id ?? '').pathname),
            );
            const extra = held.filter(
              ({ uris: [uri], href }) => !failed.has(href) && !(uri !== undefined && alive.delete(uri)),
            );
            expect(extra.length, 'what nobody has').to.be.at.most(
              told('Unknown', 'presenceSubscription').length,
            );

            const isUsed = seen.some(({ isAlive }) => isAlive);
            const lost = told('Unknown', 'application').length + told('Failed', 'application').length;
            expect(server.applications.length, 'applications').to.be.at.most((isUsed ? 1 : 0) + lost);
            if (isUsed) expect(server.applications, 'the application in use').not.to.have.length(0);
            all.unsubscribe();
          });
        });

        expect(pending, 'nothing is under way in the end').to.equal(0);
        const orphans = told('Unknown', 'application').length + told('Failed', 'application').length;
        expect(server.applications.length, 'left over').to.be.at.most(orphans);
        if (orphans === 0) expect(server.presenceSubscriptions).to.deep.equal([]);

        const ids = outcomes.flatMap(({ resource, id }) =>
          id === undefined || resource === 'application' ? [] : [id],
        );
        expect(new Set(ids).size, 'one outcome for each').to.equal(ids.length);
        const removed = server.requests
          .flatMap((request) => [request, ...(request.parts ?? [])])
          .filter(({ method, status }) => method === 'DELETE' && status === 204);
        expect(new Set(removed.map(({ path }) => path)).size, 'each removed once').to.equal(removed.length);

        for (const link of followed) expect([...handedOut], 'a cursor of the server').to.include(link);
        for (const { notes: noted } of seen) {
          for (const stretch of stretches(noted)) {
            const first = stretch[0] ?? 0;
            expect(stretch, 'none lost, none twice').to.deep.equal(stretch.map((_, index) => first + index));
          }
        }
      }),
      { numRuns: 1500 },
    );
  });
});
