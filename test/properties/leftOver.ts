import type { ReleaseOutcome } from '../../lib/index.ts';
import type { World } from './world.ts';

/** What the ledger says may be left: by id where that is known and nobody else's, else how many. */
export function mayBeLeft(
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
export const isMuddled = ({ hasIds }: World, outcomes: readonly ReleaseOutcome[]): boolean =>
  !hasIds && outcomes.some(({ outcome }) => outcome === 'Unknown');

/** How often each name stands there. */
export const countBy = (names: readonly (string | undefined)[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};
