import { asyncScheduler, type Observable, of } from 'rxjs';
import type { ReleaseResult } from '../core/release.ts';
import { sweep } from '../core/sweep.ts';
import { decideUnsubscribe } from './decision.ts';
import type { ServiceInternals } from './serviceInternals.ts';
import type { StreamJournal } from './streamJournal.ts';

/** How what was left is removed. */
interface UnsubscribePlan {
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
export function sweepSubscriptions(
  { ledger, claims, retry, backoff, url }: ServiceInternals,
  journal: StreamJournal,
  { expiresAt, ifLost, remove }: UnsubscribePlan,
): void {
  for (const left of journal.takeLeft()) {
    sweep(ledger, left, { url, ifLost }, (id) => {
      const claim = claims.open();
      // Where the server gives ids anew, it may be that of a subscription which is in use.
      claims.inherit(claim, id);
      return {
        attempt: () => (claims.holds(claim, id) ? remove(id) : of({ alreadyGone: true })),
        decide: decideUnsubscribe,
        // When it was last heard of is not known, but it was before.
        expiresAt: expiresAt(asyncScheduler.now()),
        backoff: retry,
        pause: backoff.pause,
        done: () => claims.drop(claim),
      };
    });
  }
}
