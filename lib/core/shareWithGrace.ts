import { type MonoTypeOperatorFunction, race, share, Subject, type SubjectLike, timer } from 'rxjs';
import type { ReleaseLedger } from './releases.ts';

/**
 * Returns an Observable that shares one subscription to the source between all its subscribers, and keeps
 * it for `graceMs` after the last has left, so that a quick unmount and mount costs the server nothing.
 *
 * @param connector What the values go through, such as a `ReplaySubject` for what late subscribers need too.
 * @default a plain Subject
 */
export function shareWithGrace<Value>(
  ledger: ReleaseLedger,
  graceMs: number,
  connector: () => SubjectLike<Value> = () => new Subject<Value>(),
): MonoTypeOperatorFunction<Value> {
  const resetOnRefCountZero = graceMs === 0 ? true : () => race(timer(graceMs), ledger.flush$);
  return share({ connector, resetOnRefCountZero });
}
