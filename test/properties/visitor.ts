import {
  asyncScheduler,
  defer,
  finalize,
  map,
  NEVER,
  type Observable,
  retry,
  Subscription,
  switchMap,
  take,
  tap,
  timer,
} from 'rxjs';
import { follower, type Follower, newTally, type Tally } from '../chaos/follower.ts';
import type { Visit } from './program.ts';

/** What an observer or an operator of a program throws. */
export class ThrownByProgram extends Error {
  override readonly name: string = 'ThrownByProgram';
}

/** What a value tells a visitor: the number of an event, or that something may be missing. */
export type Recorded = number | 'loss' | undefined;

/** Somebody who subscribes, and leaves. */
export interface Visitor {
  readonly visit: Visit;
  /** Such as `visitor 1`. */
  readonly name: string;
  readonly follower: Follower;
  readonly tally: Tally;
  /** All values that came, of whatever kind. */
  readonly values: number;
  /** When it subscribed last, in virtual milliseconds. */
  readonly enteredAt: number;
  /** Whether it is subscribed now. */
  readonly isAlive: boolean;
  /** What its stream has errored with, each time. */
  readonly errors: readonly unknown[];
  /** What must never happen to a subscriber. */
  readonly breaches: readonly string[];
  /** How it left: undefined while it has not. */
  readonly end: 'complete' | 'error' | undefined;
  enter(): void;
  leave(): void;
}

const RETRY_MS = 30;

/**
 * Makes a visitor to a source, who has not come yet.
 *
 * @param provoke Called while the value comes with which the visitor makes something happen.
 */
export function visitor(
  name: string,
  visit: Visit,
  source: Observable<unknown>,
  read: (value: unknown) => Recorded,
  provoke: () => void,
): Visitor {
  const tally = newTally();
  let followed = follower(tally);
  const errors: unknown[] = [];
  const breaches: string[] = [];
  const all = new Subscription();
  let subscriptions = 0;
  let values = 0;
  let enteredAt = 0;
  let end: Visitor['end'];
  const { leaving, retries } = visit;

  const took = (value: unknown): void => {
    if (subscriptions === 0) breaches.push(`${name} was given a value after it had left`);
    values += 1;
    const recorded = read(value);
    if (recorded === 'loss') followed.gap();
    else if (recorded !== undefined) followed.take(recorded);
    if (values === visit.provokes) provoke();
  };

  // One subscription after another: nobody says what was missed, and what was not acknowledged comes again.
  const watched$ = defer(() => {
    followed = follower(tally);
    enteredAt = asyncScheduler.now();
    subscriptions += 1;
    return source.pipe(
      tap({ next: took, error: (error: unknown) => errors.push(error) }),
      finalize(() => (subscriptions -= 1)),
    );
  });
  const again$ = retries === 0 ? watched$ : watched$.pipe(retry({ count: retries, delay: RETRY_MS }));

  const throwAt = (events: number): void => {
    if (values === events) throw new ThrownByProgram('thrown by the program');
  };

  const left$ = (): Observable<unknown> => {
    switch (leaving.how) {
      case 'take':
        return again$.pipe(take(leaving.events));
      case 'operatorThrows':
        return again$.pipe(map(() => throwAt(leaving.events)));
      case 'switchMap':
        return timer(0, Math.max(1, leaving.afterMs)).pipe(
          take(3),
          switchMap((turn) => (turn === 2 ? NEVER : again$)),
        );
      default:
        return again$;
    }
  };

  const leave = (): void => {
    try {
      all.unsubscribe();
    } catch (error) {
      breaches.push(`unsubscribe() of ${name} threw ${String(error)}`);
    }
    if (subscriptions > 0) breaches.push(`${name} has unsubscribed, and is still subscribed`);
  };

  return {
    ...{ name, visit, tally, errors, breaches, leave },
    get follower() {
      return followed;
    },
    get values() {
      return values;
    },
    get enteredAt() {
      return enteredAt;
    },
    get isAlive() {
      return subscriptions > 0;
    },
    get end() {
      return end;
    },
    enter: () => {
      all.add(
        left$().subscribe({
          next: () => {
            if (leaving.how === 'observerThrows') throwAt(leaving.events);
          },
          error: () => (end = 'error'),
          complete: () => (end = 'complete'),
        }),
      );
      if (leaving.how === 'unsubscribe') all.add(timer(leaving.afterMs).subscribe(leave));
    },
  };
}
