import { stringAt, type TypedEvent } from './event.ts';

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
