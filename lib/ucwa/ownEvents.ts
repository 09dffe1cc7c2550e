import { defer, finalize, type MonoTypeOperatorFunction, type Observable, Subject, Subscription } from 'rxjs';
import type { EventBatch } from './cursor.ts';
import type { Dispatch, FiledEvent } from './dispatch.ts';
import { contactKey, EVERYTHING, isOfContact, PRESENCE_SUBSCRIPTIONS, UNNAMED_CONTACTS } from './filing.ts';
import type { UcwaEvent } from './events.ts';
import { inbox } from './inbox.ts';
import type { Membership } from './memberships.ts';

/** The server says that a subscription is about to expire, or that it has lost events. */
export type Doubt = 'expiring' | 'resync';

/**
 * Which events are of interest, besides those of the subscription itself: those of contacts that are known by
 * name; those of contacts that only the memberships of the subscription tell; or what matches.
 */
export type Interest =
  | { readonly kind: 'named' | 'members' }
  | { readonly kind: 'matching'; readonly matches: (event: UcwaEvent) => boolean };

/**
 * The events of one presence stream, through all the subscriptions that it has on the server one after the
 * other.
 */
export interface OwnEvents {
  /** The error that ended the channel, if one did. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Errors with what ends the channel; emits nothing. */
  readonly failed$: Observable<never>;
  /** Keeps the channel open from now on, and keeps what may be its own until that is known. */
  listen(): void;
  /** Says which subscription is its own from now on, by the key of its href. */
  adopt(own: string): void;
  /** Says which contacts the subscription has, for those whose hrefs do not say who they are. */
  identify(members: readonly Membership[]): void;
  /** Says by their keys which contacts are wanted from now on. */
  want(keys: readonly string[]): void;
  /** Says that there are contacts again that have to be identified, if their hrefs do not say who they are. */
  expectUnidentified(): void;
  /** Says by their keys which contacts that were identified are no longer its own. */
  forget(keys: readonly string[]): void;
  /** The key of the wanted contact that an event is of which is filed under these keys. */
  contactOf(keys: readonly string[]): string | undefined;
  /** Whether it is about the subscription or its contacts, or a reset. */
  isOwn(filed: FiledEvent): boolean;
  /** Whether it tells that the subscription has come into being. */
  isAnnouncement(filed: FiledEvent): boolean;
  /** Whether it tells that the subscription has been removed. */
  isDeletion(filed: FiledEvent): boolean;
  /** Whether a contact has to be identified before it is known whose the event is. */
  isUnidentified(filed: FiledEvent): boolean;
  /** Takes the events in order, those that are not its own too: see the inbox. */
  each<Result>(project: (filed: FiledEvent) => Observable<Result>): Observable<Result>;
  /** Whether the `deleted` event of a subscription has come. */
  wasDeleted(own: string): boolean;
  /** Emits the key of each subscription whose `deleted` event comes. */
  readonly deleted$: Observable<string>;
  /** Emits when it is doubtful how long the subscription will be there, or whether it still is. */
  readonly doubtful$: Observable<Doubt>;
  /** Holds the place through an Observable that looks out for events after {@link OwnEvents.close}. */
  holding<Value>(): MonoTypeOperatorFunction<Value>;
  /** Lets go of the channel, and keeps nothing any more. */
  close(): void;
}

