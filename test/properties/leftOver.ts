import type { ReleaseOutcome } from '../../lib/index.ts';
import type { World } from './world.ts';

/**
 * Returns the leftovers that the ledger reports: ids that are known and unique, and a number for the others.
 */
export function mayBeLeft(
  { hasIds }: World,
  outcomes: readonly ReleaseOutcome[],
): { readonly failed: ReadonlySet<string | undefined>; readonly unknown: number } {
  // A subscription that expires while the machine sleeps is gone from a real server, but not from this one.
  const failed = outcomes.filter(({ outcome }) => outcome === 'Failed' || outcome === 'Expired');
  const unknown = outcomes.filter(({ outcome }) => outcome === 'Unknown').length;
  return hasIds
    ? { failed: new Set(failed.map(({ id }) => id)), unknown }
    : { failed: new Set(), unknown: unknown + failed.length };
}

/** Whether ids are reused and a response with one was lost, so that two subscriptions look the same. */
export const hasAmbiguousIds = ({ hasIds }: World, outcomes: readonly ReleaseOutcome[]): boolean =>
  !hasIds && outcomes.some(({ outcome }) => outcome === 'Unknown');

/** Returns how often each name occurs. */
export const countBy = (names: readonly (string | undefined)[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};
