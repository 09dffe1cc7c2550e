import { inspect } from 'node:util';
import { config } from 'rxjs';
import {
  type DrainReport,
  type Failed,
  HttpError,
  NetworkError,
  type ReleaseOutcome,
} from '../../lib/index.ts';
import { ewsWorld } from './ewsWorld.ts';
import type { Program, Step, Visit } from './program.ts';
import { ucwaWorld } from './ucwaWorld.ts';
import { inVirtualTime, type VirtualTime } from './virtualTime.ts';
import { ThrownByProgram, visitor, type Visitor } from './visitor.ts';
import { ELSEWHERE, MOST_REQUESTS } from './wire.ts';
import type { World } from './world.ts';

/** What came of a program. */
export interface Report {
  /** What broke a law: a line each, empty where all was as it is to be. */
  readonly breaches: readonly string[];
  readonly figures: Figures;
  /** What went over the wire and what was told, in order: the same for the same program. */
  readonly trace: readonly string[];
  /** How each visitor fared: that it goes on, or what it ended with. */
  readonly fates: readonly string[];
  /** What stands in the ledger, in short and in order. */
  readonly outcomes: readonly string[];
}

/** What is counted. */
export interface Figures {
  readonly events: number;
  readonly faults: number;
  readonly subscriptions: number;
  readonly leaks: number;
  readonly losses: number;
  readonly doubles: number;
  readonly uncaught: number;
}

/** What is noted while a program is played. */
interface Notes {
  readonly outcomes: ReleaseOutcome[];
  readonly visitors: Visitor[];
  /** The place of each subscription that the server ever held, by its id. */
  readonly everHeld: Map<string, string>;
  readonly breaches: string[];
  readonly trace: string[];
  readonly drains: { readonly report: Promise<DrainReport>; answer?: DrainReport }[];
  readonly uncaught: unknown[];
  pending: number;
  last: number;
  upheavals: number;
  isClosed: boolean;
}

/** Plays a program in virtual time, and tells which laws were broken. */
export async function play(program: Program): Promise<Report> {
  const notes: Notes = {
    ...{ outcomes: [], visitors: [], everHeld: new Map(), breaches: [], trace: [], drains: [], uncaught: [] },
    ...{ pending: 0, last: 0, upheavals: 0, isClosed: false },
  };
  const before = config.onUnhandledError;
  config.onUnhandledError = (error) => notes.uncaught.push(error);
  const realTimers = withoutRealTimers();
  let world: World | undefined;
  try {
    inVirtualTime((time) => {
      world = worldOf(program, notes, time);
      schedule(program, world, notes, time);
    });
  } catch (error) {
    notes.breaches.push(`law 4: an error came out of the timers: ${inspect(error)}`);
  } finally {
    notes.breaches.push(...realTimers());
    config.onUnhandledError = before;
  }
  // Rejections that nobody handles are told behind the promises.
  await new Promise((resolve) => setImmediate(resolve));
  if (world !== undefined) account(program, world, notes);
  return reportOf(world, notes);
}

function worldOf(program: Program, notes: Notes, time: VirtualTime): World {
  const look = (): void => {
    for (const { id, place } of world.held()) notes.everHeld.set(id, place);
  };
  const passed = (): void => look();
  const world = program.protocol === 'UCWA' ? ucwaWorld(program, passed) : ewsWorld(program, passed);
  const hasSlept = program.steps.some(({ what }) => what === 'leap');
  world.releases.pending$.subscribe((count) => (notes.pending = count));
  world.releases.outcomes$.subscribe((told) => {
    // By a link that was led astray it is still the same.
    const outcome = told.id === undefined ? told : { ...told, id: told.id.replace(ELSEWHERE, world.origin) };
    notes.outcomes.push(outcome);
    notes.trace.push(`${time.now}: ${outcome.outcome} ${outcome.resource} ${outcome.id ?? ''}`);
    const isToBeGone = !MAY_BE_THERE.has(outcome.outcome) && !(hasSlept && outcome.outcome === 'Expired');
    if (isToBeGone && world.hasIds && world.held().some(({ id }) => id === outcome.id)) {
      notes.breaches.push(`law 1: told as ${outcome.outcome}, and still there: ${outcome.id}`);
    }
  });
  return world;
}

