import { expect } from 'chai';
import fc from 'fast-check';
import { asyncScheduler, take, timer } from 'rxjs';
import type { ReleaseOutcome } from '../../lib/core/releases.ts';
import type { EwsEvent } from '../../lib/ews/events.ts';
import { exchange, type ExchangeService } from '../../lib/ews/service.ts';
import { streamingNotifications } from '../../lib/ews/streaming.ts';
import type { EwsDialect } from '../../lib/testing/ewsDialect.ts';
import {
  type EwsFailure,
  type EwsOperation,
  ewsSimulator,
  type EwsSimulator,
} from '../../lib/testing/ewsSimulator.ts';
import type { StreamEnd } from '../../lib/testing/ewsStreaming.ts';
import { marbles } from '../support/marbles.ts';

/** What happens to the server, or to a request, at some time, in virtual milliseconds. */
type Incident = { readonly at: number } & (
  | { readonly what: 'fail'; readonly failure: EwsFailure; readonly operation: EwsOperation }
  | { readonly what: 'end'; readonly how: StreamEnd }
  | { readonly what: 'expire' | 'restart' | 'mail' | 'silence' | 'corrupt' }
);

/** How one subscriber comes and goes. */
interface Visit {
  readonly comesAt: number;
  readonly staysMs: number;
  readonly leaves: 'unsubscribe' | 'take' | 'stays';
}

/** No incident happens later, so what is left at the check is settled. */
const INCIDENTS_MS = 15_000;
const CHECK_MS = 80_000;
const END_MS = 81_000;
const SETTLED_MS = 95_000;

const failure: fc.Arbitrary<EwsFailure> = fc.oneof(
  fc.constantFrom<EwsFailure>(
    'reset',
    'resetAfterActing',
    { status: 503 },
    { status: 502 },
    { error: 'ErrorTimeoutExpired' },
    { error: 'ErrorExceededConnectionCount' },
    { error: 'ErrorReadEventsFailed' },
    { fault: 'ErrorServerBusy', values: { Policy: 'x', BackOffMilliseconds: '700' } },
  ),
  fc.nat(2500).map((delayMs) => ({ delayMs })),
  fc.nat(3000).map((truncateAfterBytes) => ({ truncateAfterBytes })),
);

const at = fc.nat(INCIDENTS_MS);
const mail: fc.Arbitrary<Incident> = fc.record({ at, what: fc.constant('mail' as const) });
const trouble: fc.Arbitrary<Incident> = fc.oneof(
  fc.record({
    at,
    what: fc.constant('fail' as const),
    failure,
    operation: fc.constantFrom<EwsOperation>(
      'Subscribe',
      'GetStreamingEvents',
      'GetStreamingEvents',
      'Unsubscribe',
    ),
  }),
  fc.record({
    at,
    what: fc.constant('fail' as const),
    failure: fc.constant<EwsFailure>({ error: 'ErrorMissedNotificationEvents' }),
    operation: fc.constant<EwsOperation>('GetStreamingEvents'),
  }),
  fc.record({
    at,
    what: fc.constant('end' as const),
    how: fc.constantFrom<StreamEnd>('closed', 'end', 'linger', 'reset'),
  }),
  fc.record({ at, what: fc.constantFrom('expire', 'restart', 'silence', 'corrupt') }),
);

const visit: fc.Arbitrary<Visit> = fc.record({
  comesAt: fc.nat(14_000),
  staysMs: fc.nat(6000),
  leaves: fc.constantFrom('unsubscribe', 'unsubscribe', 'take', 'stays'),
});

const server$ = fc.record({
  dialect: fc.constantFrom<EwsDialect>('exchange', 'grommunio'),
  latencyMs: fc.constantFrom(0, 0, 300, 2000),
  heartbeatSeconds: fc.constant(3),
  chunkBytes: fc.constantFrom(7, 100, 100_000),
  maxStreams: fc.constantFrom(1, 2, 100),
});

function happen(server: EwsSimulator, one: Incident): void {
  if (one.what === 'fail') server.failNext(1, one.failure, one.operation);
  else if (one.what === 'end') server.closeStreams(one.how);
  else if (one.what === 'expire') server.expire(server.subscriptions[0]?.id);
  else if (one.what === 'restart') server.restart();
  else if (one.what === 'silence') server.goSilent();
  else if (one.what === 'corrupt') server.corruptNextEnvelope();
  else server.deliverMail();
}

function connect(server: EwsSimulator, maxConnections: number): ExchangeService {
  return exchange({
    url: server.url,
    transport: server.transport,
    retry: { initialMs: 200, maxMs: 1000, random: () => 0.5 },
    streaming: { maxConnections, silenceSeconds: 8 },
  });
}

