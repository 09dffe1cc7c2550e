import { defer, type Observable, timer } from 'rxjs';
import { follower, newTally, type Tally } from '../chaos/follower.ts';
import { retryUntilClosed } from './retryUntilClosed.ts';

/** A simulated subscriber. */
export interface Watcher<Visit> {
  readonly visit: Visit;
  /** The number of the last event received. */
  readonly last: number;
}

/** The subscribers in a random scenario. */
export interface Watchers<Visit> {
  /** Returns the current subscribers. */
  readonly alive: () => readonly Watcher<Visit>[];
  readonly tally: Tally;
  /** Adds a subscriber that resubscribes after errors, and unsubscribes after `forSeconds`. */
  readonly enter: (visit: Visit) => void;
}

const RETRY_MS = 20_000;

/**
 * Creates an empty set of subscribers.
 *
 * @param eventsFor Returns the numbers of events, and `'loss'` for possibly missing ones
 */
export function watchers<Visit extends { readonly forSeconds: number }>(
  eventsFor: (visit: Visit) => Observable<number | 'loss' | undefined>,
): Watchers<Visit> {
  const tally = newTally();
  const alive = new Set<Watcher<Visit>>();
  return {
    tally,
    alive: () => [...alive],
    enter: (visit) => {
      let followed = follower(tally);
      const events$ = defer(() => {
        followed = follower(tally);
        return eventsFor(visit);
      });
      const me: Watcher<Visit> = {
        visit,
        get last() {
          return followed.last;
        },
      };
      alive.add(me);
      const watching = events$.pipe(retryUntilClosed(RETRY_MS)).subscribe((recorded) => {
        if (recorded === 'loss') followed.gap();
        else if (recorded !== undefined) followed.take(recorded);
      });
      watching.add(() => alive.delete(me));
      if (visit.forSeconds < Infinity) timer(visit.forSeconds * 1000).subscribe(() => watching.unsubscribe());
    },
  };
}

/** Returns the events that were lost without a gap, repeated, or out of order. */
export function breachesIn({ losses, doubles, disorders }: Tally): readonly string[] {
  if (losses + doubles + disorders === 0) return [];
  return [`${losses} lost without a gap, ${doubles} repeated, ${disorders} out of order`];
}
