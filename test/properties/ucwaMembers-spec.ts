import { expect } from 'chai';
import fc from 'fast-check';
import { concat, map, type Observable, of, timer } from 'rxjs';
import type { HttpRequest } from '../../lib/core/transport/transport.ts';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import type { UcwaEvent } from '../../lib/ucwa/protocol/events.ts';
import { groupPresence } from '../../lib/ucwa/presence/group.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { possibleLeftovers, checkRandomRuns } from '../support/random/randomRuns.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { retryUntilClosed } from '../support/retryUntilClosed.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

/** A subscriber of a group, or of a list that changes at these intervals in milliseconds. */
interface Visit {
  readonly at: number;
  readonly forMs: number;
  readonly lists: readonly (readonly [afterMs: number, members: readonly number[]])[] | 'a group';
}

type Upheaval = 'restart' | 'expire' | 'endApplications' | 'resume' | 'resync' | 'one ends';

interface Scenario {
  readonly visits: readonly Visit[];
  readonly upheavals: readonly (readonly [atMs: number, how: Upheaval])[];
  readonly failures: readonly (readonly [atMs: number, on: keyof typeof IS_FOR, how: Fault, count: number])[];
  readonly latencyMs: number;
  readonly maxContactsAtOnce: number;
  readonly contactHrefs: 'address' | 'opaque';
  readonly isBatched: boolean;
}

const IS_FOR = {
  channel: ({ url }: HttpRequest) => url.includes('/events'),
  creation: ({ method, url }: HttpRequest) => method === 'POST' && url.endsWith('/presenceSubscriptions'),
  members: ({ url }: HttpRequest) => /[Mm]embership/.test(url) || /\/presenceSubscriptions\/\w+/.test(url),
  'any request': () => true,
};

const SPAN_MS = 20_000;
const moment = fc.nat(SPAN_MS);
const members = fc.uniqueArray(fc.nat(5), { maxLength: 5 });

