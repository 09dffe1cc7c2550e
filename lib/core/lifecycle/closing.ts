import {
  type MonoTypeOperatorFunction,
  Observable,
  of,
  race,
  share,
  Subject,
  type SubjectLike,
  type Subscriber,
  timer,
} from 'rxjs';
import { ClosedError } from '../errors.ts';
import type { ReleaseLedger } from './ledger.ts';

/**
 * Returns an Observable that shares one subscription to the source between all its subscribers, and keeps
 * it for `graceMs` after the last has left, so that a quick unmount and mount costs the server nothing. While the
 * ledger drains, and after it was closed, it keeps nothing.
 *
 * @param graceMs In milliseconds, or a function that returns them and is called when the last has left.
 * @param connector What the values go through, such as a `ReplaySubject` for what late subscribers need too.
 * @default a plain Subject
 */
export function shareWithGrace<Value>(
  ledger: Pick<ReleaseLedger, 'draining$'>,
  graceMs: number | (() => number),
  connector: () => SubjectLike<Value> = () => new Subject<Value>(),
): MonoTypeOperatorFunction<Value> {
  return share({
    connector,
    resetOnRefCountZero: () => {
      const ms = typeof graceMs === 'number' ? graceMs : graceMs();
      // In this order: during a drain no timer starts.
      return ms === 0 ? of(ms) : race(ledger.draining$, timer(ms));
    },
  });
}

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
