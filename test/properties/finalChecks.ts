import { inspect } from 'node:util';
import { ClosedError, HttpError, NetworkError, type ReleaseOutcome } from '../../lib/index.ts';
import { countBy, hasAmbiguousIds, mayBeLeft } from './leftOver.ts';
import type { Notes } from './notes.ts';
import type { Failure, Program, Step, Target } from './program.ts';
import { ThrownByProgram, type Visitor } from './visitor.ts';
import { MOST_REQUESTS } from './wire.ts';
import type { World } from './world.ts';

/** Checks the results of a program after its end. */
export function checkFinalState(program: Program, world: World, notes: Notes): void {
  const { breaches, outcomes, visitors } = notes;
  breaches.push(...visitors.flatMap((one) => one.breaches));
  for (const { name, tally } of hasAmbiguousIds(world, outcomes) ? [] : visitors) {
    if (tally.losses > 0) breaches.push(`loss, law 7: ${name} missed ${tally.losses}, and got no gap`);
    if (tally.doubles > 0) breaches.push(`double, law 7: ${name} got ${tally.doubles} twice`);
    if (tally.disorders > 0) breaches.push(`law 7: ${name} got ${tally.disorders} in the wrong order`);
  }
  if (!hasAmbiguousIds(world, outcomes)) breaches.push(...world.breaches());
  for (const error of notes.uncaught) {
    if (!(error instanceof ThrownByProgram)) breaches.push(`uncaught, law 4: ${inspect(error)}`);
  }
  breaches.push(
    ...ledgerOf(program, world, notes),
    ...ownEffectsOf(program, world, notes),
    ...wireOf(world, notes),
    ...secretsOf(world, visitors, outcomes),
  );
  for (const { answer } of notes.drains) {
    if (answer === undefined) breaches.push('law 4: a drain() was never answered');
    else if (answer.clean !== (answer.pending === undefined && answer.outcomes.every(isClean)))
      breaches.push('law 4: a drain() calls clean what is not, or the other way about');
  }
}

const isClean = ({ outcome }: ReleaseOutcome): boolean => outcome !== 'Unknown' && outcome !== 'Failed';

const isFailed = (
  outcome: ReleaseOutcome,
): outcome is Extract<ReleaseOutcome, { outcome: 'Failed' | 'Expired' }> => outcome.outcome === 'Failed';

/** Whether close() waited for this outcome. It reports the others as given up. */
const isWaitedFor =
  ({ givenUpAt }: Notes) =>
  ({ at }: ReleaseOutcome): boolean =>
    at.getTime() < givenUpAt;

/** The fewest attempts of a release whose failure is transient. */
const PATIENT = 5;

const isTransient = (cause: unknown): boolean =>
  cause instanceof NetworkError ||
  (cause instanceof HttpError && [408, 429, 500, 502, 503, 504].includes(cause.status));

/** An application has one subscription to the user's contacts and groups, always with the same id. */
const IS_ONE_FOR_ALL = /\/myContactsAndGroupsSubscription$/;