const scenario: fc.Arbitrary<Scenario> = fc.record({
  visits: fc.array(
    fc.record({
      at: moment,
      forMs: fc.oneof(fc.nat(SPAN_MS), fc.constant(Infinity)),
      lists: fc.oneof(
        {
          arbitrary: fc.array(fc.tuple(fc.oneof(fc.nat(3000), fc.nat(60)), members), {
            minLength: 1,
            maxLength: 5,
          }),
          weight: 4,
        },
        fc.constant('a group' as const),
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  upheavals: fc.array(
    fc.tuple(
      moment,
      fc.constantFrom<Upheaval>('restart', 'expire', 'endApplications', 'resume', 'resync', 'one ends'),
    ),
    { maxLength: 3 },
  ),
  failures: fc.array(
    fc.tuple(
      moment,
      fc.constantFrom<keyof typeof IS_FOR>('channel', 'creation', 'members', 'members', 'any request'),
      fc.constantFrom<Fault>(
        'reset',
        'resetAfterActing',
        { arrivesAfterMs: 400 },
        { arrivesAfterMs: 4000 },
        { status: 503 },
        { status: 429, headers: { 'retry-after': '1' } },
        { status: 500 },
        { delayMs: 400 },
        { truncateAfterBytes: 30 },
      ),
      fc.integer({ min: 1, max: 4 }),
    ),
    { maxLength: 3 },
  ),
  latencyMs: fc.constantFrom(0, 8, 200),
  maxContactsAtOnce: fc.constantFrom(Infinity, 2, 1),
  contactHrefs: fc.constantFrom('address', 'opaque'),
  isBatched: fc.boolean(),
});

const uriOf = (member: number): string => `sip:member${member}@contoso.com`;
const GROUP = [0, 3];
const CALM_AT = 25_000;
const LAST_EVENT_AT = 200_000;
const QUIET_AT = 300_000;
const SETTLED_AT = 3_000_000;

const namesOf = (uris: readonly string[]): string =>
  uris
    .map((uri) => uri.replace(/^sip:/, ''))
    .toSorted()
    .join(' ');

/** Runs a scenario, and returns the breaches of the laws. */
function run(scene: Scenario): readonly string[] {
  const { visits, upheavals, failures, latencyMs, maxContactsAtOnce, contactHrefs, isBatched } = scene;
  const server = ucwaSimulator({
    ...{ latencyMs, maxContactsAtOnce, contactHrefs, mediumSeconds: 0 },
    groups: { Friends: GROUP.map(uriOf) },
  });
  const breaches: string[] = [];
  const outcomes: ReleaseOutcome[] = [];
  let isCalm = false;
  const ucwa = connectUcwa({
    ...{ server: server.url, auth: bearer('token'), transport: server.transport },
    ...(isBatched ? { batch: batching() } : {}),
    retry: { initialMs: 100, maxMs: 2000, random: () => 0.5 },
  });

  let alive: readonly { readonly wanted: readonly string[]; readonly recorded: ReadonlySet<string> }[] = [];
  const enter = ({ forMs, lists }: Visit): void => {
    const recorded = new Set<string>();
    let wanted = lists === 'a group' ? GROUP.map(uriOf) : [];
    const live$ = (changes: Exclude<Visit['lists'], string>): Observable<readonly string[]> =>
      concat(
        ...changes.map(([afterMs, list], index) =>
          (index === 0 ? of(0) : timer(afterMs)).pipe(map(() => (wanted = list.map(uriOf)))),
        ),
      );
    const events$: Observable<UcwaEvent> =
      lists === 'a group' ? groupPresence(ucwa, { name: 'Friends' }) : presence(ucwa, { uris: live$(lists) });
    const watching = events$.pipe(retryUntilClosed(500)).subscribe(({ type, link }) => {
      const [, name] = /\/people\/(member\d@contoso\.com)\/last$/.exec(link.href) ?? [];
      if (type === 'updated' && name !== undefined) recorded.add(name);
    });
    const me = {
      recorded,
      get wanted() {
        return wanted;
      },
    };
    alive = [...alive, me];
    watching.add(() => (alive = alive.filter((one) => one !== me)));
    if (forMs < Infinity) timer(forMs).subscribe(() => watching.unsubscribe());
  };

  const upheave = (how: Upheaval): void => {
    if (how === 'resume' || how === 'resync') server.reset(how);
    else if (how === 'one ends') {
      const [first] = server.presenceSubscriptions;
      if (first !== undefined) server.endSubscription(first.id);
    } else server[how]();
  };

  const checkQuiet = (): void => {
    const held = server.presenceSubscriptions.map(({ uris }) => namesOf(uris));
    const extra = [...held];
    for (const { wanted, recorded } of alive) {
      const names = namesOf(wanted);
      const index = extra.indexOf(names);
      if (index >= 0) extra.splice(index, 1);
      else if (wanted.length > 0) breaches.push(`nobody watches "${names}": ${held.join(', ')}`);
      const missing = names.split(' ').filter((name) => name !== '' && !recorded.has(name));
      if (contactHrefs === 'address' && missing.length > 0)
        breaches.push(`the subscriber of "${names}" did not get ${missing.join(' ')}`);
    }
    if (extra.filter((names) => names !== '').length > possibleLeftovers(outcomes))
      breaches.push(
        `"${extra.join(', ')}" is watched without a subscriber, ${possibleLeftovers(outcomes)} reported`,
      );
  };

  inVirtualTime(() => {
    ucwa.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    for (const visit of visits) timer(visit.at).subscribe(() => enter(visit));
    for (const [ms, how] of upheavals) timer(ms).subscribe(() => upheave(how));
    for (const [ms, on, how, count] of failures)
      timer(ms).subscribe(() => server.failNext(count, how, (request) => !isCalm && IS_FOR[on](request)));
    timer(CALM_AT).subscribe(() => (isCalm = true));
    timer(LAST_EVENT_AT).subscribe(() => {
      for (const member of [0, 1, 2, 3, 4, 5]) {
        const href = `/people/${uriOf(member).slice(4)}`;
        const link = { rel: 'contactNote', href: `${href}/last` };
        server.emit({ type: 'updated', link, in: { rel: 'contact', href } });
      }
    });
    timer(QUIET_AT).subscribe(() => {
      checkQuiet();
      void ucwa.close();
    });
    timer(SETTLED_AT).subscribe(() => {
      const left = server.applications.length + server.presenceSubscriptions.length;
      if (left > possibleLeftovers(outcomes))
        breaches.push(`${left} left on the server, ${possibleLeftovers(outcomes)} reported`);
    });
  });
  return breaches;
}

describe('Subscribers of groups and of lists that change', () => {
  it('finally have presence subscriptions for exactly their contacts', function () {
    checkRandomRuns(this, 300, scenario, (tried) => {
      expect(run(tried)).to.deep.equal([]);
    });
  });
});
