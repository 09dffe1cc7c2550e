import { asyncScheduler, type Observable, of } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import { release, type ReleaseResult } from '../core/release.ts';
import { releaseEntry } from '../core/releases.ts';
import { decideUnsubscribe } from './decision.ts';
import type { Journal } from './journal.ts';
import type { ServiceInternals } from './serviceInternals.ts';

/** How what was left is removed. */
interface SweepPlan {
  /** As of a subscription that was answered at that time. */
  readonly expiresAt: (answeredAt: number) => number;
  /** What becomes of it where its id is not known: one sentence. */
  readonly ifLost: string;
  readonly remove: (id: string) => Observable<ReleaseResult>;
}

/**
 * Removes what the process before has left on the server: begun at once, and with an outcome in the ledger for
 * each.
 */
export function sweep(
  { ledger, claims, retry, url }: ServiceInternals,
  journal: Journal,
  { expiresAt, ifLost, remove }: SweepPlan,
): void {
  for (const { resource, id, over } of journal.takeLeft()) {
    if (id === undefined) {
      const cause = new NetworkError('the process ended before the answer', { method: 'POST', url });
      ledger.record({ outcome: 'Unknown', ...releaseEntry(resource, id), cause, hint: ifLost });
      over();
      continue;
    }
    const claim = claims.open();
    // Where the server gives ids anew, it may be that of a subscription which is in use.
    if (!claims.isTaken(id)) claims.take(claim, id);
    const plan = {
      resource,
      id,
      attempt: () => (claims.holds(claim, id) ? remove(id) : of({ alreadyGone: true })),
      decide: decideUnsubscribe,
      // When it was last heard of is not known, but it was before.
      expiresAt: expiresAt(asyncScheduler.now()),
      backoff: retry,
    };
    release(ledger, plan, () => {
      claims.drop(claim);
      over();
    });
  }
}
