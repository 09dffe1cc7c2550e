import { expect } from 'chai';
import fc from 'fast-check';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import { ucwaDomain } from '../../lib/testing/ucwa/discovery/domain.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { possibleLeftovers, checkRandomRuns } from '../support/random/randomRuns.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { breachesIn, watchers } from '../support/watchers.ts';
import { emitNote, NOTED, notesIn } from '../ucwa/numberedNotes.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

/** A change in a domain: users move to another pool, tokens are rejected, hosts fail. */
type Change =
  | 'the pool is moved'
  | 'tokens are refused'
  | 'the pool restarts'
  | 'applications end'
  | 'subscriptions expire'
  | 'a resync'
  | 'a resume'
  | { readonly fail: 'discovery' | 'token' | 'pool'; readonly how: Fault; readonly count: number };

interface Scenario {
  readonly visits: readonly {
    readonly at: number;
    readonly forSeconds: number;
    readonly to: 'presence' | 'events';
  }[];
  readonly changes: readonly (readonly [atSecond: number, change: Change])[];
  readonly events: readonly number[];
  readonly latencyMs: number;
  readonly tokenSeconds: number;
  readonly isBatched: boolean;
}

const SPAN_SECONDS = 600;
const second = fc.nat(SPAN_SECONDS);

const HOW: readonly Fault[] = [
  'reset',
  'resetAfterActing',
  { arrivesAfterMs: 5000 },
  { status: 401 },
  { status: 403 },
  { status: 502 },
  { status: 503 },
  { delayMs: 5000 },
  { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom<Change>(
    'the pool is moved',
    'the pool is moved',
    'tokens are refused',
    'the pool restarts',
    'applications end',
    'subscriptions expire',
    'a resync',
    'a resume',
  ),
  fc.record({
    fail: fc.constantFrom('discovery' as const, 'token' as const),
    how: fc.constantFrom<Fault>(...HOW, { status: 404 }),
    count: fc.integer({ min: 1, max: 8 }),
  }),
  // The client trusts a pool that has lost its state.
  fc.record({
    fail: fc.constant('pool' as const),
    how: fc.constantFrom(...HOW),
    count: fc.integer({ min: 1, max: 8 }),
  }),
);

const scenario: fc.Arbitrary<Scenario> = fc.record({
  visits: fc.array(
    fc.record({
      at: second,
      forSeconds: fc.oneof(fc.nat(500), fc.constant(Infinity)),
      to: fc.constantFrom('presence' as const, 'presence' as const, 'events' as const),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  changes: fc.array(fc.tuple(second, change), { maxLength: 6 }),
  events: fc.array(second, { maxLength: 12 }),
  latencyMs: fc.constantFrom(0, 20, 2000),
  tokenSeconds: fc.constantFrom(28_800, 300),
  isBatched: fc.boolean(),
});

const CALM_AT = 700;
const LAST_EVENT_AT = 1900;
const QUIET_AT = 2200;
const SETTLED_AT = 6000;

const USER = { username: 'lene@contoso.com', password: 'a-secret-password' };

/** Returns the part of the connection that sends a request to this URL. */
function partOf(url: string): 'discovery' | 'token' | 'pool' {
  const { hostname, pathname } = new URL(url);
  if (pathname.endsWith('/oauthtoken')) return 'token';
  return hostname.startsWith('pool') ? 'pool' : 'discovery';
}

/** Runs a scenario, and returns the breaches of the laws. */
function run({ visits, changes, events, latencyMs, tokenSeconds, isBatched }: Scenario): readonly string[] {
  const domain = ucwaDomain({
    ...{ latencyMs, tokenSeconds, mediumSeconds: 0, users: { [USER.username]: USER.password } },
  });
  const breaches: string[] = [];
  const outcomes: ReleaseOutcome[] = [];
  let number = 0;
  let isCalm = false;

  const ucwa = connectUcwa({
    ...{
      server: discovered('contoso.com'),
      auth: password(USER),
      transport: domain.transport,
      ...(isBatched ? { batch: batching() } : {}),
    },
    retry: { initialMs: 1000, random: () => 0.5 },
  });

  const happen = (): void => {
    number += 1;
    emitNote(domain.pool, number);
  };
  const act = (one: Change): void => {
    const { pool } = domain;
    if (typeof one === 'object')
      domain.failNext(one.count, one.how, ({ url }) => !isCalm && partOf(url) === one.fail);
    else if (one === 'the pool is moved') domain.movePool();
    else if (one === 'tokens are refused') domain.revokeTokens();
    else if (one === 'the pool restarts') pool.restart();
    else if (one === 'applications end') pool.endApplications();
    else if (one === 'subscriptions expire') pool.expire();
    else pool.reset(one === 'a resync' ? 'resync' : 'resume');
  };

  const { alive, tally, enter } = watchers(({ to }: Scenario['visits'][number]) => {
    return notesIn(to === 'presence' ? presence(ucwa, { uris: [NOTED] }) : ucwa.events$);
  });

  inVirtualTime(() => {
    ucwa.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    for (const visit of visits) at(visit.at, () => enter(visit));
    for (const [seconds, one] of changes) at(seconds, () => act(one));
    for (const seconds of events) at(seconds, happen);
    at(CALM_AT, () => (isCalm = true));
    at(LAST_EVENT_AT, happen);
    at(QUIET_AT, () => {
      const held = domain.pool.presenceSubscriptions.length;
      const watching = alive();
      const wanted = watching.filter(({ visit }) => visit.to === 'presence').length;
      if (held < wanted || held > wanted + possibleLeftovers(outcomes))
        breaches.push(
          `${held} on the server for ${wanted} that are alive, ${possibleLeftovers(outcomes)} reported`,
        );
      for (const { last, visit } of watching)
        if (last !== number) breaches.push(`${visit.to} got ${last} last, and not ${number}`);
      void ucwa.close();
    });
    at(SETTLED_AT, () => {
      const { applications, presenceSubscriptions } = domain.pool;
      const left = applications.length + presenceSubscriptions.length;
      if (left > possibleLeftovers(outcomes))
        breaches.push(`${left} left on the server, ${possibleLeftovers(outcomes)} reported`);
    });
  });
  return [...breaches, ...breachesIn(tally)];
}

describe('A connection to a domain, while pools move and tokens are rejected,', () => {
  it('reports every loss and leftover, and ends on the right pool', function () {
    checkRandomRuns(this, 200, scenario, (tried) => {
      expect(run(tried)).to.deep.equal([]);
    });
  });
});
