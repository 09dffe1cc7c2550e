import { expect } from 'chai';
import fc from 'fast-check';
import { type Observable, switchMap, take, timer } from 'rxjs';
import type { ReleaseOutcome } from '../../lib/core/releases.ts';
import type { EwsEvent } from '../../lib/ews/events.ts';
import { pullNotifications } from '../../lib/ews/pull.ts';
import { exchange, type ExchangeService } from '../../lib/ews/service.ts';
import type { EwsDialect } from '../../lib/testing/ewsDialect.ts';
import {
  type EwsFailure,
  type EwsOperation,
  ewsSimulator,
  type EwsSimulator,
} from '../../lib/testing/ewsSimulator.ts';
import { marbles } from '../support/marbles.ts';

/** How one subscriber comes and goes, in virtual milliseconds. */
interface Visit {
  readonly comesAt: number;
  readonly staysMs: number;
  readonly leaves: 'unsubscribe' | 'take' | 'switchMap' | 'stays';
  readonly shared: boolean;
}

/** What happens to the server, or to a request, at some time. */
type Incident = { readonly at: number } & (
  | { readonly what: 'fail'; readonly failure: EwsFailure; readonly operation: EwsOperation | undefined }
  | { readonly what: 'expire' | 'restart' | 'mail' | 'forget' }
);

/** No incident happens later, so what is left at the check is settled. */
const INCIDENTS_MS = 12_000;
const CHECK_MS = 50_000;
const END_MS = 51_000;
const SETTLED_MS = 61_000;
const INTERVAL_SECONDS = 4;

const failure: fc.Arbitrary<EwsFailure> = fc.oneof(
  fc.constantFrom<EwsFailure>(
    'reset',
    'resetAfterActing',
    { status: 503 },
    { status: 502 },
    { status: 500, headers: { 'content-type': 'text/html' }, body: '<html>' },
    { error: 'ErrorTimeoutExpired' },
    { fault: 'ErrorServerBusy', values: { Policy: 'x', BackOffMilliseconds: '700' } },
    { error: 'ErrorAccessDenied' },
    { error: 'ErrorReadEventsFailed' },
    { error: 'ErrorInvalidWatermark' },
  ),
  fc.nat(2500).map((delayMs) => ({ delayMs })),
  fc.nat(900).map((truncateAfterBytes) => ({ truncateAfterBytes })),
);

const at = fc.nat(INCIDENTS_MS);
const incident: fc.Arbitrary<Incident> = fc.oneof(
  fc.record({
    at,
    what: fc.constant('fail' as const),
    failure,
    operation: fc.constantFrom<EwsOperation | undefined>('Subscribe', 'GetEvents', 'Unsubscribe', undefined),
  }),
  fc.record({ at, what: fc.constantFrom('expire', 'restart', 'mail', 'mail', 'forget') }),
);

const visit: fc.Arbitrary<Visit> = fc.record({
  comesAt: fc.nat(10_000),
  staysMs: fc.nat(6000),
  leaves: fc.constantFrom('unsubscribe', 'unsubscribe', 'take', 'switchMap', 'stays'),
  shared: fc.boolean(),
});

const server$ = fc.record({
  dialect: fc.constantFrom<EwsDialect>('exchange', 'grommunio'),
  latencyMs: fc.constantFrom(0, 0, 300, 2000),
});

function happen(server: EwsSimulator, one: Incident): void {
  if (one.what === 'fail') server.failNext(1, one.failure, one.operation);
  else if (one.what === 'expire') server.expire();
  else if (one.what === 'restart') server.restart();
  else if (one.what === 'forget') server.forgetHistory();
  else server.deliverMail();
}

function connect(server: EwsSimulator): ExchangeService {
  const retry = { initialMs: 200, maxMs: 1000, random: (): number => 0.5 };
  return exchange({ url: server.url, transport: server.transport, retry });
}

function pull(service: ExchangeService, graceSeconds?: number): Observable<EwsEvent> {
  return pullNotifications(service, {
    folders: ['inbox'],
    events: ['newMail'],
    pollIntervalSeconds: INTERVAL_SECONDS,
    ...(graceSeconds === undefined ? {} : { graceSeconds }),
  });
}

/** The subscription that each subscriber who is still there last heard of. */
type Alive = Map<Visit, string | undefined>;

function come(events$: Observable<EwsEvent>, one: Visit, alive: Alive): void {
  const observer = {
    next: ({ subscriptionId }: EwsEvent) => alive.set(one, subscriptionId),
    error: () => alive.delete(one),
    complete: () => alive.delete(one),
  };
  if (one.leaves === 'take') events$.pipe(take(2)).subscribe(observer);
  else if (one.leaves === 'switchMap') {
    timer(0, 1 + one.staysMs)
      .pipe(
        take(2),
        switchMap((turn) => (turn === 0 ? events$ : [])),
      )
      .subscribe(observer);
  } else {
    const subscription = events$.subscribe(observer);
    timer(one.leaves === 'stays' ? END_MS - one.comesAt : one.staysMs).subscribe(() => {
      alive.delete(one);
      subscription.unsubscribe();
    });
  }
}

