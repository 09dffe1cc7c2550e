import { asyncScheduler, defer, EMPTY, ignoreElements, type Observable, tap, timer } from 'rxjs';
import type { RequestProgress } from '../core/transport.ts';
import { LATE_MS } from './pendingGets.ts';

/** The stops of a subscription that may arrive after it was started again. */
export interface LateStops {
  /** Notes that the subscription is started: the stop of the one before was answered. */
  readonly started: () => void;
  /** Notes the outcome of a stop. */
  readonly noteStop: (progress: RequestProgress) => void;
  /** Returns an Observable that calls `start` when no lost stop can arrive any more, unless none was lost. */
  readonly startAgain: (start: () => void) => Observable<never>;
}

/** Creates the notes on the stops of one connection: a stop that is sent again was lost before. */
export function lateStops(): LateStops {
  let isOutstanding = false;
  let lateUntil = 0;
  return {
    started: () => (isOutstanding = false),
    noteStop: (progress) => {
      if (progress === 'sent' && isOutstanding) lateUntil = asyncScheduler.now() + LATE_MS;
      isOutstanding = progress === 'sent';
    },
    startAgain: (start) =>
      defer(() => {
        const leftMs = lateUntil - asyncScheduler.now();
        return leftMs <= 0 ? EMPTY : timer(leftMs).pipe(tap(start), ignoreElements());
      }),
  };
}
