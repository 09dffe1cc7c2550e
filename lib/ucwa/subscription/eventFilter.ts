import { defer, filter, mergeMap, Observable, startWith, Subject, take, throwError } from 'rxjs';
import type { EventRouter, KeyedEvent, Registration } from '../channel/eventRouter.ts';
import {
  contactUriKey,
  EVERYTHING,
  isOfContact,
  PRESENCE_SUBSCRIPTIONS,
  UNNAMED_CONTACTS,
} from '../channel/eventKeys.ts';
import { gapReasonOf, type UcwaEvent } from '../protocol/events.ts';
import { close as closeInbox, fail, type EventBuffer, eventBuffer, push } from './eventBuffer.ts';
import type { OnChannelError, ChannelRefCount } from '../channel/channelRefCount.ts';
import type { Membership } from './memberships.ts';

/** The server says that a subscription is about to expire, or that it has lost events. */
export type RenewalTrigger = 'expiring' | 'resync';

/**
 * Which events are of interest, besides those of the subscription itself: those of contacts that are known by
 * name; those of contacts that only the memberships of the subscription tell; or what matches.
 */
export type Interest =
  | { readonly kind: 'named' | 'members' }
  | { readonly kind: 'matching'; readonly matches: (event: UcwaEvent) => boolean };

/**
 * The events of one presence stream, through all the subscriptions that it has on the server one after the
 * other. It is a record for the functions of this file: there may be ten thousand, and what is seldom needed is
 * not there before it is.
 */
export interface EventFilter {
  readonly interest: Interest;
  readonly listening: ChannelRefCount;
  readonly place: Registration;
  /** What may be its own, until that is known and it is taken. */
  readonly inbox: EventBuffer<KeyedEvent>;
  /** The key of the subscription that is its own now. */
  self: string | undefined;
  /** The keys of all subscriptions that were its own, and of those whose `deleted` event has come. */
  owned: readonly string[];
  deletedKeys: readonly string[];
  /** The keys of the contacts that are wanted. */
  contacts: Pick<ReadonlyMap<string, unknown>, 'has' | 'keys'>;
  /** The hrefs of its contacts, as far as they had to be learned, and the keys of those whom they name. */
  learned: Map<string, string | undefined> | undefined;
  isIdentified: boolean;
  /** How many need the place: the stream, and those who look out for events after that. */
  holders: number;
  /** Called when it is doubtful how long the subscription will be there, or whether it still is. */
  doubted: ((doubt: RenewalTrigger) => void) | undefined;
  /** Called with the error that ends the channel; there while it listens. */
  failed: OnChannelError | undefined;
  /** Emits when a `deleted` event or the end of the channel has come. */
  news: Subject<void> | undefined;
}

const NOBODY: EventFilter['contacts'] = new Map();
const NONE: readonly string[] = [];

/** Takes a place at the dispatch for the events that are of interest. */
export function eventFilter(
  { channelRefCount, router }: { readonly channelRefCount: ChannelRefCount; readonly router: EventRouter },
  interest: Interest,
): EventFilter {
  const own: EventFilter = {
    interest,
    listening: channelRefCount,
    place: router.register((filed) => receive(own, filed)),
    inbox: eventBuffer(),
    self: undefined,
    owned: NONE,
    deletedKeys: NONE,
    contacts: NOBODY,
    learned: undefined,
    isIdentified: false,
    holders: 1,
    doubted: undefined,
    failed: undefined,
    news: undefined,
  };
  return own;
}

function receive(own: EventFilter, filed: KeyedEvent): void {
  push(own.inbox, filed);
  const { event, keys } = filed;
  if (gapReasonOf(event) === 'resync') own.doubted?.('resync');
  if (isAbout(own, filed, 'updated')) own.doubted?.('expiring');
  if (event.type !== 'deleted') return;
  for (const key of keys) {
    if (!own.owned.includes(key)) continue;
    own.deletedKeys = own.deletedKeys.concat(key);
    own.news?.next();
  }
}

/** Keeps the channel open from now on, and keeps what may be its own until that is known. */
export function listen(own: EventFilter): void {
  // Which subscription and which hrefs will be its own is not known before the answer.
  own.place.add(...own.contacts.keys(), PRESENCE_SUBSCRIPTIONS);
  if (own.interest.kind === 'matching') own.place.add(EVERYTHING);
  else expectUnidentified(own);
  if (own.failed !== undefined) return;
  own.failed = (error) => {
    fail(own.inbox, error);
    own.news?.next();
  };
  own.listening.acquire(own.failed);
}

