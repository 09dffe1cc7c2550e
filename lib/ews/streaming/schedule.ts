import { type Observable, Subscription, timer } from 'rxjs';

/** How long changes of the members are gathered, so that many of them need one request. */
export const GATHER_MS = 100;

/** The waits before the next request of a connection. */
export interface Schedule {
  readonly isWaiting: boolean;
  /** Waits until the changes of the members are gathered. */
  gather(): void;
  /** Waits until this Observable emits, instead of the one before. */
  waitFor(wait$: Observable<unknown>): void;
  stop(): void;
}

/**
 * Creates a schedule.
 *
 * @param due Called after each wait; another one may not be over.
 */
export function schedule(due: () => void): Schedule {
  let gathering: Subscription | undefined;
  let waiting: Subscription | undefined;
  return {
    get isWaiting() {
      return gathering !== undefined || waiting !== undefined;
    },
    gather: () => {
      gathering ??= timer(GATHER_MS).subscribe(() => {
        gathering = undefined;
        due();
      });
    },
    waitFor: (wait$) => {
      waiting?.unsubscribe();
      const wait = (waiting = new Subscription());
      wait.add(
        wait$.subscribe(() => {
          waiting = undefined;
          due();
        }),
      );
    },
    stop: () => {
      gathering?.unsubscribe();
      waiting?.unsubscribe();
    },
  };
}
