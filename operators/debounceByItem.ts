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
import { type MailboxEvent, stringAt, type TypedEvent } from './internal/event.ts';

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
 * Returns an Observable that merges bursts of events about one item or folder.
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
 * ![Marble diagram of debounceByItem](../docs/marbles/debounceByItem.svg)
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

/** Types of which a later event implies an earlier one. */
const REPEATED = new Set(['created', 'newMail', 'freeBusyChanged']);

/**
 * Returns the one of two events about an item that implies the other, or undefined if neither does.
 *
 * A deletion implies all earlier events. Every event but a deletion implies `modified`. New mail implies
 * `created`. Two moves, or an arrival and a move, do not imply each other.
 */
export function coalesceEvents<Event extends TypedEvent>(earlier: Event, later: Event): Event | undefined {
  if (later.type === 'deleted' || earlier.type === 'modified') return later;
  if (earlier.type === 'deleted') return undefined;
  if (later.type === 'modified') return earlier;
  if (earlier.type === later.type) return REPEATED.has(later.type) ? later : undefined;
  if (earlier.type === 'created' && later.type === 'newMail') return later;
  if (earlier.type === 'newMail' && later.type === 'created') return earlier;
  return undefined;
}

/** Options of {@link burstBuffer}. */
interface BurstRules<Event> {
  /** The time without an event that ends a burst. */
  readonly quietMs: number;
  /** The longest duration of a burst. */
  readonly longestMs: number;
  /** The most bursts at a time. */
  readonly max: number;
  /** Returns the event that implies both, or undefined if there is none. */
  readonly merge: (earlier: Event, later: Event) => Event | undefined;
}

/** The current bursts. Each method returns the events that are due, in order. */
export interface BurstBuffer<Event> {
  readonly size: () => number;
  readonly add: (event: Event, nowMs: number) => Event[];
  /** Removes the bursts that have ended. */
  readonly due: (nowMs: number) => Event[];
  /** Returns the time until the next burst ends, if no event arrives. */
  readonly waitMs: (nowMs: number) => number;
  /** Removes all bursts. */
  readonly rest: () => Event[];
}

interface Burst<Event> {
  readonly event: Event;
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * Creates a buffer with one event per item or folder, in the order of the last event of each.
 *
 * Events leave from the front only, so they never overtake each other.
 */
export function burstBuffer<Event>(rules: BurstRules<Event>): BurstBuffer<Event> {
  const { quietMs, longestMs, max, merge } = rules;
  // A Map keeps the order of insertion: its first burst has been quiet longest.
  const bursts = new Map<string, Burst<Event>>();

  const removeWhile = (isDue: (burst: Burst<Event>, key: string) => boolean): Event[] => {
    const events: Event[] = [];
    for (const [key, burst] of bursts) {
      if (!isDue(burst, key)) break;
      bursts.delete(key);
      events.push(burst.event);
    }
    return events;
  };
  const rest = (): Event[] => removeWhile(() => true);

  const start = (key: string, event: Event, nowMs: number): Event[] => {
    bursts.set(key, { event, firstMs: nowMs, lastMs: nowMs });
    return removeWhile(() => bursts.size > max);
  };

  const extend = (key: string, burst: Burst<Event>, event: Event, nowMs: number): Event[] => {
    const both = merge(burst.event, event);
    if (both === undefined) {
      const before = removeWhile((other) => other !== burst);
      bursts.delete(key);
      return [...before, burst.event, ...start(key, event, nowMs)];
    }
    bursts.delete(key);
    bursts.set(key, { event: both, firstMs: burst.firstMs, lastMs: nowMs });
    return nowMs - burst.firstMs >= longestMs ? rest() : [];
  };

  return {
    size: () => bursts.size,
    add: (event, nowMs) => {
      const key = keyOf(event);
      if (key === undefined) return [...rest(), event];
      const burst = bursts.get(key);
      return burst === undefined ? start(key, event, nowMs) : extend(key, burst, event, nowMs);
    },
    // A last event in the future means that the clock was set back.
    due: (nowMs) => removeWhile(({ lastMs }) => lastMs + quietMs <= nowMs || lastMs > nowMs),
    waitMs: (nowMs) => {
      for (const { lastMs } of bursts.values()) {
        return Math.min(Math.max(lastMs + quietMs - nowMs, 0), quietMs);
      }
      return quietMs;
    },
    rest,
  };
}

/** Returns the key of the item or folder of an event within its subscription, if it has one. */
function keyOf(event: unknown): string | undefined {
  const subscription = stringAt(event, 'subscriptionId') ?? '';
  for (const subject of ['item', 'folder']) {
    const id = stringAt(event, subject, 'id');
    if (id !== undefined) return JSON.stringify([subscription, subject, id]);
  }
  return undefined;
}
