import { type Observable, Subject } from 'rxjs';
import type { EventBatch } from '../protocol/cursor.ts';
import { gapReasonOf, type UcwaEvent } from '../protocol/events.ts';
import { EVERYTHING, keysOf } from './eventKeys.ts';

/** An event with its routing keys. */
export interface KeyedEvent {
  readonly event: UcwaEvent;
  readonly keys: readonly string[];
}

/** Receives events. It must not throw. */
export type EventListener = (event: KeyedEvent) => void;

/** Routes events to listeners by key. */
export interface EventRouter {
  /** Whether the event channel is open. */
  readonly isOpen: boolean;
  /** Emits when the event channel is closed. */
  readonly closed$: Observable<void>;
  /** Registers a listener, or replaces its keys. Every listener receives gaps. */
  route(listener: EventListener, keys: ReadonlySet<string>): void;
  unregister(listener: EventListener): void;
  open(): void;
  close(): void;
  /** Delivers each event of a batch, in order, once to each of its listeners. */
  publish(batch: EventBatch): void;
}

/** Most keys have one listener, and a Set for it would take more memory and time than all else. */
type Listeners = EventListener | Set<EventListener>;

const NO_KEYS: ReadonlySet<string> = new Set();

/** Creates a router without listeners. */
export function eventRouter(): EventRouter {
  const byKey = new Map<string, Listeners>();
  const registered = new Map<EventListener, ReadonlySet<string>>();
  const closed = new Subject<void>();
  let isOpen = false;

  const insert = (key: string, listener: EventListener): void => {
    const found = byKey.get(key);
    if (found === undefined) byKey.set(key, listener);
    else if (typeof found !== 'function') found.add(listener);
    else byKey.set(key, new Set([found, listener]));
  };

  const remove = (key: string, listener: EventListener): void => {
    const found = byKey.get(key);
    if (found === listener) byKey.delete(key);
    else if (typeof found === 'object' && found.delete(listener) && found.size === 0) byKey.delete(key);
  };

  const change = (listener: EventListener, keys: ReadonlySet<string>): void => {
    const before = registered.get(listener) ?? NO_KEYS;
    for (const key of before) if (!keys.has(key)) remove(key, listener);
    for (const key of keys) if (!before.has(key)) insert(key, listener);
  };

  /** Returns the listeners of an event, each once. */
  const listenersOf = ({ event, keys }: KeyedEvent): Listeners | undefined => {
    if (gapReasonOf(event) !== undefined) return new Set(registered.keys());
    let all = byKey.get(EVERYTHING);
    for (const key of keys) {
      const found = byKey.get(key);
      if (all === undefined) all = found;
      else if (found !== undefined) all = new Set([...listOf(all), ...listOf(found)]);
    }
    return all;
  };

  return {
    get isOpen() {
      return isOpen;
    },
    closed$: closed,
    route: (listener, keys) => {
      change(listener, keys);
      registered.set(listener, keys);
    },
    unregister: (listener) => {
      change(listener, NO_KEYS);
      registered.delete(listener);
    },
    open: () => {
      isOpen = true;
    },
    close: () => {
      isOpen = false;
      closed.next();
    },
    publish: ({ events }) => {
      for (const event of events) {
        const keyed = { event, keys: keysOf(event) };
        const listeners = listenersOf(keyed);
        if (typeof listeners === 'function') listeners(keyed);
        // A listener may unregister another, or register one: the former is skipped, the latter starts with
        // the next.
        else if (listeners !== undefined) {
          for (const listener of [...listeners]) if (registered.has(listener)) listener(keyed);
        }
      }
    },
  };
}

function listOf(listeners: Listeners): Iterable<EventListener> {
  return typeof listeners === 'function' ? [listeners] : listeners;
}
