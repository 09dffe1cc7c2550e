import { expect } from 'chai';
import fc from 'fast-check';
import { map, mergeMap, type Observable, of, switchMap, take, timer } from 'rxjs';
import { readText } from '../../lib/core/body.ts';
import type { ReleaseOutcome } from '../../lib/core/releases.ts';
import type { Transport } from '../../lib/core/transport.ts';
import type { EwsEvent } from '../../lib/ews/events.ts';
import { pushNotifications } from '../../lib/ews/push.ts';
import { exchange } from '../../lib/ews/service.ts';
import { type EwsFailure, ewsSimulator, type EwsSimulator } from '../../lib/testing/ewsSimulator.ts';
import { type Fault, faultQueue, type FaultQueue } from '../../lib/testing/faults.ts';
import { pushCallback } from '../../lib/testing/pushCallback.ts';
import { marbles } from '../support/marbles.ts';

/** How one subscriber comes and goes, in virtual seconds. */
interface Visit {
  readonly comesAt: number;
  readonly stays: number;
  readonly leaves: 'unsubscribe' | 'take' | 'switchMap' | 'stays';
  readonly shared: boolean;
}

/** What happens to the server, to a request, or to a post of the server, at some time. */
type Incident = { readonly at: number } & (
  | { readonly what: 'refuse'; readonly failure: EwsFailure }
  | { readonly what: 'post'; readonly fault: Fault; readonly posts: number }
  | { readonly what: 'tell'; readonly code: string }
  | { readonly what: 'expire' | 'restart' | 'mail' | 'forget' }
);

/** No incident happens later; then each silence is noticed, and made good, before the check. */
const INCIDENTS = 300;
const CHECK = 1100;
const END = 1101;
/** What was told to end with the next post, and what was given up. */
const SETTLED = END + 160;
/** Those whose last answer was lost, and those that nobody knows, find nobody, and end by themselves. */
const GIVEN_UP = SETTLED + 200;

const faults = fc.oneof(
  fc.constantFrom<Fault>('reset', 'resetAfterActing', { status: 503 }, { status: 200, body: '<html>' }),
  fc.nat(2500).map((delayMs) => ({ delayMs })),
  fc.nat(300).map((truncateAfterBytes) => ({ truncateAfterBytes })),
);
const refusals = fc.constantFrom<EwsFailure>(
  'reset',
  'resetAfterActing',
  { status: 503 },
  { delayMs: 2500 },
  { error: 'ErrorTimeoutExpired' },
  { fault: 'ErrorServerBusy', values: { BackOffMilliseconds: '700' } },
  { error: 'ErrorInvalidWatermark' },
);

const at = fc.nat(INCIDENTS);
const harmless: fc.Arbitrary<Incident> = fc.oneof(
  fc.record({ at, what: fc.constant('refuse' as const), failure: refusals }),
  fc.record({ at, what: fc.constant('post' as const), fault: faults, posts: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    at,
    what: fc.constant('tell' as const),
    code: fc.constantFrom('ErrorReadEventsFailed', 'ErrorServerBusy', 'ErrorMissedNotificationEvents'),
  }),
  fc.record({ at, what: fc.constantFrom('expire', 'restart', 'mail', 'mail', 'mail', 'forget') }),
);
const incident: fc.Arbitrary<Incident> = fc.oneof(
  { weight: 6, arbitrary: harmless },
  {
    weight: 1,
    arbitrary: fc.record({ at, what: fc.constant('tell' as const), code: fc.constant('ErrorAccessDenied') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      at,
      what: fc.constant('refuse' as const),
      failure: fc.constant({ error: 'ErrorAccessDenied' }),
    }),
  },
);

const visit: fc.Arbitrary<Visit> = fc.record({
  comesAt: fc.nat(INCIDENTS),
  stays: fc.nat(200),
  leaves: fc.constantFrom('unsubscribe', 'unsubscribe', 'take', 'switchMap', 'stays'),
  shared: fc.boolean(),
});

const latency = fc.constantFrom(0, 0, 300, 2000);

interface World {
  readonly server: EwsSimulator;
  readonly posting: FaultQueue;
  readonly service: ReturnType<typeof exchange>;
  readonly push: (graceSeconds?: number) => Observable<EwsEvent>;
  /** The subscriptions that the server was told to end, whether it has heard it or not. */
  readonly told: Set<string>;
}

function world(latencyMs: number): World {
  const { transport, incoming$ } = pushCallback();
  const posting = faultQueue();
  const told = new Set<string>();
  const noting: Transport = (request) =>
    transport(request).pipe(
      mergeMap((response) =>
        readText(response, 'answer').pipe(
          map((text) => {
            const id = /SubscriptionId(?:>|">)([^<]*)/.exec(request.body ?? '')?.[1];
            if (id !== undefined && text.includes('>Unsubscribe<')) told.add(id);
            return { ...response, body$: of(new TextEncoder().encode(text)) };
          }),
        ),
      ),
    );
  const server = ewsSimulator({ latencyMs, push: posting.middleware(noting) });
  const retry = { initialMs: 200, maxMs: 1000, random: (): number => 0.5 };
  const service = exchange({ url: server.url, transport: server.transport, retry });
  return {
    server,
    posting,
    service,
    told,
    push: (graceSeconds) =>
      pushNotifications(
        service,
        {
          folders: ['inbox'],
          events: ['newMail'],
          callbackUrl: 'https://me.example/',
          statusFrequencyMinutes: 1,
          ...(graceSeconds === undefined ? {} : { graceSeconds }),
        },
        incoming$,
      ),
  };
}

function happen({ server, posting }: World, one: Incident): void {
  switch (one.what) {
    case 'refuse':
      server.failNext(1, one.failure, 'Subscribe');
      break;
    case 'post':
      posting.failNext(one.posts, one.fault);
      break;
    case 'tell':
      server.failNext(1, { error: one.code }, 'SendNotification');
      break;
    case 'expire':
      server.expire();
      break;
    case 'restart':
      server.restart();
      break;
    case 'forget':
      server.forgetHistory();
      break;
    case 'mail':
      server.deliverMail();
  }
}

const after = (seconds: number, action: () => void): void => {
  timer(seconds * 1000).subscribe(action);
};

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
    timer(0, 1 + one.stays * 1000)
      .pipe(
        take(2),
        switchMap((turn) => (turn === 0 ? events$ : [])),
      )
      .subscribe(observer);
  } else {
    const subscription = events$.subscribe(observer);
    after(one.leaves === 'stays' ? END - one.comesAt : one.stays, () => {
      alive.delete(one);
      subscription.unsubscribe();
    });
  }
}