describe('The laws of pull notifications, over random interleavings', function () {
  this.timeout(120_000);

  it('should leave on the server what is alive here, and nothing else that is not told', () => {
    fc.assert(
      fc.property(
        server$,
        fc.array(visit, { minLength: 1, maxLength: 4 }),
        fc.array(incident, { maxLength: 8 }),
        fc.nat(3),
        (options, visits, incidents, graceSeconds) => {
          const server = ewsSimulator(options);
          const service = connect(server);
          const outcomes: ReleaseOutcome[] = [];
          const alive: Alive = new Map();
          const held = { atCheck: [''], atEnd: [''] };
          let livingAtCheck: (string | undefined)[] = [];
          let pending = 0;
          let pendingAtCheck = 0;
          marbles(() => {
            const shared$ = pull(service, graceSeconds);
            const own$ = pull(service);
            service.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
            service.releases.pending$.subscribe((count) => (pending = count));
            for (const one of visits)
              timer(one.comesAt).subscribe(() => come(one.shared ? shared$ : own$, one, alive));
            for (const one of incidents) timer(one.at).subscribe(() => happen(server, one));
            timer(INCIDENTS_MS).subscribe(() => server.clearFailures());
            timer(CHECK_MS).subscribe(() => {
              held.atCheck = server.subscriptions.map(({ id }) => id);
              livingAtCheck = [...alive.values()];
              pendingAtCheck = pending;
            });
            timer(SETTLED_MS).subscribe(() => (held.atEnd = server.subscriptions.map(({ id }) => id)));
          });

          const told = (name: ReleaseOutcome['outcome']): ReleaseOutcome[] =>
            outcomes.filter(({ outcome }) => outcome === name);
          const failed = new Set(told('Failed').map(({ id }) => id));
          const orphans = (ids: readonly string[]): string[] =>
            ids.filter((id) => !failed.has(id) && !livingAtCheck.includes(id));
          expect([pendingAtCheck, pending], 'nothing is under way').to.deep.equal([0, 0]);
          expect(
            livingAtCheck.every((id) => id !== undefined && held.atCheck.includes(id)),
            'what is alive is there',
          ).to.equal(true);
          expect(orphans(held.atCheck).length, 'what is orphaned is told').to.be.at.most(
            told('Unknown').length,
          );
          const left = held.atEnd.filter((id) => !failed.has(id));
          expect(left.length, 'nothing is left that is not told').to.be.at.most(told('Unknown').length);
          // Only this family never gives an id twice.
          if (options.dialect === 'grommunio') return;
          const ids = outcomes.flatMap(({ id }) => id ?? []);
          expect(new Set(ids).size, 'one outcome each').to.equal(ids.length);
          const released = told('Released').map(({ id }) => id);
          expect(
            released.filter((id) => id !== undefined && held.atEnd.includes(id)),
            'what was released is gone',
          ).to.deep.equal([]);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('should bring every mail once and in order, or tell of a gap', () => {
    const harmless = fc.oneof(
      fc.record({
        at,
        what: fc.constant('fail' as const),
        failure: failure.filter(
          (how) => !(typeof how === 'object' && 'error' in how && /Denied/.test(how.error)),
        ),
        operation: fc.constantFrom<EwsOperation | undefined>('GetEvents', 'Subscribe', 'Unsubscribe'),
      }),
      fc.record({ at, what: fc.constantFrom('expire', 'restart', 'forget') }),
      fc.record({ at, what: fc.constant('mail' as const) }),
    );
    fc.assert(
      fc.property(server$, fc.array(harmless, { maxLength: 10 }), (options, incidents) => {
        const server = ewsSimulator(options);
        const events: EwsEvent[] = [];
        const mails: string[] = [];
        marbles(() => {
          const watching = pull(connect(server)).subscribe((event) => events.push(event));
          const stands = 5000;
          for (const one of incidents) {
            timer(stands + one.at).subscribe(() => {
              if (one.what === 'mail') mails.push(server.deliverMail());
              else happen(server, one);
            });
          }
          timer(stands + INCIDENTS_MS).subscribe(() => server.clearFailures());
          timer(stands + END_MS).subscribe(() => watching.unsubscribe());
        });

        const seen = events.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
        const hasGap = events.some(({ type }) => type === 'gap');
        const isComplete = mails.length === seen.length;
        expect([...seen].sort(), 'in order, none twice').to.deep.equal([...new Set(seen)]);
        expect(isComplete || hasGap, 'what is missing is told').to.equal(true);
        const isForgetful = incidents.some(({ what, ...rest }) => what === 'forget' || 'failure' in rest);
        if (options.dialect === 'exchange' && !isForgetful) expect(seen).to.deep.equal(mails);
      }),
      { numRuns: 1000 },
    );
  });
});
