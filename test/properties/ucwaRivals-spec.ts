import { expect } from 'chai';
import fc from 'fast-check';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { possibleLeftovers, checkRandomRuns } from '../support/random/randomRuns.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { breachesIn, watchers } from '../support/watchers.ts';
import { emitNote, NOTED, notesIn } from '../ucwa/numberedNotes.ts';
import { bearer } from '../../lib/core/auth/auth.ts';

interface Visit {
  readonly at: number;
  readonly forSeconds: number;
  /** The number of the client. */
  readonly client: number;
  readonly to: 'presence' | 'events';
}

type Upheaval = 'restart' | 'expire' | 'endApplications' | 'resume' | 'resync';

/** Clients that read the event channel of the same application, until they detect it. */
interface Scenario {
  readonly visits: readonly Visit[];
  readonly upheavals: readonly (readonly [atSecond: number, how: Upheaval])[];
  readonly failures: readonly (readonly [atSecond: number, how: Fault, count: number])[];
  readonly events: readonly number[];
  readonly latencyMs: number;
  readonly ack: 'eager' | 'processed';
}

const SPAN_SECONDS = 100;
const second = fc
  .double({ min: 0, max: SPAN_SECONDS, noNaN: true })
  .map((value) => Math.round(value * 1000) / 1000);
const CLIENTS = 3;

const scenario: fc.Arbitrary<Scenario> = fc.record({
  visits: fc.array(
    fc.record({
      at: second,
      forSeconds: fc.oneof(second, fc.constant(Infinity)),
      client: fc.nat(CLIENTS - 1),
      to: fc.constantFrom('presence' as const, 'presence' as const, 'events' as const),
    }),
    { minLength: 2, maxLength: 6 },
  ),
  upheavals: fc.array(
    fc.tuple(second, fc.constantFrom<Upheaval>('restart', 'expire', 'endApplications', 'resume', 'resync')),
    { maxLength: 2 },
  ),
  failures: fc.array(
    fc.tuple(
      second,
      fc.constantFrom<Fault>(
        'reset',
        'resetAfterActing',
        { arrivesAfterMs: 900 },
        { status: 503 },
        { delayMs: 400 },
      ),
      fc.integer({ min: 1, max: 3 }),
    ),
    { maxLength: 2 },
  ),
  events: fc.array(second, { maxLength: 10 }),
  latencyMs: fc.constantFrom(0, 8, 200),
  ack: fc.constantFrom('eager', 'processed'),
});

const CALM_AT = 150;
const LAST_EVENT_AT = 900;
const QUIET_AT = 1200;
const SETTLED_AT = 6000;

/** Runs a scenario, and returns the breaches of the laws. */
function run({ visits, upheavals, failures, events, latencyMs, ack }: Scenario): readonly string[] {
  const server = ucwaSimulator({ latencyMs, mediumSeconds: 0 });
  const breaches: string[] = [];
  const outcomes: ReleaseOutcome[] = [];
  let number = 0;
  let isCalm = false;
  const clients = Array.from({ length: CLIENTS }, () =>
    connectUcwa({
      ...{ server: server.url, auth: bearer('token'), transport: server.transport, endpointId: 'shared' },
      channel: { ack, onPGetReplaced: 'newInstance' },
      retry: { initialMs: 200, maxMs: 2000, random: () => 0.5 },
    }),
  );
  const { alive, tally, enter } = watchers(({ client, to }: Visit) => {
    const ucwa = clients[client]!;
    return notesIn(to === 'presence' ? presence(ucwa, { uris: [NOTED] }) : ucwa.events$);
  });
  const happen = (): void => {
    number += 1;
    emitNote(server, number);
  };

  inVirtualTime(() => {
    for (const { releases } of clients) releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    for (const visit of visits) at(visit.at, () => enter(visit));
    for (const [seconds, how] of upheavals)
      at(seconds, () => (how === 'resume' || how === 'resync' ? server.reset(how) : server[how]()));
    for (const [seconds, how, count] of failures)
      at(seconds, () => server.failNext(count, how, () => !isCalm));
    for (const seconds of events) at(seconds, happen);
    at(CALM_AT, () => (isCalm = true));
    at(LAST_EVENT_AT, happen);
    at(QUIET_AT, () => {
      const held = server.presenceSubscriptions.length;
      const watching = alive();
      const wanted = watching.filter(({ visit }) => visit.to === 'presence').length;
      if (held < wanted || held > wanted + possibleLeftovers(outcomes))
        breaches.push(
          `${held} on the server for ${wanted} that are alive, ${possibleLeftovers(outcomes)} reported`,
        );
      for (const { last, visit } of watching)
        if (last !== number) breaches.push(`${visit.to} got ${last} last, and not ${number}`);
      for (const ucwa of clients) void ucwa.close();
    });
    at(SETTLED_AT, () => {
      const left = server.applications.length + server.presenceSubscriptions.length;
      if (left > possibleLeftovers(outcomes))
        breaches.push(`${left} left on the server, ${possibleLeftovers(outcomes)} reported`);
    });
  });
  return [...breaches, ...breachesIn(tally)];
}

describe('Clients that start with the same application', () => {
  it('finally get every event, and report every leftover', function () {
    checkRandomRuns(this, 200, scenario, (tried) => {
      expect(run(tried)).to.deep.equal([]);
    });
  });
});
