import {
  asyncScheduler,
  catchError,
  defer,
  EMPTY,
  endWith,
  exhaustMap,
  filter,
  from,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  of,
  repeat,
  startWith,
  take,
  takeWhile,
  tap,
  throwError,
} from 'rxjs';
import { DecodeError, HttpError } from '../../core/errors.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { type LiveApplication, presenceSubscriptionsOf } from '../application/liveApplication.ts';
import { LATE_MS } from '../application/pendingGets.ts';
import type { UcwaSession } from '../session/session.ts';
import { decideDelete } from '../protocol/failures.ts';
import { addressOf, hrefKey } from '../protocol/href.ts';
import { requestJson, requestNothing } from '../protocol/request.ts';
import { presenceSubscriptionCodec } from '../protocol/resource.ts';
import { expectUnidentified, unwatch, type EventFilter, watch } from '../subscription/eventFilter.ts';
import { ifLost } from '../subscription/lostRequests.ts';
import { memberships } from '../subscription/memberships.ts';
import { SUBSCRIPTION_ENDED } from '../subscription/state.ts';
import {
  extendPresence,
  presenceSubscriptionIn,
  removePresence,
  type SubscriptionType,
} from '../subscription/subscriptionType.ts';
import { retryTransient } from '../transport/backoff.ts';
import type { ContactsSubscription, WantedContacts } from './watchedContacts.ts';

/** What is to be sent next so that a subscription has the contacts that are wanted. */
interface MemberChange {
  /** Keys of contacts to add, no more than fit into one request. */
  readonly add: readonly string[];
  /** Keys of contacts to drop. */
  readonly drop: readonly string[];
}

/**
 * The next step from the contacts that a subscription has to those that are wanted; undefined where there is
 * nothing to do. Contacts are dropped first: that makes room.
 *
 * @param mostAtOnce How many contacts the server takes in one request.
 */
export function diffMembers(
  has: ReadonlySet<string>,
  wanted: ReadonlySet<string>,
  mostAtOnce: number,
): MemberChange | undefined {
  const drop = [...has].filter((key) => !wanted.has(key));
  if (drop.length > 0) return { add: [], drop };
  const add = [...wanted].filter((key) => !has.has(key)).slice(0, mostAtOnce);
  return add.length > 0 ? { add, drop: [] } : undefined;
}

/** How many contacts are asked for at once, where the server has not refused as many: its limit is not documented. */
const MOST_AT_ONCE = 100;
/** How many contacts are dropped at the same time. */
const DROPS_AT_ONCE = 4;

/** What the functions of this file share: the subscriptions of one stream. */
interface Watching {
  readonly internals: UcwaSession;
  readonly wanted: WantedContacts;
  readonly own: EventFilter;
  readonly durationMinutes: number;
  mostAtOnce: number;
}

/**
 * Subscriptions to the presence of selected contacts. They follow the list as it changes: only the difference
 * is sent. What is more than the server takes at once is sent in pieces, and in smaller ones where it says that
 * they are too large. [SubscribeToThePresenceOfSelectedContacts, addToPresenceSubscription_ref]
 */
export function contactsSubscription(
  internals: UcwaSession,
  wanted: WantedContacts,
  own: EventFilter,
  durationMinutes: number,
): SubscriptionType<ContactsSubscription> {
  const watching: Watching = { internals, wanted, own, durationMinutes, mostAtOnce: MOST_AT_ONCE };
  return {
    resource: 'presenceSubscription',
    durationMinutes,
    isAnnounced: true,
    create: (application, onProgress) => create(watching, application, onProgress),
    extend: extendPresence,
    remove: removePresence,
    update: (made) => update(watching, made),
  };
}

/** A contact by its key, with its URI. */
type Contact = readonly [key: string, uri: string];

/** Notes the contacts of a change that was lost. */
type OnLost = (keys: readonly string[]) => void;

/** Tries with fewer and fewer where the server says that these are too many. */
function inPieces<Answer>(
  watching: Watching,
  contacts: readonly Contact[],
  send: (uris: readonly string[], keys: readonly string[]) => Observable<Answer>,
): Observable<{ readonly answer: Answer; readonly sent: readonly string[] }> {
  const piece = contacts.slice(0, watching.mostAtOnce);
  const sent = piece.map(([key]) => key);
  const uris = piece.map(([, uri]) => uri);
  return send(uris, sent).pipe(
    map((answer) => ({ answer, sent })),
    catchError((error: unknown) => {
      if (!isTooMuch(error) || piece.length < 2) return throwError(() => error);
      watching.mostAtOnce = Math.ceil(piece.length / 2);
      return inPieces(watching, contacts, send);
    }),
  );
}

