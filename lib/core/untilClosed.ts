import { type MonoTypeOperatorFunction, Observable, type Subscriber } from 'rxjs';
import { ClosedError } from './errors.ts';
import type { ReleaseLedger } from './releases.ts';

/**
 * Returns an Observable that mirrors the source until the connection is closed, and refuses those who come
 * later with a {@link ClosedError}.
 */
export function untilClosed<Value>(
  ledger: Pick<ReleaseLedger, 'isClosed' | 'streams'>,
  what: string,
): MonoTypeOperatorFunction<Value> {
  return (source) =>
    new Observable((subscriber) => {
      if (ledger.isClosed) subscriber.error(new ClosedError(what));
      else {
        completeOnClose(ledger, subscriber);
        source.subscribe(subscriber);
      }
    });
}

/**
 * A takeUntil in each of ten thousand streams takes a kilobyte, and leaving its Subject is linear. A function of its
 * own, for a closure above would keep the source.
 */
function completeOnClose<Value>(
  { streams }: Pick<ReleaseLedger, 'streams'>,
  subscriber: Subscriber<Value>,
): void {
  streams.add(subscriber);
  subscriber.add(() => streams.delete(subscriber));
}
