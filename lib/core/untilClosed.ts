import { defer, type MonoTypeOperatorFunction, takeUntil, throwError } from 'rxjs';
import { ClosedError } from './errors.ts';
import type { ReleaseLedger } from './releases.ts';

/**
 * Returns an Observable that mirrors the source until the connection is closed, and refuses those who come
 * later with a {@link ClosedError}.
 */
export function untilClosed<Value>(ledger: ReleaseLedger, what: string): MonoTypeOperatorFunction<Value> {
  return (source) =>
    defer(() =>
      ledger.isClosed ? throwError(() => new ClosedError(what)) : source.pipe(takeUntil(ledger.closing$)),
    );
}
