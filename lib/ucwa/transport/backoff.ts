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
import { retryAfterOf, backoff, type BackoffPolicy, type Pause } from '../../core/backoff/backoff.ts';
import { decide, type UcwaOperation } from '../protocol/failures.ts';

/**
 * Creates the waits of requests that are not held back by the backoff of a connection, as those of discovery.
 * A wait is over at once when the platform comes online, unless the server has asked for the time.
 */
export function pausing(policy: BackoffPolicy, online$: Observable<unknown> = NEVER): Pause {
  return (failures, error) =>
    defer(() => {
      const asked = retryAfterOf(error);
      const time$ = timer(backoff(failures, policy, asked));
      return (asked === undefined ? merge(time$, online$) : time$).pipe(take(1));
    });
}

/**
 * Returns an Observable that mirrors the source, and subscribes to it again after a failure that passes, as
 * {@link decide} says for this operation. It is for requests that may be sent more than once.
 */
export function retryTransient<Value>(
  operation: UcwaOperation,
  pause: Pause,
): MonoTypeOperatorFunction<Value> {
  return retry({
    delay: (error: unknown, failures) =>
      decide(operation, error, failures) === 'retry' ? pause(failures, error) : throwError(() => error),
  });
}