function schedule({ steps, ending }: Program, world: World, notes: Notes, time: VirtualTime): void {
  const { calmMs, lastEventMs, quietMs, settledMs } = world.timetable;
  const slept = steps.reduce((sum, step) => (step.what === 'leap' ? sum + step.ms : sum), 0);
  const begun = Math.max(0, ...steps.map(({ at }) => at)) + slept;
  for (const step of steps) {
    if (step.what === 'visit') {
      const name = `visitor ${notes.visitors.length + 1}`;
      notes.visitors.push(
        visitor(name, step, world.source(step), (value) => told(world, notes, name, step, value, time)),
      );
    }
  }
  const coming = notes.visitors[Symbol.iterator]();
  for (const step of steps) {
    const comes = step.what === 'visit' ? coming.next().value : undefined;
    time.at(step.at, () => act(step, comes, world, notes, time));
  }
  time.at(begun + calmMs, () => {
    world.calm();
    world.wire.calm();
  });
  time.at(begun + lastEventMs, () => (notes.last = world.happen()));
  time.at(begun + quietMs, () => {
    checkQuiet(world, notes);
    if (ending === 'close' || notes.isClosed) close(world, notes);
    for (const one of notes.visitors) one.leave();
  });
  time.at(begun + settledMs, () => {
    checkSettled(world, notes, time);
    time.stop();
  });
}

function told(
  world: World,
  notes: Notes,
  name: string,
  visit: Visit,
  value: unknown,
  time: VirtualTime,
): ReturnType<World['read']> {
  const read = world.read(visit, value);
  if (read !== undefined) notes.trace.push(`${time.now}: ${name} is told ${read}`);
  return read;
}

function act(step: Step, comes: Visitor | undefined, world: World, notes: Notes, time: VirtualTime): void {
  switch (step.what) {
    case 'visit':
      comes?.enter();
      break;
    case 'event':
      for (let left = step.count; left > 0; left -= 1) world.happen();
      break;
    case 'failure':
      world.fail(step);
      break;
    case 'upheaval':
      notes.upheavals += 1;
      world.upheave(step.how);
      break;
    case 'misleading':
      world.wire.mislead((gist) => world.matches(step.on, gist));
      break;
    case 'leap':
      time.leap(step.ms);
      break;
    case 'drain':
      drain(world.drain(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }), notes);
      break;
    case 'close':
      close(world, notes);
  }
}

function drain(report: Promise<DrainReport>, notes: Notes): void {
  const draining: Notes['drains'][number] = { report };
  notes.drains.push(draining);
  report.then(
    (answer) => (draining.answer = answer),
    (error: unknown) => notes.breaches.push(`law 4: drain() was rejected with ${String(error)}`),
  );
}

function close(world: World, notes: Notes): void {
  notes.isClosed = true;
  drain(world.close(), notes);
  for (const { isAlive, name, visit } of notes.visitors) {
    // Who waits before subscribing again is told then.
    if (isAlive && visit.retries === 0) notes.breaches.push(`law 4: ${name} goes on after close()`);
  }
}

const MAY_BE_THERE: ReadonlySet<ReleaseOutcome['outcome']> = new Set(['Failed', 'Unknown']);

/** What the ledger says may be left: by id where that is known and nobody else's, else how many. */
function mayBeLeft(
  { hasIds }: World,
  outcomes: readonly ReleaseOutcome[],
): { readonly failed: ReadonlySet<string | undefined>; readonly unknown: number } {
  // What expires while the machine sleeps is gone from a server, but for this one, which has slept, too.
  const failed = outcomes.filter(({ outcome }) => outcome === 'Failed' || outcome === 'Expired');
  const unknown = outcomes.filter(({ outcome }) => outcome === 'Unknown').length;
  return hasIds
    ? { failed: new Set(failed.map(({ id }) => id)), unknown }
    : { failed: new Set(), unknown: unknown + failed.length };
}

