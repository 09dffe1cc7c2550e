import { EMPTY, type MonoTypeOperatorFunction, retry, timer } from 'rxjs';
import { ClosedError } from '../../lib/core/errors.ts';

/** Returns an Observable that resubscribes some time after each error, until its connection is closed. */
export function retryUntilClosed<Value>(afterMs: number): MonoTypeOperatorFunction<Value> {
  return retry({ delay: (error: unknown) => (error instanceof ClosedError ? EMPTY : timer(afterMs)) });
}
