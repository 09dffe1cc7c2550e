import { countBy, hasAmbiguousIds, mayBeLeft } from './leftOver.ts';
import type { Notes } from './notes.ts';
import type { VirtualTime } from './virtualTime.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** The number of subscriptions that live visitors need, by target. */
function neededSubscriptions(world: World, visitors: readonly Visitor[]): Map<string, number> {
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

const WELL_BEFORE_MS = 10_000;

/** Checks that the server has the subscriptions of live visitors, and that they got the last event. */
export function checkQuiet(world: World, notes: Notes): void {
  const { breaches, outcomes, visitors } = notes;
  if (notes.pending !== 0)
    breaches.push(`law 4: ${notes.pending} releases are under way though all is quiet`);
  const { failed, unknown } = mayBeLeft(world, outcomes);
  const held = countBy(world.held().map(({ place }) => place));
  const owned = countBy(world.held().map(({ id, place }) => (failed.has(id) ? undefined : place)));
  const needs = hasAmbiguousIds(world, outcomes)
    ? new Map<string, number>()
    : neededSubscriptions(world, visitors);
  for (const [place, count] of needs) {
    const found = held.get(place) ?? 0;
    if (found < count)
      breaches.push(`law 7: the server holds ${found} of ${place} for ${count} that are alive`);
  }
  const extra = [...owned].reduce(
    (sum, [place, count]) => sum + Math.max(0, count - (needs.get(place) ?? 0)),
    0,
  );
  if (extra > unknown && !hasAmbiguousIds(world, outcomes))
    breaches.push(`leak, law 1: ${extra} on the server that nobody has, and ${unknown} unknown`);
  if (hasAmbiguousIds(world, outcomes)) return;
  for (const { name, visit, isAlive, enteredAt, follower, values } of visitors) {
    // A visitor that subscribed just before the event, or because of it, may have missed it.
    const wasThere = isAlive && enteredAt <= notes.lastAt - WELL_BEFORE_MS;
    if (wasThere && world.getsEveryEvent(visit) && visit.to !== 'batches' && follower.last !== notes.last) {
      breaches.push(
        `law 7: ${name} is alive and did not get the last event (${values} values, ${follower.last} of ${notes.last})`,
      );
    }
  }
}

/**
 * Checks that nothing is left on the server after a drain without live visitors, whatever the grace times.
 */
export function checkDrained(world: World, notes: Notes): void {
  if (notes.visitors.some(({ isAlive }) => isAlive)) return;
  // A stream that errors is released after its error, so the grace time may begin after the drain.
  if (notes.visitors.some(({ end }) => end === 'error')) return;
  // A stream whose abort has not arrived yet does not count.
  const applications = world.leftovers().filter((one) => one.startsWith('application'));
  checkNothingLeft(world, notes, applications, 'law 4', 'after a drain');
}

/** Checks that nothing is left after all visitors have unsubscribed. */
export function checkSettled(world: World, notes: Notes, time: VirtualTime): void {
  const { breaches } = notes;
  if (notes.pending !== 0)
    breaches.push(`law 4: ${notes.pending} releases are under way after all have left`);
  checkNothingLeft(world, notes, world.leftovers(), 'law 1', 'after all have left');
  if (world.wire.open > 0) breaches.push(`leak, law 5: ${world.wire.open} requests are still open`);
  if (time.timers > 0) breaches.push(`leak, law 10: ${time.timers} timers are still set`);
}

function checkNothingLeft(
  world: World,
  { breaches, outcomes }: Notes,
  more: readonly string[],
  law: string,
  when: string,
): void {
  const { failed, unknown } = mayBeLeft(world, outcomes);
  const left = world.held().filter(({ id }) => !failed.has(id));
  if (left.length > unknown)
    breaches.push(
      `leak, ${law}: ${left.map(({ id }) => id).join(', ')} left on the server ${when}, and ${unknown} unknown`,
    );
  const known = outcomes.filter(
    ({ outcome, resource }) => resource === 'application' && (outcome === 'Unknown' || outcome === 'Failed'),
  ).length;
  if (more.length > known) breaches.push(`leak, law 5: ${more.join(', ')} left ${when}`);
}