/** Where ids start again, and the answer is lost that gives one of ours to another, nobody can tell them apart. */
const isMuddled = ({ hasIds }: World, outcomes: readonly ReleaseOutcome[]): boolean =>
  !hasIds && outcomes.some(({ outcome }) => outcome === 'Unknown');

const countBy = (names: readonly (string | undefined)[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

/** The subscriptions that those who are alive need, by place. */
function wanted(world: World, visitors: readonly Visitor[]): Map<string, number> {
  const alive = visitors.filter(({ isAlive }) => isAlive);
  const needs = new Map<string, string | undefined>();
  alive.forEach(({ visit }, index) => {
    const isShared = visit.sharing !== 'own' || visit.to === 'contacts';
    const key = isShared
      ? `${visit.to} ${visit.place} ${visit.to === 'contacts' ? '' : visit.sharing}`
      : String(index);
    needs.set(visit.to === 'contacts' ? 'contacts' : key, world.placeOf(visit));
  });
  return countBy([...needs.values()]);
}

function checkQuiet(world: World, notes: Notes): void {
  const { breaches, outcomes, visitors } = notes;
  if (notes.pending !== 0)
    breaches.push(`law 4: ${notes.pending} releases are under way though all is quiet`);
  const { failed, unknown } = mayBeLeft(world, outcomes);
  const held = countBy(world.held().map(({ id, place }) => (failed.has(id) ? undefined : place)));
  const needs = isMuddled(world, outcomes) ? new Map<string, number>() : wanted(world, visitors);
  for (const [place, count] of needs) {
    const found = held.get(place) ?? 0;
    if (found < count)
      breaches.push(`law 7: the server holds ${found} of ${place} for ${count} that are alive`);
  }
  const extra = [...held].reduce(
    (sum, [place, count]) => sum + Math.max(0, count - (needs.get(place) ?? 0)),
    0,
  );
  if (extra > unknown && !isMuddled(world, outcomes))
    breaches.push(`leak, law 1: ${extra} on the server that nobody has, and ${unknown} unknown`);
  if (isMuddled(world, outcomes)) return;
  for (const { name, visit, isAlive, follower, values } of visitors) {
    if (isAlive && world.isTold(visit) && visit.to !== 'batches' && follower.last !== notes.last) {
      breaches.push(
        `law 7: ${name} is alive and was not told of the last event (${values} values, ${follower.last} of ${notes.last})`,
      );
    }
  }
}

function checkSettled(world: World, notes: Notes, time: VirtualTime): void {
  const { breaches, outcomes } = notes;
  if (notes.pending !== 0)
    breaches.push(`law 4: ${notes.pending} releases are under way after all have left`);
  const { failed, unknown } = mayBeLeft(world, outcomes);
  const left = world.held().filter(({ id }) => !failed.has(id));
  if (left.length > unknown)
    breaches.push(
      `leak, law 1: ${left.map(({ id }) => id).join(', ')} left on the server, and ${unknown} unknown`,
    );
  const more = world.leftovers();
  const known = outcomes.filter(
    ({ outcome, resource }) => resource === 'application' && (outcome === 'Unknown' || outcome === 'Failed'),
  ).length;
  if (more.length > known) breaches.push(`leak, law 5: ${more.join(', ')} left after all have left`);
  if (world.wire.open > 0) breaches.push(`leak, law 5: ${world.wire.open} requests are still open`);
  if (time.timers > 0) breaches.push(`leak, law 10: ${time.timers} timers are still set`);
}

/** The accounts that are made when all is over. */
function account(program: Program, world: World, notes: Notes): void {
  const { breaches, outcomes, visitors } = notes;
  breaches.push(...visitors.flatMap((one) => one.breaches));
  for (const { name, tally } of isMuddled(world, outcomes) ? [] : visitors) {
    if (tally.losses > 0) breaches.push(`loss, law 7: ${name} missed ${tally.losses}, and was not told`);
    if (tally.doubles > 0) breaches.push(`double, law 7: ${name} was told ${tally.doubles} twice`);
    if (tally.disorders > 0) breaches.push(`law 7: ${name} was told ${tally.disorders} in the wrong order`);
  }
  if (!isMuddled(world, outcomes)) breaches.push(...world.breaches());
  for (const error of notes.uncaught) {
    if (!(error instanceof ThrownByProgram)) breaches.push(`uncaught, law 4: ${inspect(error)}`);
  }
  breaches.push(
    ...ledgerOf(program, world, notes),
    ...wireOf(world),
    ...secretsOf(world, visitors, outcomes),
  );
  for (const { answer } of notes.drains) {
    if (answer === undefined) breaches.push('law 4: a drain() was never answered');
    else if (answer.clean !== (answer.pending === undefined && answer.outcomes.every(isClean)))
      breaches.push('law 4: a drain() calls clean what is not, or the other way about');
  }
}

const isClean = ({ outcome }: ReleaseOutcome): boolean => outcome !== 'Unknown' && outcome !== 'Failed';

const isFailed = (outcome: ReleaseOutcome): outcome is Failed => outcome.outcome === 'Failed';

/** So often at least a release is tried whose failure passes by itself. */
const PATIENT = 5;

const isTransient = (cause: unknown): boolean =>
  cause instanceof NetworkError ||
  (cause instanceof HttpError && [408, 429, 500, 502, 503, 504].includes(cause.status));

/** Of the user's contacts and groups an application has one subscription, which is made again under its old id. */
const IS_ONE_FOR_ALL = /\/myContactsAndGroupsSubscription$/;

/** Each subscription has one outcome, and it is what became of it. */
function ledgerOf(
  { steps }: Program,
  world: World,
  { outcomes, everHeld, visitors }: Notes,
): readonly string[] {
  const found: string[] = [];
  const isUndisturbed = steps.every(({ what }) => what === 'visit' || what === 'event' || what === 'close');
  if (isUndisturbed) {
    for (const { name, tally } of world.isGapless ? visitors : [])
      if (tally.gaps > 0) found.push(`law 7: ${name} was told of a loss where nothing went wrong`);
    for (const { outcome, id } of outcomes)
      if (outcome !== 'Released')
        found.push(`law 1: told as ${outcome} where nothing went wrong: ${id ?? 'no id'}`);
    const made = countBy([...everHeld.values()]);
    for (const [place, count] of made) {
      const opened = world.openings.get(place) ?? 0;
      if (count > opened) found.push(`law 5: ${count} were made of ${place} for ${opened}`);
    }
  }
  for (const { attempts, cause } of outcomes.filter(isFailed)) {
    // Who has slept may wake up when the time is over.
    if (attempts < PATIENT && isTransient(cause) && steps.every(({ what }) => what !== 'leap'))
      found.push(`law 3: given up after ${attempts} attempts, for ${String(cause)}`);
  }
  if (!world.hasIds) return found;
  const ends = countBy(
    outcomes.map(({ id, resource }) =>
      resource === 'application' || IS_ONE_FOR_ALL.test(id ?? '') ? undefined : id,
    ),
  );
  for (const [id, count] of ends) if (count > 1) found.push(`law 1: ${id} has ${count} outcomes`);
  const { unknown } = mayBeLeft(world, outcomes);
  const untold = [...everHeld.keys()].filter((id) => !ends.has(id) && !IS_ONE_FOR_ALL.test(id));
  if (untold.length > unknown)
    found.push(`law 1: ${untold.join(', ')} without an outcome, and ${unknown} unknown`);
  return found;
}

/** How long a request may stay without an answer before it is given up. */
const PATIENCE_MS = 120_000;

/** What creates and removes is never given up, and nothing goes to another origin. */
function wireOf({ wire, origin, mostChannels }: World): readonly string[] {
  const found: string[] = [];
  for (const { purpose, end, at, endedAt, name, origin: sentTo, isKeptAlive } of wire.requests) {
    if (sentTo !== origin) found.push(`law 9: ${name} was sent to ${sentTo}`);
    if (purpose === 'creation' && end === 'abandoned' && endedAt - at < PATIENCE_MS)
      found.push(`law 2: ${name} was aborted`);
    if (purpose !== 'removal') continue;
    if (end === 'abandoned' && endedAt - at < PATIENCE_MS) found.push(`law 3: ${name} was aborted`);
    if (!isKeptAlive) found.push(`law 3: ${name} would not outlive its page`);
  }
  if (wire.requests.length >= MOST_REQUESTS)
    found.push(`law 10: more than ${MOST_REQUESTS} requests were sent`);
  if (wire.mostChannels > mostChannels)
    found.push(`law 5: ${wire.mostChannels} requests for events were open at once`);
  return found;
}

function secretsOf(
  { secrets }: World,
  visitors: readonly Visitor[],
  outcomes: readonly ReleaseOutcome[],
): readonly string[] {
  const shown = [...visitors.flatMap(({ errors }) => errors), ...outcomes.filter((one) => 'cause' in one)];
  return shown.flatMap((one) => {
    const text = inspect(one, { depth: 6, showHidden: true }) + String(one);
    return secrets.some((secret) => text.includes(secret))
      ? [`law 9: a secret is in ${text.slice(0, 300)}`]
      : [];
  });
}

/** Counts what is set on the machine's own timers, from now until the returned function is called. */
function withoutRealTimers(): () => readonly string[] {
  const { setTimeout: timeout, setInterval: interval, setImmediate: immediate } = globalThis;
  let count = 0;
  const counting = <Set extends (...given: never[]) => unknown>(set: Set): Set =>
    ((...given: never[]) => {
      count += 1;
      return set(...given);
    }) as Set;
  Object.assign(globalThis, {
    setTimeout: counting(timeout),
    setInterval: counting(interval),
    setImmediate: counting(immediate),
  });
  return () => {
    Object.assign(globalThis, { setTimeout: timeout, setInterval: interval, setImmediate: immediate });
    return count === 0 ? [] : [`law 10: ${count} timers of the machine were set`];
  };
}

const starting = (breaches: readonly string[], word: string): number =>
  breaches.filter((breach) => breach.startsWith(word)).length;

/** Where several things happened at once, requests come first. */
const byTime = (one: string, other: string): number => Number.parseFloat(one) - Number.parseFloat(other);

function reportOf(world: World | undefined, notes: Notes): Report {
  const { breaches, visitors, everHeld } = notes;
  const sum = (of: (one: Visitor) => number): number => visitors.reduce((all, one) => all + of(one), 0);
  const requests = world?.wire.requests ?? [];
  return {
    breaches,
    figures: {
      events: sum(({ tally }) => tally.events),
      faults: (world?.wire.faults ?? 0) + notes.upheavals,
      subscriptions: everHeld.size,
      leaks: starting(breaches, 'leak'),
      losses: sum(({ tally }) => tally.losses),
      doubles: sum(({ tally }) => tally.doubles),
      uncaught: starting(breaches, 'uncaught'),
    },
    trace: [
      ...requests.map(({ at, name, status, end }) => `${at}: ${name} ${status ?? end}`),
      ...notes.trace,
    ].sort(byTime),
    outcomes: notes.outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`),
    fates: visitors.map(({ name, errors, end }) => {
      const error = errors.at(-1);
      return `${name}: ${end ?? 'goes on'}${error === undefined ? '' : ` with ${wordsFor(error)}`}`;
    }),
  };
}

function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { status, code } = error as { readonly status?: number; readonly code?: string };
  return [error.name, status, code].filter((word) => word !== undefined).join(' ');
}
