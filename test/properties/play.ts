import { inspect } from 'node:util';
import { config, filter, NEVER, take, takeUntil, timer } from 'rxjs';
import type { DrainReport, ReleaseOutcome } from '../../lib/index.ts';
import type { DrainOptions } from '../../lib/core/lifecycle/ledger.ts';
import { checkDrained, checkQuiet, checkSettled } from './checks.ts';
import { ewsWorld } from './ewsWorld.ts';
import { checkFinalState } from './finalChecks.ts';
import { withoutMachineTimers } from './machineTimers.ts';
import type { Notes } from './notes.ts';
import type { Program, Step, Visit } from './program.ts';
import { type Report, reportOf } from './report.ts';
import { ucwaWorld } from './ucwaWorld.ts';
import { inVirtualTime, type VirtualTime } from './virtualTime.ts';
import { visitor, type Visitor } from './visitor.ts';
import { ELSEWHERE } from './wire.ts';
import type { World } from './world.ts';

const MAY_BE_THERE: ReadonlySet<ReleaseOutcome['outcome']> = new Set(['Failed', 'Unknown']);

/** Runs a program in virtual time, and reports the broken laws. */
export async function play(program: Program): Promise<Report> {
  const notes: Notes = {
    ...{ outcomes: [], visitors: [], everHeld: new Map(), breaches: [], trace: [], drains: [], uncaught: [] },
    ...{ pending: 0, last: 0, lastAt: 0, upheavals: 0, isClosed: false, givenUpAt: Infinity },
  };
  const before = config.onUnhandledError;
  config.onUnhandledError = (error) => notes.uncaught.push(error);
  const machineTimers = withoutMachineTimers();
  let world: World | undefined;
  try {
    inVirtualTime((time) => {
      world = worldOf(program, notes, time);
      schedule(program, world, notes, time);
    });
  } catch (error) {
    notes.breaches.push(`law 4: an error came out of the timers: ${inspect(error)}`);
  } finally {
    notes.breaches.push(...machineTimers());
    config.onUnhandledError = before;
  }
  // Unhandled rejections are reported after the promise callbacks.
  await new Promise((resolve) => setImmediate(resolve));
  if (world !== undefined) checkFinalState(program, world, notes);
  return reportOf(world, notes);
}

function worldOf(program: Program, notes: Notes, time: VirtualTime): World {
  const look = (): void => {
    for (const { id, place } of world.held()) notes.everHeld.set(id, place);
  };
  const world = program.protocol === 'UCWA' ? ucwaWorld(program, look) : ewsWorld(program, look);
  const hasSlept = program.steps.some(({ what }) => what === 'leap');
  world.releases.pending$.subscribe((count) => (notes.pending = count));
  world.releases.outcomes$.subscribe((recorded) => {
    // A link that was misdirected still names the same subscription.
    const outcome =
      recorded.id === undefined
        ? recorded
        : { ...recorded, id: recorded.id.replace(ELSEWHERE, world.origin) };
    notes.outcomes.push(outcome);
    notes.trace.push(`${time.now}: ${outcome.outcome} ${outcome.resource} ${outcome.id ?? ''}`);
    const isToBeGone = !MAY_BE_THERE.has(outcome.outcome) && !(hasSlept && outcome.outcome === 'Expired');
    if (isToBeGone && world.hasIds && world.held().some(({ id }) => id === outcome.id)) {
      notes.breaches.push(`law 1: reported as ${outcome.outcome}, and still on the server: ${outcome.id}`);
    }
  });
  return world;
}

/** Returns when a step ends. A visitor that unsubscribes just before the end is still being released then. */
function lastsUntil(step: Step): number {
  if (step.what !== 'visit' || !('afterMs' in step.leaving)) return step.at;
  const { how, afterMs } = step.leaving;
  return step.at + (how === 'switchMap' ? 2 : 1) * Math.max(1, afterMs);
}

function schedule({ steps, ending }: Program, world: World, notes: Notes, time: VirtualTime): void {
  const { calmMs, lastEventMs, quietMs, settledMs } = world.timetable;
  const slept = steps.reduce((sum, step) => (step.what === 'leap' ? sum + step.ms : sum), 0);
  const begun = Math.max(0, ...steps.map(lastsUntil)) + slept;
  for (const step of steps) {
    if (step.what === 'visit') {
      const name = `visitor ${notes.visitors.length + 1}`;
      notes.visitors.push(
        visitor(
          name,
          step,
          world.source(step),
          (value) => recorded(world, notes, name, step, value, time),
          // Later steps are known in advance.
          () => {
            if (notes.lastAt === 0) world.happen();
          },
        ),
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
  time.at(begun + lastEventMs, () => {
    notes.lastAt = time.now;
    notes.last = world.happen();
  });
  time.at(begun + quietMs, () => {
    checkQuiet(world, notes);
    if (ending === 'close' || notes.isClosed) close({}, world, notes, time);
    for (const one of notes.visitors) one.leave();
  });
  time.at(begun + settledMs, () => {
    checkSettled(world, notes, time);
    time.stop();
  });
}

function recorded(
  world: World,
  notes: Notes,
  name: string,
  visit: Visit,
  value: unknown,
  time: VirtualTime,
): ReturnType<World['read']> {
  const read = world.read(visit, value);
  if (read !== undefined) notes.trace.push(`${time.now}: ${name} gets ${read}`);
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
      world.wire.mislead((summary) => world.matches(step.on, summary));
      break;
    case 'leap':
      time.leap(step.ms);
      break;
    case 'drain':
      drain(world.drain(optionsOf(step)), optionsOf(step), world, notes);
      break;
    case 'close':
      close(optionsOf(step), world, notes, time);
  }
}

const optionsOf = ({ timeoutMs }: DrainOptions): DrainOptions =>
  timeoutMs === undefined ? {} : { timeoutMs };

function drain(report: Promise<DrainReport>, { timeoutMs }: DrainOptions, world: World, notes: Notes): void {
  // The report is read after the program, when nothing of departed visitors may be left.
  world.releases.pending$
    .pipe(
      filter((count) => count === 0),
      take(1),
      takeUntil(timeoutMs === undefined ? NEVER : timer(timeoutMs)),
    )
    .subscribe(() => checkDrained(world, notes));
  const draining: Notes['drains'][number] = { report };
  notes.drains.push(draining);
  report.then(
    (answer) => (draining.answer = answer),
    (error: unknown) => notes.breaches.push(`law 4: drain() was rejected with ${String(error)}`),
  );
}

/** The default time limit of close(). */
const CLOSE_MS = 10_000;

function close(options: DrainOptions, world: World, notes: Notes, time: VirtualTime): void {
  const { timeoutMs = CLOSE_MS } = options;
  notes.isClosed = true;
  notes.givenUpAt = Math.min(notes.givenUpAt, time.now + timeoutMs);
  drain(world.close(options), { timeoutMs }, world, notes);
  time.at(time.now + timeoutMs + 1, () => {
    if (notes.pending > 0) notes.breaches.push(`law 4: ${notes.pending} releases are pending after close()`);
    if (world.wire.open > 0) notes.breaches.push(`law 4: ${world.wire.open} requests are open after close()`);
  });
  for (const { isAlive, name, visit } of notes.visitors) {
    // A visitor that waits before it subscribes again gets the outcome then.
    if (isAlive && visit.retries === 0) notes.breaches.push(`law 4: ${name} goes on after close()`);
  }
}