function create(
  watching: Watching,
  application: LiveApplication,
  onProgress: (progress: RequestProgress) => void,
): Observable<ContactsSubscription> {
  const { internals, wanted, own, durationMinutes: duration } = watching;
  const url = (): string => presenceSubscriptionsOf(application);
  return wanted.changed$.pipe(
    startWith(undefined),
    filter(() => wanted.byKey.size > 0),
    take(1),
    tap(() => watch(own, wanted.byKey)),
    mergeMap(() =>
      inPieces(watching, [...wanted.byKey], (uris) =>
        requestJson(
          internals.transport,
          { method: 'POST', url: url(), body: { duration, uris }, onProgress },
          presenceSubscriptionCodec,
          'presenceSubscription',
        ),
      ),
    ),
    map(({ answer, sent }) => {
      // By name: a spread would bring a hidden class of its own for each of thousands.
      const { self, memberships: members, addTo } = presenceSubscriptionIn(answer);
      const hasAll = wanted.isFixed && sent.length === wanted.byKey.size;
      const made = { self, memberships: members, addTo, has: hasAll ? undefined : new Set(sent) };
      wanted.made?.(made, application);
      return made;
    }),
  );
}

function add(
  watching: Watching,
  { addTo }: ContactsSubscription,
  has: Set<string>,
  keys: readonly string[],
  onLost: OnLost,
): Observable<unknown> {
  const { internals, own, wanted } = watching;
  // As they are now: they may be others when the server has refused them as too many.
  const contacts = keys.flatMap((key): readonly Contact[] => {
    const uri = wanted.byKey.get(key);
    return uri === undefined ? [] : [[key, uri]];
  });
  return defer(() => {
    if (addTo === undefined) return throwError(cannotBeChanged);
    expectUnidentified(own);
    return inPieces(watching, contacts, (contactUris, sent) => {
      const onProgress = ifLost(() => onLost(sent));
      // Adding somebody twice by accident does no harm.
      return requestNothing(
        internals.transport,
        { method: 'POST', url: addTo, body: { contactUris }, idempotent: true, onProgress },
        'addToPresenceSubscription',
      ).pipe(retryTransient('release', internals.pause));
    });
  }).pipe(tap(({ sent }) => sent.forEach((key) => has.add(key))));
}

function drop(
  { internals: { transport, pause }, own }: Watching,
  made: ContactsSubscription,
  has: Set<string>,
  keys: readonly string[],
  onLost: OnLost,
): Observable<unknown> {
  const addresses = new Map(keys.map((key) => [addressOf(key), key]));
  if (made.memberships === undefined) return throwError(cannotBeChanged);
  return memberships(transport, made.memberships, hrefKey(made.self)).pipe(
    retryTransient('channel', pause),
    mergeMap((found) => from(found.filter(({ address = '' }) => addresses.has(address)))),
    mergeMap(({ self, contact, address = '' }) => {
      unwatch(own, [contact]);
      if (self === undefined) return EMPTY;
      const onProgress = ifLost(() => onLost([addresses.get(address) ?? '']));
      return requestNothing(
        transport,
        { method: 'DELETE', url: self, onProgress },
        'presenceSubscriptionMembership',
      ).pipe(
        retryTransient('release', pause),
        // Who is not in it any more need not be dropped.
        catchError((error: unknown) =>
          decideDelete(error) === 'alreadyGone' ? EMPTY : throwError(() => error),
        ),
      );
    }, DROPS_AT_ONCE),
    ignoreElements(),
    tap({ complete: () => keys.forEach((key) => has.delete(key)) }),
  );
}

function update(watching: Watching, made: ContactsSubscription): Observable<never> | undefined {
  const { wanted, own } = watching;
  const { has } = made;
  if (has === undefined) return undefined;
  /** Until when a change of each contact that was lost can arrive. */
  const lateUntil = new Map<string, number>();
  const onLost: OnLost = (keys) => keys.forEach((key) => lateUntil.set(key, asyncScheduler.now() + LATE_MS));
  const step = defer(() => {
    const difference = diffMembers(has, new Set(wanted.byKey.keys()), watching.mostAtOnce);
    if (difference === undefined) return of(false);
    const { add: added, drop: dropped } = difference;
    const now = asyncScheduler.now();
    // It would undo this one. No link of the subscription is valid after its removal.
    if ([...added, ...dropped].some((key) => (lateUntil.get(key) ?? 0) > now))
      return throwError(() => SUBSCRIPTION_ENDED);
    const [change, keys] = dropped.length > 0 ? ([drop, dropped] as const) : ([add, added] as const);
    const sent$ = change(watching, made, has, keys, onLost);
    return sent$.pipe(ignoreElements(), endWith(true));
  });
  return wanted.changed$.pipe(
    startWith(undefined),
    tap(() => watch(own, wanted.byKey)),
    exhaustMap(() => step.pipe(repeat(), takeWhile(Boolean))),
    ignoreElements(),
  );
}

function isTooMuch(error: unknown): boolean {
  if (!(error instanceof HttpError)) return false;
  return error.status === 413 || (error.status === 403 && error.subcode === 'LimitExceeded');
}

function cannotBeChanged(): DecodeError {
  const problem = { path: '/_links/addToPresenceSubscription', expected: 'a link', actual: 'nothing' };
  return new DecodeError('presenceSubscription', problem);
}
