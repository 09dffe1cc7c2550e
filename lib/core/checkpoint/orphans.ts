import { NetworkError } from '../errors.ts';
import { releaseEntry, type ReleaseLedger } from '../lifecycle/ledger.ts';
import { release, type ReleasePlan } from '../lifecycle/release.ts';
import type { Orphan } from './journal.ts';

/** How one orphan is removed. */
interface OrphanRemoval extends Omit<ReleasePlan, 'resource' | 'id'> {
  /** Called when the ledger has the outcome. */
  readonly done?: () => void;
}

/**
 * Releases a resource that an earlier process has left. The outcome is recorded in the ledger.
 *
 * An orphan without an id cannot be removed: its outcome is `Unknown`.
 *
 * @param creation The URL of the request that created it, and the hint if its id is not known: one sentence.
 */
export function removeOrphans(
  ledger: Pick<ReleaseLedger, 'begin' | 'record' | 'givenUp$'>,
  { resource, id, clear }: Orphan,
  { url, unknownHint: hint }: { readonly url: string; readonly unknownHint: string },
  planOf: (id: string) => OrphanRemoval,
): void {
  if (id === undefined) {
    const cause = new NetworkError('the process ended before the response', { method: 'POST', url });
    ledger.record({ outcome: 'Unknown', ...releaseEntry(resource, id), cause, hint });
    clear();
    return;
  }
  const { done, ...plan } = planOf(id);
  release(ledger, { resource, id, ...plan }, () => {
    done?.();
    clear();
  });
}
