import { countBy, isMuddled, mayBeLeft } from './leftOver.ts';
import type { Notes } from './notes.ts';
import type { VirtualTime } from './virtualTime.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

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

const WELL_BEFORE_MS = 10_000;

/** When all is quiet, the server holds what is alive here, and who is alive was told of the last event. */
export function checkQuiet(world: World, notes: Notes): void {
  const { breaches, outcomes, visitors } = notes;
  if (notes.pending !== 0)
    breaches.push(`law 4: ${notes.pending} releases are under way though all is quiet`);
  const { failed, unknown } = mayBeLeft(world, outcomes);
  const held = countBy(world.held().map(({ place }) => place));
  const owned = countBy(world.held().map(({ id, place }) => (failed.has(id) ? undefined : place)));
  const needs = isMuddled(world, outcomes) ? new Map<string, number>() : wanted(world, visitors);
  for (const [place, count] of needs) {
    const found = held.get(place) ?? 0;
    if (found < count)
      breaches.push(`law 7: the server holds ${found} of ${place} for ${count} that are alive`);
  }
  const extra = [...owned].reduce(
    (sum, [place, count]) => sum + Math.max(0, count - (needs.get(place) ?? 0)),
    0,
  );
  if (extra > unknown && !isMuddled(world, outcomes))
    breaches.push(`leak, law 1: ${extra} on the server that nobody has, and ${unknown} unknown`);
  if (isMuddled(world, outcomes)) return;
  for (const { name, visit, isAlive, enteredAt, follower, values } of visitors) {
    // Who came only just before it, or because of it, may have missed it.
    const wasThere = isAlive && enteredAt <= notes.lastAt - WELL_BEFORE_MS;
    if (wasThere && world.isTold(visit) && visit.to !== 'batches' && follower.last !== notes.last) {
      breaches.push(
        `law 7: ${name} is alive and was not told of the last event (${values} values, ${follower.last} of ${notes.last})`,
      );
    }
  }
}

/** When a drain is through and nobody is there, the server has nothing of ours, whatever grace times there are. */
export function checkDrained(world: World, notes: Notes): void {
  if (notes.visitors.some(({ isAlive }) => isAlive)) return;
  // A stream that errors is left after its error: the grace time may begin right after the drain.
  if (notes.visitors.some(({ end }) => end === 'error')) return;
  // A stream whose abort has not arrived yet is none of them.
  const applications = world.leftovers().filter((one) => one.startsWith('application'));
  checkNothingLeft(world, notes, applications, 'law 4', 'after a drain');
}

/** When all have left, nothing is left over. */
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