/** Says which subscription is its own from now on, by the key of its href. */
export function bindTo(own: EventFilter, self: string): void {
  // The end of the one before may still have to be told.
  for (const key of own.learned?.keys() ?? []) {
    if (!own.owned.includes(key) && !own.contacts.has(key)) own.place.drop(key);
  }
  own.learned = undefined;
  // A spread would leave room for sixteen more.
  own.owned = own.owned.concat(self);
  own.self = self;
  own.place.add(self);
  own.place.drop(PRESENCE_SUBSCRIPTIONS);
}

/** Says which contacts the subscription has, for those whose hrefs do not say who they are. */
export function identify(own: EventFilter, members: readonly Membership[]): void {
  own.learned ??= new Map();
  for (const { contact, address } of members) {
    own.learned.set(contact, address === undefined ? own.learned.get(contact) : contactUriKey(address));
  }
  own.place.add(...members.map(({ contact }) => contact));
  own.isIdentified = true;
  own.place.drop(unidentified(own));
}

/** Says that there are contacts again that have to be identified, if their hrefs do not say who they are. */
export function expectUnidentified(own: EventFilter): void {
  own.isIdentified = false;
  own.place.add(unidentified(own));
}

/** Under this key stand the events that may be of its own contacts, until those are known. */
function unidentified({ interest }: EventFilter): string {
  return interest.kind === 'named' ? UNNAMED_CONTACTS : EVERYTHING;
}

/** Says by their keys which contacts are wanted from now on. */
export function watch(own: EventFilter, contacts: EventFilter['contacts']): void {
  const before = own.contacts;
  own.contacts = contacts;
  for (const key of before.keys()) if (!isWanted(own, key)) own.place.drop(key);
  own.place.add(...contacts.keys());
}

/** Says by their keys which contacts that were identified are no longer its own. */
export function unwatch(own: EventFilter, keys: readonly string[]): void {
  for (const key of keys) {
    own.learned?.delete(key);
    if (!isWanted(own, key)) own.place.drop(key);
  }
}

function isWanted({ contacts, self, learned }: EventFilter, key: string): boolean {
  return contacts.has(key) || key === self || learned?.has(key) === true;
}

/** The key of the wanted contact that an event is of which is filed under these keys. */
export function contactOf({ contacts, learned }: EventFilter, keys: readonly string[]): string | undefined {
  return keys.flatMap((key) => [key, learned?.get(key) ?? key]).find((key) => contacts.has(key));
}

/** Whether it is about the subscription or its contacts, or a gap. */
export function isOwn(own: EventFilter, { event, keys }: KeyedEvent): boolean {
  const { interest } = own;
  return (
    gapReasonOf(event) !== undefined ||
    keys.some((key) => isWanted(own, key)) ||
    (interest.kind === 'matching' && interest.matches(event))
  );
}

/** Whether it tells that the subscription has come into being, is about to expire, or has been removed. */
export function isAbout(
  { self }: EventFilter,
  { event, keys }: KeyedEvent,
  type: 'added' | 'updated' | 'deleted',
): boolean {
  return event.type === type && self !== undefined && keys.includes(self);
}

/** Whether a contact has to be identified before it is known whose the event is. */
export function isUnidentified(own: EventFilter, filed: KeyedEvent): boolean {
  const { interest, isIdentified } = own;
  if (interest.kind === 'matching' || isIdentified) return false;
  const mayBe = interest.kind === 'named' ? filed.keys.includes(UNNAMED_CONTACTS) : isOfContact(filed.keys);
  return mayBe && !isOwn(own, filed);
}

/** Returns an Observable that emits once, when the `deleted` event of a subscription of its own has come. */
export function deleted(own: EventFilter, key: string): Observable<unknown> {
  return noted(own, () => own.deletedKeys.includes(key));
}

/** Returns an Observable that errors with what ends the channel. It emits nothing. */
export function failing(own: EventFilter): Observable<never> {
  return noted(own, () => own.inbox.failure !== undefined).pipe(
    mergeMap(() => throwError(() => own.inbox.failure?.error)),
  );
}

function noted(own: EventFilter, isThere: () => boolean): Observable<unknown> {
  return defer(() => (own.news ??= new Subject()).pipe(startWith(undefined), filter(isThere), take(1)));
}

/**
 * Returns an Observable that mirrors the source, and holds the place as long as it is subscribed to, also when the
 * stream is over.
 */
export function retain<Value>(own: EventFilter, source: Observable<Value>): Observable<Value> {
  return new Observable((subscriber) => {
    own.holders += 1;
    source.subscribe(subscriber);
    subscriber.add(() => letGo(own));
  });
}

function letGo(own: EventFilter): void {
  own.holders -= 1;
  if (own.holders === 0) own.place.unregister();
}

/** Lets go of the channel, and keeps nothing any more. */
export function close(own: EventFilter): void {
  if (own.failed !== undefined) own.listening.release(own.failed);
  closeInbox(own.inbox);
  letGo(own);
}