/** Checks that each subscription has one outcome, which is the true one. */
function ledgerOf({ steps }: Program, world: World, notes: Notes): readonly string[] {
  const { outcomes, everHeld, visitors } = notes;
  const waitedFor = outcomes.filter(isWaitedFor(notes));
  const found: string[] = [];
  const isUndisturbed = steps.every(({ what }) => what === 'visit' || what === 'event' || what === 'close');
  if (isUndisturbed) {
    for (const { name, tally } of world.isGapless ? visitors : [])
      if (tally.gaps > 0) found.push(`law 7: ${name} got a gap although nothing went wrong`);
    for (const { outcome, id } of waitedFor)
      if (outcome !== 'Released')
        found.push(`law 1: reported as ${outcome} although nothing went wrong: ${id ?? 'no id'}`);
    const made = countBy([...everHeld.values()]);
    for (const [place, count] of made) {
      const opened = world.openings.get(place) ?? 0;
      if (count > opened) found.push(`law 5: ${count} were made of ${place} for ${opened}`);
    }
  }
  for (const { attempts, cause } of waitedFor.filter(isFailed)) {
    // A stream that slept may wake up at the end.
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
  const unreported = [...everHeld.keys()].filter((id) => !ends.has(id) && !IS_ONE_FOR_ALL.test(id));
  if (unreported.length > unknown)
    found.push(`law 1: ${unreported.join(', ')} without an outcome, and ${unknown} unknown`);
  return found;
}

/** The requests that may be lost or arrive late without a stream error, because they are sent again. */
const SENT_AGAIN: readonly Target[] = [
  'channel',
  'removal',
  'GetEvents',
  'GetStreamingEvents',
  'Unsubscribe',
];

/** Whether only our own requests have effects in a step. A lost batch may also create something. */
const isOwn = (step: Step, { settings }: Program): boolean => {
  if (step.what === 'upheaval') return step.how === 'the channel is tuned';
  if (step.what !== 'failure') return step.what !== 'leap' && step.what !== 'misleading';
  if (isOnlyDelayed(step)) return true;
  const mayBeInBatch = step.on === 'removal' && 'maxParts' in settings && settings.maxParts > 1;
  return isLateArrival(step) && SENT_AGAIN.includes(step.on) && !mayBeInBatch;
};
const isOnlyDelayed = ({ how }: Failure): boolean => typeof how === 'object' && 'arrivalDelayMs' in how;
const isLateArrival = ({ how }: Failure): boolean => typeof how === 'object' && 'arrivesAfterMs' in how;

/**
 * Checks that no stream ends, and no effect is attributed to others, if only our own requests have effects.
 */
function ownEffectsOf(program: Program, { isGapless }: World, notes: Notes): readonly string[] {
  const { outcomes, visitors } = notes;
  const { steps, settings } = program;
  if (!steps.every((step) => isOwn(step, program))) return [];
  const isLate = steps.some((step) => step.what === 'failure' && isLateArrival(step));
  // A stream that was aborted may occupy the connection of another stream on the server.
  const hasPlaces = !('maxStreams' in settings) || settings.maxStreams === 100;
  const isLossless = isGapless && hasPlaces && !isLate;
  return [
    ...visitors.flatMap(({ name, errors }) =>
      errors
        .filter((error) => !(error instanceof ClosedError))
        .map((error) => `law 13: ${name} was ended by our own requests: ${String(error)}`),
    ),
    ...visitors
      .filter(({ tally }) => isLossless && tally.gaps > 0)
      .map(({ name }) => `law 13: ${name} got a gap that our own requests caused`),
    ...outcomes
      .filter(isWaitedFor(notes))
      .filter(({ outcome }) => outcome !== 'Released' && !(isLate && outcome === 'AlreadyGone'))
      .map(({ outcome, resource }) => `law 13: a ${resource} was reported as ${outcome}`),
  ];
}

/** The time after which a request without a response is given up. */
const PATIENCE_MS = 120_000;

/** Checks that no creation or removal is given up, and that no request goes to another origin. */
function wireOf({ wire, origin, mostChannels }: World, { givenUpAt }: Notes): readonly string[] {
  const found: string[] = [];
  for (const { purpose, end, at, endedAt, name, origin: sentTo, isKeptAlive } of wire.requests) {
    if (sentTo !== origin) found.push(`law 9: ${name} was sent to ${sentTo}`);
    const isAborted = end === 'abandoned' && endedAt - at < PATIENCE_MS && endedAt < givenUpAt;
    if (purpose === 'creation' && isAborted) found.push(`law 2: ${name} was aborted`);
    if (purpose !== 'removal') continue;
    if (isAborted) found.push(`law 3: ${name} was aborted`);
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
  const shown = new Set<unknown>(visitors.flatMap(({ errors }) => errors));
  for (const one of outcomes) if ('cause' in one) shown.add(one);
  return [...shown].flatMap((one) => {
    const text = inspect(one, { depth: 6, showHidden: true }) + String(one);
    return secrets.some((secret) => text.includes(secret))
      ? [`law 9: a secret is in ${text.slice(0, 300)}`]
      : [];
  });
}