describe('The laws of push notifications, over random interleavings', function () {
  this.timeout(120_000);

  it('should leave on the server what is alive here, and nothing else that was not told to end', () => {
    fc.assert(
      fc.property(
        latency,
        fc.array(visit, { minLength: 1, maxLength: 4 }),
        fc.array(incident, { maxLength: 8 }),
        fc.nat(30),
        (latencyMs, visits, incidents, graceSeconds) => {
          const all = world(latencyMs);
          const { server, service, told } = all;
          const idsHeld = (): string[] => server.subscriptions.map(({ id }) => id);
          const outcomes: ReleaseOutcome[] = [];
          const tooEarly: (string | undefined)[] = [];
          const alive: Alive = new Map();
          const held = { atCheck: [''], atEnd: [''], givenUp: [''] };
          let livingAtCheck: (string | undefined)[] = [];
          let pending = -1;
          let pendingAtCheck = -1;
          let pendingAtEnd = -1;
          marbles(() => {
            const shared$ = all.push(graceSeconds);
            const own$ = all.push();
            service.releases.outcomes$.subscribe((outcome) => {
              outcomes.push(outcome);
              if (outcome.outcome === 'Expired' && idsHeld().includes(outcome.id ?? ''))
                tooEarly.push(outcome.id);
            });
            service.releases.pending$.subscribe((count) => (pending = count));
            for (const one of visits) after(one.comesAt, () => come(one.shared ? shared$ : own$, one, alive));
            for (const one of incidents) after(one.at, () => happen(all, one));
            after(INCIDENTS, () => {
              server.clearFailures();
              all.posting.clear();
            });
            after(CHECK, () => {
              held.atCheck = idsHeld();
              livingAtCheck = [...alive.values()];
              pendingAtCheck = pending;
            });
            after(SETTLED, () => {
              held.atEnd = idsHeld();
              pendingAtEnd = pending;
            });
            after(GIVEN_UP, () => (held.givenUp = idsHeld()));
          });

          const of = (name: ReleaseOutcome['outcome']): ReleaseOutcome[] =>
            outcomes.filter(({ outcome }) => outcome === name);
          expect([pendingAtCheck, pendingAtEnd, pending], 'nothing is under way').to.deep.equal([0, 0, 0]);
          expect(
            livingAtCheck.every((id) => id !== undefined && held.atCheck.includes(id)),
            'what is alive is there',
          ).to.equal(true);
          const orphans = held.atCheck.filter((id) => !livingAtCheck.includes(id) && !told.has(id));
          expect(orphans.length, 'what is orphaned is told').to.be.at.most(of('Unknown').length);
          const left = held.atEnd.filter((id) => !told.has(id));
          expect(left.length, 'nothing is left that is not told').to.be.at.most(of('Unknown').length);
          expect(held.givenUp, 'nothing is left in the end').to.deep.equal([]);
          expect(of('Failed')).to.deep.equal([]);
          expect(tooEarly, 'what is expired is gone').to.deep.equal([]);
          const ids = outcomes.flatMap(({ id }) => id ?? []);
          expect(new Set(ids).size, 'one outcome each').to.equal(ids.length);
          for (const { id } of of('Released')) expect(told.has(id!), 'was told to end').to.equal(true);
          expect(
            server.requests.filter(({ operation }) => operation !== 'Subscribe'),
            'no Unsubscribe is sent',
          ).to.deep.equal([]);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('should bring every mail once and in order, and tell of a gap only where the server cannot resume', () => {
    fc.assert(
      fc.property(latency, fc.array(harmless, { maxLength: 10 }), (latencyMs, incidents) => {
        const all = world(latencyMs);
        const { server } = all;
        const events: EwsEvent[] = [];
        const mails: string[] = [];
        const stands = 5;
        marbles(() => {
          const watching = all.push().subscribe((event) => events.push(event));
          for (const one of incidents) {
            after(stands + one.at, () => {
              if (one.what === 'mail') mails.push(server.deliverMail());
              else happen(all, one);
            });
          }
          after(stands + INCIDENTS, () => {
            server.clearFailures();
            all.posting.clear();
          });
          after(END, () => watching.unsubscribe());
        });

        const seen = events.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
        const hasGap = events.some(({ type }) => type === 'gap');
        expect([...seen].sort(), 'in order, none twice').to.deep.equal([...new Set(seen)]);
        expect(mails.length === seen.length || hasGap, 'what is missing is told').to.equal(true);
        const canResume = incidents.every(
          (one) =>
            one.what !== 'forget' &&
            !(one.what === 'tell' && one.code === 'ErrorMissedNotificationEvents') &&
            !(one.what === 'refuse' && JSON.stringify(one.failure).includes('Watermark')),
        );
        if (canResume) expect([hasGap, seen]).to.deep.equal([false, mails]);
      }),
      { numRuns: 1000 },
    );
  });
});
