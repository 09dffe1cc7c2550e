import { type Observable, Subject } from 'rxjs';
import type { EventBatch } from './cursor.ts';
import type { UcwaEvent } from './events.ts';
import { EVERYTHING, filedUnder } from './filing.ts';

/** An event with the keys that it is filed under. */
export interface FiledEvent {
  readonly event: UcwaEvent;
  readonly keys: readonly string[];
}

/** Called with an event. It must not throw. */
export type Listener = (filed: FiledEvent) => void;

/** One listener's place at the {@link Dispatch}. */
export interface Place {
  /** Also gives it the events that are filed under these keys. */
  add(...keys: readonly string[]): void;
  /** No longer gives it the events that are filed under this key alone. */
  drop(key: string): void;
  /** Gives it nothing any more. */
  leave(): void;
}

/** Gives every event to those who asked for it by key, and to nobody else. */
export interface Dispatch {
  /** Whether events come in at present: whether somebody keeps the channel open. */
  readonly isOpen: boolean;
  /** Emits when the channel is no longer kept open. */
  readonly closed$: Observable<void>;
  /** A place without keys gets the resets of the channel only. */
  enter(listener: Listener): Place;
  open(): void;
  close(): void;
  /** Gives out the events of a batch, in their order, to each listener once. */
  give(batch: EventBatch): void;
}

/** Creates a dispatch without listeners. */
export function dispatch(): Dispatch {
  const byKey = new Map<string, Set<Listener>>();
  const everybody = new Set<Listener>();
  const closed = new Subject<void>();
  let isOpen = false;

  const concerned = ({ event, keys }: FiledEvent): ReadonlySet<Listener> =>
    new Set(
      event.type === 'reset'
        ? everybody
        : [...keys, EVERYTHING].flatMap((key) => [...(byKey.get(key) ?? [])]),
    );

  const remove = (key: string, listener: Listener): void => {
    const listeners = byKey.get(key);
    listeners?.delete(listener);
    if (listeners?.size === 0) byKey.delete(key);
  };

  return {
    get isOpen() {
      return isOpen;
    },
    closed$: closed,
    enter: (listener) => {
      const keys = new Set<string>();
      everybody.add(listener);
      return {
        add: (...added) => {
          for (const key of added) {
            keys.add(key);
            const listeners = byKey.get(key) ?? new Set();
            byKey.set(key, listeners.add(listener));
          }
        },
        drop: (key) => {
          keys.delete(key);
          remove(key, listener);
        },
        leave: () => {
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
    give: ({ events }) => {
      for (const event of events) {
        const filed = { event, keys: filedUnder(event) };
        // Who leaves in between, because of this very event, gets it no more.
        for (const listener of concerned(filed)) if (everybody.has(listener)) listener(filed);
      }
    },
  };
}