/** Takes a place at the dispatch for the events that are of interest. */
export function ownEvents(
  { batches$, dispatch }: { readonly batches$: Observable<EventBatch>; readonly dispatch: Dispatch },
  interest: Interest,
): OwnEvents {
  const isNamed = interest.kind === 'named';
  const events = inbox<FiledEvent>();
  const listening = new Subscription();
  const deleted = new Subject<string>();
  const failed = new Subject<never>();
  /** The keys of all subscriptions that were its own. */
  const owned = new Set<string>();
  const deletedKeys = new Set<string>();
  const doubtful = new Subject<Doubt>();
  let contacts = new Set<string>();
  /** The hrefs of the subscription and of its contacts, as far as they had to be learned. */
  let learned = new Set<string>();
  /** The keys of contacts by those of their hrefs, as far as that had to be learned. */
  const names = new Map<string, string>();
  let own: string | undefined;
  let isListening = false;
  let isIdentified = false;
  let holders = 1;

  const isAbout = ({ event, keys }: FiledEvent, type: string): boolean =>
    event.type === type && own !== undefined && keys.includes(own);
  const isWanted = (key: string): boolean => contacts.has(key) || learned.has(key);
  const isOwn = ({ event, keys }: FiledEvent): boolean =>
    event.type === 'reset' ||
    keys.some(isWanted) ||
    (interest.kind === 'matching' && interest.matches(event));

  const place = dispatch.enter((filed) => {
    events.next(filed);
    if (filed.event.type === 'reset' && filed.event.link.rel === 'resync') doubtful.next('resync');
    if (isAbout(filed, 'updated')) doubtful.next('expiring');
    if (filed.event.type !== 'deleted') return;
    for (const key of filed.keys.filter((one) => owned.has(one))) {
      deletedKeys.add(key);
      deleted.next(key);
    }
  });

  const learn = (keys: readonly string[]): void => {
    keys.forEach((key) => learned.add(key));
    place.add(...keys);
  };

  /** Under this key stand the events that may be of its own contacts, until those are known. */
  const unidentified = isNamed ? UNNAMED_CONTACTS : EVERYTHING;

  const expectUnidentified = (): void => {
    isIdentified = false;
    place.add(unidentified);
  };

  const letGo = (): void => {
    holders -= 1;
    if (holders === 0) place.leave();
  };

  return {
    get failure() {
      return events.failure;
    },
    failed$: failed,
    listen: () => {
      // Which subscription and which hrefs will be its own is not known before the answer.
      place.add(...contacts, PRESENCE_SUBSCRIPTIONS);
      if (interest.kind === 'matching') place.add(EVERYTHING);
      else expectUnidentified();
      if (isListening) return;
      isListening = true;
      listening.add(
        batches$.subscribe({
          error: (error: unknown) => {
            events.error(error);
            failed.error(error);
          },
        }),
      );
    },
    adopt: (key) => {
      // The end of the one before may still have to be told.
      [...learned].filter((one) => !owned.has(one) && !contacts.has(one)).forEach((one) => place.drop(one));
      owned.add(key);
      learned = new Set();
      names.clear();
      own = key;
      learn([key]);
      place.drop(PRESENCE_SUBSCRIPTIONS);
    },
    identify: (members) => {
      learn(members.map(({ contact }) => contact));
      for (const { contact, address } of members) {
        if (address !== undefined) names.set(contact, contactKey(address));
      }
      isIdentified = true;
      place.drop(unidentified);
    },
    want: (keys) => {
      const before = contacts;
      contacts = new Set(keys);
      [...before].filter((key) => !isWanted(key)).forEach((key) => place.drop(key));
      place.add(...contacts);
    },
    expectUnidentified,
    forget: (keys) =>
      keys.forEach((key) => {
        learned.delete(key);
        if (!isWanted(key)) place.drop(key);
      }),
    contactOf: (keys) => keys.flatMap((key) => [key, names.get(key) ?? key]).find((key) => contacts.has(key)),
    isOwn,
    isAnnouncement: (filed) => isAbout(filed, 'added'),
    isDeletion: (filed) => isAbout(filed, 'deleted'),
    isUnidentified: (filed) =>
      interest.kind !== 'matching' &&
      !isIdentified &&
      (isNamed ? filed.keys.includes(UNNAMED_CONTACTS) : isOfContact(filed.keys)) &&
      !isOwn(filed),
    each: (project) => events.each(project),
    wasDeleted: (key) => deletedKeys.has(key),
    deleted$: deleted,
    doubtful$: doubtful,
    holding: () => (source) =>
      defer(() => {
        holders += 1;
        return source.pipe(finalize(letGo));
      }),
    close: () => {
      listening.unsubscribe();
      events.close();
      letGo();
    },
  };
}
