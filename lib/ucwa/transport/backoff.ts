import {
  asyncScheduler,
  defer,
  merge,
  type MonoTypeOperatorFunction,
  NEVER,
  noop,
  type Observable,
  retry,
  take,
  throwError,
  timer,
} from 'rxjs';
import { retryAfterOf, backoff, type BackoffPolicy, type Pause } from '../../core/backoff/backoff.ts';
import { failureOf } from '../../core/backoff/outage.ts';
import type { StatusTracker } from '../../core/connectionStatus.ts';
import { decide, type UcwaOperation } from '../protocol/failures.ts';

/**
 * Creates the waits of requests outside of a connection's backoff, such as those of discovery.
 *
 * A wait ends at once when the platform comes online, unless the server has set its time.
 */
export function pausing(
  policy: BackoffPolicy,
  online$: Observable<unknown> = NEVER,
  record: StatusTracker['record'] = noop,
): Pause {
  return (failures, error) =>
    defer(() => {
      const asked = retryAfterOf(error);
      const waitMs = backoff(failures, policy, asked);
      if (error !== undefined) record(failureOf(error, failures, asyncScheduler.now() + waitMs));
      const time$ = timer(waitMs);
      return (asked === undefined ? merge(time$, online$) : time$).pipe(take(1));
    });
}

/**
 * Returns an operator that resubscribes to the source after a transient failure.
 *
 * {@link decide} says which failures of this operation are transient. Use it only for requests that may be
 * sent more than once.
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
