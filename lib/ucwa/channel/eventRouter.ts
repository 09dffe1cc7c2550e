import { type Observable, Subject } from 'rxjs';
import type { EventBatch } from '../protocol/cursor.ts';
import { gapReasonOf, type UcwaEvent } from '../protocol/events.ts';
import { addressIn, addressOf, hrefKey, parentKey } from '../protocol/href.ts';

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

/** The key of events of contacts whose hrefs contain no address. */
export const UNNAMED_CONTACTS = 'contact without address';

/** The key of all events, for listeners that cannot name theirs in advance. */
export const EVERYTHING = 'everything';

/** The key of events of all presence subscriptions, for listeners whose own does not exist yet. */
export const PRESENCE_SUBSCRIPTIONS = 'presenceSubscription';

/** An href that ends with a plain address, which parsing as a URL would not change. */
const PLAIN_CONTACT = /^(?:https?:\/)?\/[^/\\#\s][^#\s]*\/[\w\-.~]+@[\w\-.~]+$/;
/** An address without scheme and parameters. */
const PLAIN_ADDRESS = /^[^:;?]*$/;

/** Returns the key of a contact by its `sip:` URI. */
export function contactUriKey(uri: string): string {
  return `sip:${addressOf(uri)}`;
}

/** Returns the key of a contact by its href: that of its address, or of the href if it contains none. */
export function contactHrefKey(href: string): string {
  // A fast path for nearly every event.
  if (PLAIN_CONTACT.test(href)) return `sip:${href.slice(href.lastIndexOf('/') + 1).toLowerCase()}`;
  const key = hrefKey(href);
  const address = addressIn(key);
  if (address === undefined) return key;
  return PLAIN_ADDRESS.test(address) ? `sip:${address}` : contactUriKey(address);
}

/**
 * Returns the routing keys of an event: that of its contact, or of the resource in its link.
 *
 * There are few, since every event is looked up by each.
 */
export function keysOf(event: UcwaEvent): readonly string[] {
  const { rel, href } = event.link;
  if (rel === 'presenceSubscription') return [hrefKey(href), PRESENCE_SUBSCRIPTIONS];
  const contact = contactOf(event);
  if (contact === undefined) return [hrefKey(href)];
  const key = contactHrefKey(contact);
  if (isAddress(key)) return [key];
  const uri = uriIn(event);
  return [key, uri === undefined ? UNNAMED_CONTACTS : contactUriKey(uri)];
}

/** Returns the href of the contact of an event, which may be about its presence, note, location… */
function contactOf({ link, in: within }: UcwaEvent): string | undefined {
  if (link.rel === 'contact') return link.href;
  if (within?.rel === 'contact') return within.href;
  return /^contact[A-Z]/.test(link.rel) ? parentKey(hrefKey(link.href)) : undefined;
}

/** Whether these are keys of an event of a contact. */
export function isOfContact(keys: readonly string[]): boolean {
  return keys.some((key) => key === UNNAMED_CONTACTS || isAddress(key));
}

function isAddress(key: string): boolean {
  return key.startsWith('sip:');
}

function uriIn({ link, resource }: UcwaEvent): string | undefined {
  const uri = link.rel === 'contact' ? resource?.['uri'] : undefined;
  return typeof uri === 'string' ? uri : undefined;
}
