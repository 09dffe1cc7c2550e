import { defer, type Observable, timer } from 'rxjs';
import { follower, newTally, type Tally } from '../chaos/follower.ts';
import { retryUntilClosed } from './retryUntilClosed.ts';

/** One who watches, as long as it does. */
export interface Watcher<Visit> {
  readonly visit: Visit;
  /** The number of the last event that it was told of. */
  readonly last: number;
}

/** Those who watch in a random course. */
export interface Watchers<Visit> {
  /** Those who watch now. */
  readonly alive: () => readonly Watcher<Visit>[];
  readonly tally: Tally;
  /** Comes, subscribes again after errors, and leaves after so many seconds, if it does. */
  readonly enter: (visit: Visit) => void;
}

const AGAIN_MS = 20_000;

/**
 * Makes a place for those who watch.
 *
 * @param eventsFor What one subscribes to: numbers of events, and where something may be missing.
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
      const watching = events$.pipe(retryUntilClosed(AGAIN_MS)).subscribe((recorded) => {
        if (recorded === 'loss') followed.gap();
        else if (recorded !== undefined) followed.take(recorded);
      });
      watching.add(() => alive.delete(me));
      if (visit.forSeconds < Infinity) timer(visit.forSeconds * 1000).subscribe(() => watching.unsubscribe());
    },
  };
}

/** What was lost and not told, told twice, or in the wrong order. */
export function breachesIn({ losses, doubles, disorders }: Tally): readonly string[] {
  if (losses + doubles + disorders === 0) return [];
  return [`${losses} lost and not told, ${doubles} twice, ${disorders} in the wrong order`];
}
