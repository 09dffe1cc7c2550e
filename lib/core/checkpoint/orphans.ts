import { NetworkError } from '../errors.ts';
import type { Orphan } from './journal.ts';
import { release, type ReleasePlan } from '../lifecycle/release.ts';
import { releaseEntry, type ReleaseLedger } from '../lifecycle/ledger.ts';

/** How one thing that was left is removed. */
interface OrphanRemoval extends Omit<ReleasePlan, 'resource' | 'id'> {
  /** Called when what became of it stands in the ledger. */
  readonly done?: () => void;
}

/**
 * Removes one thing that the process before has left on the server: begun at once, with its outcome in the ledger.
 * Of what was asked for, and is not known, nothing can be removed: the ledger says `Unknown`.
 *
 * @param asked Where it was asked for.
 * @param ifLost What becomes of it where its id is not known: one sentence.
 */
export function removeOrphans(
  ledger: Pick<ReleaseLedger, 'begin' | 'record' | 'givenUp$'>,
  { resource, id, over }: Orphan,
  { url, ifLost }: { readonly url: string; readonly ifLost: string },
  planOf: (id: string) => OrphanRemoval,
): void {
  if (id === undefined) {
    const cause = new NetworkError('the process ended before the answer', { method: 'POST', url });
    ledger.record({ outcome: 'Unknown', ...releaseEntry(resource, id), cause, hint: ifLost });
    over();
    return;
  }
  const { done, ...plan } = planOf(id);
  release(ledger, { resource, id, ...plan }, () => {
    done?.();
    over();
  });
}
