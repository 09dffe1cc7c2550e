import { expect } from 'chai';
import fc from 'fast-check';
import { map } from 'rxjs';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { type EwsFailure, type EwsOperation, ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { possibleLeftovers, checkRandomRuns } from '../support/random/randomRuns.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { breachesIn, watchers } from '../support/watchers.ts';

/** A change on a server of three mailboxes whose subscriptions share connections. */
type Change =
  | { readonly moved: number; readonly minutes: number }
  | 'the server restarts'
  | 'all subscriptions expire'
  | 'streams are closed'
  | 'streams break'
  | 'streams fall silent'
  | { readonly how: EwsFailure; readonly on: EwsOperation; readonly count: number };

interface Visit {
  readonly at: number;
  readonly forSeconds: number;
  readonly mailbox: number;
  readonly way: 'pull' | 'streaming';
}

interface Scenario {
  readonly visits: readonly Visit[];
  readonly changes: readonly (readonly [atSecond: number, change: Change])[];
  readonly mails: readonly (readonly [atSecond: number, mailbox: number])[];
  readonly dialect: 'exchange' | 'grommunio';
  readonly latencyMs: number;
  readonly maxConnections: number;
  readonly maxStreams: number;
}

const SPAN_SECONDS = 900;
const second = fc.nat(SPAN_SECONDS);
const ADDRESSES = ['a@contoso.com', 'b@contoso.com', 'c@contoso.com'];
const mailbox = fc.nat(ADDRESSES.length - 1);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ moved: mailbox, minutes: fc.integer({ min: 0, max: 5 }) }),
  fc.constantFrom<Change>(
    'the server restarts',
    'all subscriptions expire',
    'streams are closed',
    'streams break',
    'streams fall silent',
  ),
  fc.record({
    how: fc.constantFrom<EwsFailure>(
      'reset',
      'resetAfterActing',
      { arrivesAfterMs: 8000 },
      { status: 503 },
      { error: 'ErrorServerBusy' },
      { error: 'ErrorExceededConnectionCount' },
      { error: 'ErrorMailboxStoreUnavailable' },
      { delayMs: 5000 },
    ),
    on: fc.constantFrom<EwsOperation>('Subscribe', 'GetEvents', 'GetStreamingEvents', 'Unsubscribe'),
    count: fc.integer({ min: 1, max: 4 }),
  }),
);

const scenario: fc.Arbitrary<Scenario> = fc.record({
  visits: fc.array(
    fc.record({
      at: second,
      forSeconds: fc.oneof(fc.nat(600), fc.constant(Infinity)),
      mailbox,
      way: fc.constantFrom('pull' as const, 'streaming' as const, 'streaming' as const),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  changes: fc.array(fc.tuple(second, change), { maxLength: 5 }),
  mails: fc.array(fc.tuple(second, mailbox), { maxLength: 15 }),
  dialect: fc.constantFrom('exchange', 'exchange', 'grommunio'),
  latencyMs: fc.constantFrom(0, 20, 2000),
  maxConnections: fc.constantFrom(3, 6),
  maxStreams: fc.constantFrom(100, 6),
});

const CALM_AT = 1300;
const LAST_MAIL_AT = 2200;
const QUIET_AT = 2500;
const SETTLED_AT = 6000;

/** Runs a scenario, and returns the breaches of the laws. */
function run(scene: Scenario): readonly string[] {
  const { visits, changes, mails, dialect, latencyMs, maxConnections, maxStreams } = scene;
  const server = ewsSimulator({ dialect, latencyMs, maxStreams });
  const mailboxes = ADDRESSES.map((address) => server.mailbox(address));
  const events = ADDRESSES.map(() => 0);
  const breaches: string[] = [];
  const outcomes: ReleaseOutcome[] = [];
  const exchange = connectExchange({
    ...{ server: server.url, transport: server.transport, streaming: { maxConnections } },
    retry: { initialMs: 1000, random: () => 0.5 },
  });

  const { alive, tally, enter } = watchers((visit: Visit) => {
    const as = exchange.actingAs({ primarySmtpAddress: ADDRESSES[visit.mailbox] ?? '' });
    const watched = { folders: ['inbox'], events: ['modified'] } as const;
    const events$ =
      visit.way === 'pull' ? pullNotifications(as, watched) : streamingNotifications(as, watched);
    return events$.pipe(
      map((event) => {
        if (event.type === 'gap') return 'loss' as const;
        // The subscriptions are never read, and many have to be possible.
        return event.type === 'modified' ? event.unreadCount : undefined;
      }),
    );
  });

  const happen = (index: number): void => {
    events[index] = (events[index] ?? 0) + 1;
    mailboxes[index]?.deliverMail();
  };
  const act = (one: Change): void => {
    if (one === 'the server restarts') server.restart();
    else if (one === 'all subscriptions expire') server.expire();
    else if (one === 'streams are closed') server.closeStreams('closed');
    else if (one === 'streams break') server.closeStreams('reset');
    else if (one === 'streams fall silent') server.stallStreams();
    else if ('moved' in one) server.moveMailbox(ADDRESSES[one.moved] ?? '', one.minutes);
    else server.failNext(one.count, one.how, one.on);
  };

  inVirtualTime(() => {
    exchange.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    for (const visit of visits) at(visit.at, () => enter(visit));
    for (const [seconds, one] of changes) at(seconds, () => act(one));
    for (const [seconds, index] of mails) at(seconds, () => happen(index));
    at(CALM_AT, () => server.clearFailures());
    at(LAST_MAIL_AT, () => ADDRESSES.forEach((_, index) => happen(index)));
    at(QUIET_AT, () => {
      const watching = alive();
      const extra = server.subscriptions.length - watching.length;
      if (extra < 0 || extra > possibleLeftovers(outcomes))
        breaches.push(
          `${server.subscriptions.length} held for ${watching.length}, ${possibleLeftovers(outcomes)} reported`,
        );
      for (const { last, visit } of watching) {
        const happened = events[visit.mailbox] ?? 0;
        if (last !== happened)
          breaches.push(`${visit.way} of ${visit.mailbox} got ${last} last, and not ${happened}`);
      }
      void exchange.close();
    });
    at(SETTLED_AT, () => {
      const left = server.subscriptions.length;
      if (left > possibleLeftovers(outcomes))
        breaches.push(`${left} left on the server, ${possibleLeftovers(outcomes)} reported`);
    });
  });
  return [...breaches, ...breachesIn(tally)];
}

describe('One connection for several mailboxes, while they are moved,', () => {
  it('reports every loss and leftover, and serves all subscribers', function () {
    checkRandomRuns(this, 200, scenario, (tried) => {
      expect(run(tried)).to.deep.equal([]);
    });
  });
});
