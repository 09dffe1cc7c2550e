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

/** The error that an observer or an operator of a program throws. */
export class ThrownByProgram extends Error {
  override readonly name: string = 'ThrownByProgram';
}

/** The meaning of a value: the number of an event, or a possible loss. */
export type Recorded = number | 'loss' | undefined;

/** A subscriber of a program. */
export interface Visitor {
  readonly visit: Visit;
  /** Such as `visitor 1`. */
  readonly name: string;
  readonly follower: Follower;
  readonly tally: Tally;
  /** The number of all values, of any type. */
  readonly values: number;
  /** The time of the last subscribe, in virtual milliseconds. */
  readonly enteredAt: number;
  /** Whether it is subscribed now. */
  readonly isAlive: boolean;
  /** The errors of its stream. */
  readonly errors: readonly unknown[];
  /** The breaches of the Observable contract. */
  readonly breaches: readonly string[];
  /** How it ended. Undefined while it is subscribed. */
  readonly end: 'complete' | 'error' | undefined;
  enter(): void;
  leave(): void;
}

const RETRY_MS = 30;

/**
 * * Creates a visitor to a source, which has not subscribed yet.
 *
 * * @param provoke Called during the value at which the visitor causes an event.
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
    if (subscriptions === 0) breaches.push(`${name} got a value after it unsubscribed`);
    values += 1;
    const recorded = read(value);
    if (recorded === 'loss') followed.gap();
    else if (recorded !== undefined) followed.take(recorded);
    if (values === visit.provokes) provoke();
  };

  // One subscription follows another: a loss between them is not reported, and unacknowledged events repeat.
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
