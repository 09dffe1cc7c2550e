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

/** Options of {@link debounceByItem}. @inline */
export interface DebounceByItemOptions<Event> {
  /**
   * The most items and folders with pending events. Beyond that, the event of the one that has been quiet
   * longest is emitted early.
   *
   * @default 1000
   */
  readonly max?: number;
  /**
   * The longest duration of a burst, in milliseconds, so that an item that changes all the time is emitted,
   * too.
   *
   * @default ten times the quiet time
   */
  readonly longestMs?: number;
  /**
   * Returns one event that implies both, or undefined to keep both.
   *
   * @default `deleted` implies everything before it, `newMail` implies `created`, every event but `deleted`
   * implies `modified`, and `created`, `newMail` and `freeBusyChanged` imply an earlier one of the same type
   */
  readonly merge?: (earlier: Event, later: Event) => Event | undefined;
}

/**
 * Returns an Observable that merges bursts of events about the same item or folder into one.
 *
 * One new message causes `newMail`, `created` and often several `modified` events. Fetching the item at the
 * first of them is too early and too often: wait a few seconds until there is no further event about it.
 *
 * An event is left out only if another one implies it. Results are in the order of the last event about each
 * item. Items and folders are identified by their ids, so a moved item is a new one.
 *
 * `gap` and `status` are emitted at once, after all pending events: nothing is merged or reordered across
 * them. Pending events are also emitted when the source completes or errors. Unsubscribing drops them.
 *
 * ```
 * source:      --newMail A--created A--created B----------------gap--created B--|
 * debounceByItem(3000) --------------------------------newMail A--(created B, gap)------(created B|)
 * ```
 *
 * @param ms The quiet time of an item, in milliseconds: a few thousand.
 * @returns An operator. Throws a TypeError that names an invalid option. If `merge` throws, the result emits
 * the pending events and errors.
 *
 * @see {@link https://rxjs.dev/api/operators/debounceTime | debounceTime}
 * @see {@link itemEvents}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { debounceByItem } from 'rxchange/operators';
 *
 * const lunch = { id: 'AAMkA' };
 * const coffee = { id: 'AAMkB' };
 * of(
 *   { type: 'created', item: lunch },
 *   { type: 'newMail', item: lunch },
 *   { type: 'created', item: coffee },
 *   { type: 'modified', item: lunch },
 * )
 *   .pipe(debounceByItem(3000))
 *   .subscribe(({ type, item }) => console.log(`${type} ${item.id}`));
 * // prints: created AAMkB
 * // prints: newMail AAMkA
 * ```
 */
export function debounceByItem<Event extends MailboxEvent>(
  ms: number,
  options: DebounceByItemOptions<Event> = {},
): MonoTypeOperatorFunction<Event> {
  const quietMs = numberOption('debounceByItem(ms)', ms, { min: 0, max: LONGEST_TIMER_MS });
  const {
    max = 1000,
    longestMs = 10 * quietMs,
    merge: mergeEvents = coalesceEvents,
  } = objectOption('debounceByItem(options)', options, { max: 1, longestMs: 1, merge: 1 });
  numberOption('debounceByItem.max', max, { min: 1, integer: true });
  numberOption('debounceByItem.longestMs', longestMs, { min: 0 });
  if (typeof mergeEvents !== 'function')
    throw invalidOption('debounceByItem.merge', mergeEvents, 'a function');

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
