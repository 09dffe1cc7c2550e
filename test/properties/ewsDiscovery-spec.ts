import { expect } from 'chai';
import fc from 'fast-check';
import { map } from 'rxjs';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { autodiscovered } from '../../lib/ews/discovery/autodiscover.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import type { EwsFailure, EwsOperation } from '../../lib/testing/ews/simulator.ts';
import { possibleLeftovers, checkRandomRuns } from '../support/random/randomRuns.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { breachesIn, watchers } from '../support/watchers.ts';
import { type Host, twoServers } from '../ews/twoServers.ts';

/** A change in a domain of two servers that have the same mailbox. */
type Change =
  | { readonly named: Host | 'none' }
  | { readonly down: Host }
  | { readonly up: Host }
  | { readonly restart: Host }
  | { readonly streamsEnd: Host }
  | { readonly fail: Host; readonly how: EwsFailure; readonly on: EwsOperation; readonly count: number };

interface Scenario {
  readonly visits: readonly {
    readonly at: number;
    readonly forSeconds: number;
    readonly way: 'pull' | 'streaming';
  }[];
  readonly changes: readonly (readonly [atSecond: number, change: Change])[];
  readonly mails: readonly number[];
  readonly latencyMs: number;
  /** The server that has the mailbox in the end. */
  readonly home: Host;
  /** Whether the other server is gone by then. */
  readonly isRetired: boolean;
}

const SPAN_SECONDS = 1200;
const second = fc.nat(SPAN_SECONDS);
const host = fc.constantFrom<Host>(0, 1);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ named: fc.constantFrom<Host | 'none'>(0, 1, 0, 1, 'none') }),
  fc.record({ down: host }),
  fc.record({ up: host }),
  fc.record({ restart: host }),
  fc.record({ streamsEnd: host }),
  fc.record({
    fail: host,
    how: fc.constantFrom<EwsFailure>(
      { error: 'ErrorMailboxMoveInProgress' },
      { error: 'ErrorProxyRequestNotAllowed' },
      { error: 'ErrorMailboxFailover' },
      { status: 502 },
      { status: 503 },
      'resetAfterActing',
      { arrivesAfterMs: 8000 },
    ),
    on: fc.constantFrom<EwsOperation>('Subscribe', 'GetEvents', 'GetStreamingEvents', 'Unsubscribe'),
    count: fc.integer({ min: 1, max: 8 }),
  }),
);

const scenario: fc.Arbitrary<Scenario> = fc.record({
  visits: fc.array(
    fc.record({
      at: second,
      forSeconds: fc.oneof(fc.nat(900), fc.constant(Infinity)),
      way: fc.constantFrom('pull' as const, 'streaming' as const),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  changes: fc.array(fc.tuple(second, change), { maxLength: 8 }),
  mails: fc.array(second, { maxLength: 12 }),
  latencyMs: fc.constantFrom(0, 20, 2000),
  home: host,
  isRetired: fc.boolean(),
});

const CALM_AT = 1300;
const LAST_MAIL_AT = 2500;
const QUIET_AT = 2800;
/** A time after which subscriptions have expired. */
const SETTLED_AT = 6000;

/** Runs a scenario, and returns the breaches of the laws. */
function run({ visits, changes, mails, latencyMs, home, isRetired }: Scenario): readonly string[] {
  const domain = twoServers({ latencyMs });
  const { servers, down } = domain;
  const [folder = '', same] = servers.map((server) => server.createFolder());
  const breaches: string[] = [];
  const outcomes: ReleaseOutcome[] = [];
  let events = 0;

  const exchange = connectExchange({
    server: autodiscovered('sara@contoso.com'),
    transport: domain.transport,
    retry: { initialMs: 1000, random: () => 0.5 },
  });
  const { alive, tally, enter } = watchers(({ way }: Scenario['visits'][number]) => {
    const watched = { folders: [{ id: folder }], events: ['modified'] } as const;
    const events$ =
      way === 'pull' ? pullNotifications(exchange, watched) : streamingNotifications(exchange, watched);
    // The subscriptions are never read, and many have to be possible.
    return events$.pipe(
      map((event) =>
        event.type === 'gap' ? 'loss' : event.type === 'modified' ? event.unreadCount : undefined,
      ),
    );
  });

  const happen = (): void => {
    events += 1;
    for (const server of servers) server.deliverMail(folder);
  };
  const act = (one: Change): void => {
    if ('named' in one) domain.named = one.named;
    else if ('down' in one) {
      down.add(one.down);
      servers[one.down].closeStreams('reset');
    } else if ('up' in one) down.delete(one.up);
    else if ('restart' in one) servers[one.restart].restart();
    else if ('streamsEnd' in one) servers[one.streamsEnd].closeStreams('reset');
    else servers[one.fail].failNext(one.count, one.how, one.on);
  };

  const held = (): number => servers.reduce((sum, { subscriptions }) => sum + subscriptions.length, 0);

  inVirtualTime(() => {
    expect(same).to.equal(folder);
    exchange.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    for (const visit of visits) at(visit.at, () => enter(visit));
    for (const [seconds, one] of changes) at(seconds, () => act(one));
    for (const seconds of mails) at(seconds, happen);
    at(CALM_AT, () => {
      domain.named = home;
      down.clear();
      if (isRetired) act({ down: home === 0 ? 1 : 0 });
      for (const server of servers) server.clearFailures();
    });
    at(LAST_MAIL_AT, happen);
    at(QUIET_AT, () => {
      const watching = alive();
      const there = isRetired ? servers[home].subscriptions.length : held();
      const extra = there - watching.length;
      if (extra < 0 || extra > possibleLeftovers(outcomes))
        breaches.push(
          `${there} on the servers for ${watching.length} that are alive, ${possibleLeftovers(outcomes)} reported`,
        );
      for (const { last } of watching)
        if (last !== events) breaches.push(`the last event was ${last}, and not ${events}`);
      void exchange.close();
    });
    at(SETTLED_AT, () => {
      if (held() > possibleLeftovers(outcomes))
        breaches.push(`${held()} left on the servers, ${possibleLeftovers(outcomes)} reported`);
    });
  });
  return [...breaches, ...breachesIn(tally)];
}

describe('An autodiscovered connection, while its mailbox moves and servers fail,', () => {
  it('reports every loss and leftover, and ends on the right server', function () {
    checkRandomRuns(this, 200, scenario, (tried) => {
      expect(run(tried)).to.deep.equal([]);
    });
  });
});
