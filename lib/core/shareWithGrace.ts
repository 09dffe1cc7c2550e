import { type MonoTypeOperatorFunction, of, race, share, Subject, type SubjectLike, timer } from 'rxjs';
import type { ReleaseLedger } from './releases.ts';

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
