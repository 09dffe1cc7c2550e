import {
  asyncScheduler,
  catchError,
  concat,
  concatAll,
  concatWith,
  defer,
  EMPTY,
  exhaustMap,
  map,
  merge,
  type MonoTypeOperatorFunction,
  of,
  repeat,
  Subject,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { LONGEST_TIMER_MS } from '../lib/core/backoff/backoff.ts';
import { invalidOption, numberOption, objectOption } from '../lib/core/options.ts';
import { burstBuffer, coalesceEvents } from './internal/bursts.ts';
import type { MailboxEvent } from './internal/event.ts';

/** Options of {@link settle}: what becomes of bursts, and what they may take. */
export interface SettleOptions<Event> {
  /**
   * How many items and folders are waited for at most. Beyond that, the one that has been quiet longest is
   * told early.
   *
   * @default 1000
   */
  readonly max?: number;
  /**
   * How long a burst may last before what there is of it is told, in milliseconds: so that an item that
   * changes all the time is told of too.
   *
   * @default ten times as long as it takes to settle
   */
  readonly longestMs?: number;
  /**
   * Makes one event of two about the same item or folder, or returns undefined where they have to stay two.
   *
   * @default `deleted` stands for everything before it, `newMail` for `created`, every event but `deleted` for
   * `modified`, and `created`, `newMail` and `freeBusyChanged` for an earlier of the same type; all others
   * stay two
   */
  readonly merge?: (earlier: Event, later: Event) => Event | undefined;
}

/**
 * Returns an Observable that emits one event for a burst of events about the same item or folder, once there
 * has been none about it for `ms` milliseconds.
 *
 * One message that arrives is told as `newMail`, `created`, and often a few times `modified`. Who asks the
 * server for the item at the first of them asks too early and too often: it is advised to wait a few seconds.
 *
 * Nothing is lost by that: an event is left out only where another stands for it. What is emitted is in the
 * order of the last event about each item, so that nothing waits that came before what was emitted, unless
 * something later stands for it. An item or folder is who has its id: a move gives an item a new one.
 *
 * What is about no item and no folder, such as `gap` and `status`, is emitted at once, behind everything that
 * was waiting: nothing is merged or moved across it. So is what waits when the source completes or errors.
 * Unsubscribing drops it.
 *
 * ```
 * source:      --newMail A--created A--created B----------------gap--created B--|
 * settle(3000) --------------------------------newMail A--(created B, gap)------(created B|)
 * ```
 *
 * @param ms How long, in milliseconds, there has to be no event about an item: a few thousand.
 * @returns An operator. It throws a TypeError that names the option if one cannot be used. What `merge`
 * throws is the error of the result, behind what was waiting.
 *
 * @see {@link https://rxjs.dev/api/operators/debounceTime | debounceTime}
 * @see {@link itemEvents}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { settle } from 'rxchange/operators';
 *
 * const lunch = { id: 'AAMkA' };
 * const coffee = { id: 'AAMkB' };
 * of(
 *   { type: 'created', item: lunch },
 *   { type: 'newMail', item: lunch },
 *   { type: 'created', item: coffee },
 *   { type: 'modified', item: lunch },
 * )
 *   .pipe(settle(3000))
 *   .subscribe(({ type, item }) => console.log(`${type} ${item.id}`));
 * // prints: created AAMkB
 * // prints: newMail AAMkA
 * ```
 */
export function settle<Event extends MailboxEvent>(
  ms: number,
  options: SettleOptions<Event> = {},
): MonoTypeOperatorFunction<Event> {
  const quietMs = numberOption('settle(ms)', ms, { min: 0, max: LONGEST_TIMER_MS });
  const {
    max = 1000,
    longestMs = 10 * quietMs,
    merge: mergeEvents = coalesceEvents,
  } = objectOption('settle(options)', options, { max: 1, longestMs: 1, merge: 1 });
  numberOption('settle.max', max, { min: 1, integer: true });
  numberOption('settle.longestMs', longestMs, { min: 0 });
  if (typeof mergeEvents !== 'function') throw invalidOption('settle.merge', mergeEvents, 'a function');

  return (source) =>
    defer(() => {
      const bursts = burstBuffer<Event>({ quietMs, longestMs, max, merge: mergeEvents });
      const waits$ = new Subject<void>();
      const ended$ = new Subject<void>();
      const over$ = defer(() => timer(bursts.waitMs(asyncScheduler.now()))).pipe(
        map(() => bursts.due(asyncScheduler.now())),
        repeat({ delay: () => (bursts.size() > 0 ? of(true) : EMPTY) }),
      );
      const arrived$ = source.pipe(
        map((event) => bursts.add(event, asyncScheduler.now())),
        catchError((error: unknown) =>
          concat(
            of(bursts.rest()),
            throwError(() => error),
          ),
        ),
        concatWith(defer(() => of(bursts.rest()))),
        tap({
          next: () => {
            if (bursts.size() > 0) waits$.next();
          },
          complete: () => ended$.next(),
        }),
      );
      const settled$ = waits$.pipe(
        exhaustMap(() => over$),
        takeUntil(ended$),
      );
      return merge(settled$, arrived$).pipe(concatAll());
    });
}
