import { type Observable, Subject } from 'rxjs';
import type { EventBatch } from '../protocol/cursor.ts';
import { gapReasonOf, type UcwaEvent } from '../protocol/events.ts';
import { EVERYTHING, keysOf } from './eventKeys.ts';

/** An event with the keys that it is filed under. */
export interface KeyedEvent {
  readonly event: UcwaEvent;
  readonly keys: readonly string[];
}

/** Called with an event. It must not throw. */
type Listener = (filed: KeyedEvent) => void;

/** One listener's place at the {@link EventRouter}. */
export interface Registration {
  /** Also gives it the events that are filed under these keys. */
  add(...keys: readonly string[]): void;
  /** No longer gives it the events that are filed under this key alone. */
  drop(key: string): void;
  /** Gives it nothing any more. */
  unregister(): void;
}

/** Gives every event to those who asked for it by key, and to nobody else. */
export interface EventRouter {
  /** Whether events come in at present: whether somebody keeps the channel open. */
  readonly isOpen: boolean;
  /** Emits when the channel is no longer kept open. */
  readonly closed$: Observable<void>;
  /** A place without keys gets the gaps of the channel only. */
  register(listener: Listener): Registration;
  open(): void;
  close(): void;
  /** Gives out the events of a batch, in their order, to each listener once. */
  publish(batch: EventBatch): void;
}

/** Most keys have one listener, and a set for it would take more room and time than all else. */
type Listeners = Listener | Set<Listener>;

/** Creates a dispatch without listeners. */
export function eventRouter(): EventRouter {
  const byKey = new Map<string, Listeners>();
  const everybody = new Set<Listener>();
  const closed = new Subject<void>();
  let isOpen = false;

  const insert = (key: string, listener: Listener): void => {
    const found = byKey.get(key);
    if (found === undefined) byKey.set(key, listener);
    else if (typeof found !== 'function') found.add(listener);
    else if (found !== listener) byKey.set(key, new Set([found, listener]));
  };

  const remove = (key: string, listener: Listener): void => {
    const found = byKey.get(key);
    if (found === listener) byKey.delete(key);
    else if (typeof found === 'object' && found.delete(listener) && found.size === 0) byKey.delete(key);
  };

  /** Those who want an event, each once. */
  const concerned = ({ event, keys }: KeyedEvent): Listeners | undefined => {
    if (gapReasonOf(event) !== undefined) return everybody;
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
    register: (listener) => {
      const keys = new Set<string>();
      everybody.add(listener);
      return {
        add: (...added) => {
          for (const key of added) {
            keys.add(key);
            insert(key, listener);
          }
        },
        drop: (key) => {
          keys.delete(key);
          remove(key, listener);
        },
        unregister: () => {
          everybody.delete(listener);
          for (const key of keys) remove(key, listener);
        },
      };
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
        const filed = { event, keys: keysOf(event) };
        const listeners = concerned(filed);
        if (typeof listeners === 'function') listeners(filed);
        // Listeners come and go because of the event itself: who has left gets it no more, who comes not yet.
        else if (listeners !== undefined) {
          for (const listener of [...listeners]) if (everybody.has(listener)) listener(filed);
        }
      }
    },
  };
}

function listOf(listeners: Listeners): Iterable<Listener> {
  return typeof listeners === 'function' ? [listeners] : listeners;
}