describe('The laws of streaming notifications, over random interleavings', function () {
  this.timeout(240_000);

  it('should leave on the server what is alive here, and nothing else that is not told', () => {
    fc.assert(
      fc.property(
        server$,
        fc.nat(2),
        fc.array(visit, { minLength: 1, maxLength: 5 }),
        fc.array(fc.oneof(trouble, mail), { maxLength: 8 }),
        (options, moreConnections, visits, incidents) => {
          const server = ewsSimulator(options);
          const service = connect(server, 1 + moreConnections);
          const outcomes: ReleaseOutcome[] = [];
          const alive = new Set<Visit>();
          const held = { atCheck: [''], atEnd: [''] };
          let livingAtCheck = 0;
          let pending = 0;
          let streamsAtEnd = 0;
          marbles(() => {
            const stream$ = streamingNotifications(service, { folders: ['inbox'], events: ['newMail'] });
            service.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
            service.releases.pending$.subscribe((count) => (pending = count));
            for (const one of visits) {
              timer(one.comesAt).subscribe(() => {
                alive.add(one);
                const leave = (): unknown => alive.delete(one);
                const subscription = (one.leaves === 'take' ? stream$.pipe(take(2)) : stream$).subscribe({
                  error: leave,
                  complete: leave,
                });
                const stays = one.leaves === 'unsubscribe' ? one.staysMs : END_MS - one.comesAt;
                timer(stays).subscribe(() => {
                  leave();
                  subscription.unsubscribe();
                });
              });
            }
            for (const one of incidents) timer(one.at).subscribe(() => happen(server, one));
            timer(INCIDENTS_MS).subscribe(() => server.clearFailures());
            timer(CHECK_MS).subscribe(() => {
              held.atCheck = server.subscriptions.map(({ id }) => id);
              livingAtCheck = alive.size;
            });
            timer(SETTLED_MS).subscribe(() => {
              held.atEnd = server.subscriptions.map(({ id }) => id);
              streamsAtEnd = server.streams.length;
            });
          });

          const told = (name: ReleaseOutcome['outcome']): ReleaseOutcome[] =>
            outcomes.filter(({ outcome }) => outcome === name);
          const failed = new Set(told('Failed').map(({ id }) => id));
          const orphans = told('Unknown').length + failed.size;
          expect(pending, 'nothing is under way').to.equal(0);
          expect(held.atCheck.length, 'what is alive is there').to.be.at.least(livingAtCheck);
          expect(held.atCheck.length - livingAtCheck, 'what is orphaned is told').to.be.at.most(orphans);
          expect(held.atEnd.length, 'nothing is left that is not told').to.be.at.most(orphans);
          expect(streamsAtEnd, 'no stream is left').to.equal(0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('should bring every mail once and in order to each, or tell of a gap around it', () => {
    fc.assert(
      fc.property(
        server$,
        fc.nat(2),
        fc.array(visit, { maxLength: 3 }),
        fc.array(fc.oneof(trouble, mail, mail, mail), { maxLength: 14 }),
        (options, moreConnections, visits, incidents) => {
          const server = ewsSimulator(options);
          const service = connect(server, 1 + moreConnections);
          const stands = 5000;
          const sent: { readonly id: string; readonly at: number }[] = [];
          const seen: (EwsEvent & { readonly seenAt: number })[][] = [[], []];
          marbles(() => {
            const stream$ = streamingNotifications(service, { folders: ['inbox'], events: ['newMail'] });
            for (const events of seen) {
              const watching = stream$.subscribe((event) =>
                events.push({ ...event, seenAt: asyncScheduler.now() }),
              );
              timer(stands + END_MS).subscribe(() => watching.unsubscribe());
            }
            // Others come and go, so that the connections are changed over all the time.
            for (const { comesAt, staysMs } of visits) {
              timer(stands + comesAt).subscribe(() => {
                const visiting = stream$.subscribe({ error: () => undefined });
                timer(staysMs).subscribe(() => visiting.unsubscribe());
              });
            }
            for (const one of incidents) {
              timer(stands + one.at).subscribe(() => {
                if (one.what === 'mail') sent.push({ id: server.deliverMail(), at: asyncScheduler.now() });
                else happen(server, one);
              });
            }
            timer(stands + INCIDENTS_MS).subscribe(() => server.clearFailures());
          });

          const order = new Map(sent.map(({ id }, index) => [id, index]));
          for (const events of seen) {
            const places = events.flatMap((event) =>
              event.type === 'newMail' ? [order.get(event.item!.id)!] : [],
            );
            const gaps = events.flatMap((event) => (event.type === 'gap' ? [event] : []));
            const inOrder = [...new Set(places)].sort((one, other) => one - other);
            expect(places, 'in order, none twice').to.deep.equal(inOrder);
            const untold = sent.filter(
              ({ at: sentAt }, index) =>
                !places.includes(index) &&
                !gaps.some(({ since, seenAt }) => (since?.getTime() ?? 0) <= sentAt && sentAt <= seenAt),
            );
            expect(untold, 'what is missing is told').to.deep.equal([]);
            const isQuiet = incidents.every(
              (one) => one.what === 'mail' || (one.what === 'end' && one.how !== 'reset'),
            );
            if (isQuiet && moreConnections > 0 && options.maxStreams > 1) {
              expect(gaps, 'nothing is told that did not happen').to.deep.equal([]);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
