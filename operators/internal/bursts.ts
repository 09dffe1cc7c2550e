import { stringAt, type TypedEvent } from './event.ts';

/** Of what happens to an item only once, or at each time in the same way, the later event says it all. */
const REPEATED = new Set(['created', 'newMail', 'freeBusyChanged']);

/**
 * Decides which of two events about one item stands for both: a pure function.
 *
 * Nothing is dropped that the other does not imply. A deletion implies what was before; every event but a
 * deletion implies that the item is to be looked at again, which is all that `modified` says; mail that
 * arrived implies that it was created. Two moves, or an arrival and a move, imply nothing of each other.
 *
 * @returns undefined where neither stands for the other.
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

/** When a burst is over, and how two of its events become one. */
interface BurstRules<Event> {
  /** How long there is no further event when a burst is over. */
  readonly quietMs: number;
  /** How long a burst lasts before what there is of it is told. */
  readonly longestMs: number;
  /** How many bursts there are at most at a time. */
  readonly max: number;
  /** The event that stands for both, or undefined where there is none. */
  readonly merge: (earlier: Event, later: Event) => Event | undefined;
}

/** The bursts that are going on. Each call returns the events whose turn it is now, in order. */
export interface BurstBuffer<Event> {
  readonly size: () => number;
  readonly add: (event: Event, nowMs: number) => Event[];
  /** The events of the bursts that are over. */
  readonly due: (nowMs: number) => Event[];
  /** How long it takes until the next burst is over, if nothing more comes. */
  readonly waitMs: (nowMs: number) => number;
  /** The events of all bursts, over or not. */
  readonly rest: () => Event[];
}

interface Burst<Event> {
  readonly event: Event;
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * Keeps one event for each item or folder that something happens to.
 *
 * They stay in the order of the last thing that happened to each, and leave from the front only. So an event
 * that leaves has none waiting behind it that the server sent before, unless a later one stands for that.
 */
export function burstBuffer<Event>(rules: BurstRules<Event>): BurstBuffer<Event> {
  const { quietMs, longestMs, max, merge } = rules;
  // A Map keeps the order in which its keys were set: the burst that is quiet longest is its first.
  const bursts = new Map<string, Burst<Event>>();

  const leaveWhile = (leaves: (burst: Burst<Event>, key: string) => boolean): Event[] => {
    const events: Event[] = [];
    for (const [key, burst] of bursts) {
      if (!leaves(burst, key)) break;
      bursts.delete(key);
      events.push(burst.event);
    }
    return events;
  };
  const rest = (): Event[] => leaveWhile(() => true);

  const begin = (key: string, event: Event, nowMs: number): Event[] => {
    bursts.set(key, { event, firstMs: nowMs, lastMs: nowMs });
    return leaveWhile(() => bursts.size > max);
  };

  const goOn = (key: string, burst: Burst<Event>, event: Event, nowMs: number): Event[] => {
    const both = merge(burst.event, event);
    if (both === undefined) {
      const before = leaveWhile((other) => other !== burst);
      bursts.delete(key);
      return [...before, burst.event, ...begin(key, event, nowMs)];
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
      return burst === undefined ? begin(key, event, nowMs) : goOn(key, burst, event, nowMs);
    },
    // A last event in the future: the clock was set back, and says nothing about this burst any more.
    due: (nowMs) => leaveWhile(({ lastMs }) => lastMs + quietMs <= nowMs || lastMs > nowMs),
    waitMs: (nowMs) => {
      for (const { lastMs } of bursts.values()) {
        return Math.min(Math.max(lastMs + quietMs - nowMs, 0), quietMs);
      }
      return quietMs;
    },
    rest,
  };
}

/** What an event is about; of two subscriptions, the same item is two. Not there for what is about neither. */
function keyOf(event: unknown): string | undefined {
  const subscription = stringAt(event, 'subscriptionId') ?? '';
  for (const kind of ['item', 'folder']) {
    const id = stringAt(event, kind, 'id');
    if (id !== undefined) return JSON.stringify([subscription, kind, id]);
  }
  return undefined;
}
