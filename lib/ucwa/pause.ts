import {
  defer,
  merge,
  type MonoTypeOperatorFunction,
  NEVER,
  type Observable,
  retry,
  take,
  throwError,
  timer,
} from 'rxjs';
import { askedWaitMs, backoff, type BackoffPolicy } from '../core/backoff.ts';
import { decide, type Operation } from './decision.ts';

/**
 * The wait after so many failures in a row: emits once when it is over. It is over at once when the platform
 * comes online, unless the server has asked for the time.
 */
export type Pause = (failures: number, error?: unknown) => Observable<unknown>;

/** Makes the waits of one connection. */
export function pausing(policy: BackoffPolicy, online$: Observable<unknown> = NEVER): Pause {
  return (failures, error) =>
    defer(() => {
      const asked = askedWaitMs(error);
      const time$ = timer(backoff(failures, policy, asked));
      return (asked === undefined ? merge(time$, online$) : time$).pipe(take(1));
    });
}

/**
 * Returns an Observable that mirrors the source, and subscribes to it again after a failure that passes, as
 * {@link decide} says for this operation. It is for requests that may be sent more than once.
 */
export function patiently<Value>(operation: Operation, pause: Pause): MonoTypeOperatorFunction<Value> {
  return retry({
    delay: (error: unknown, failures) =>
      decide(operation, error, failures) === 'retry' ? pause(failures, error) : throwError(() => error),
  });
}
