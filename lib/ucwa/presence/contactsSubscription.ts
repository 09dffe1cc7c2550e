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
import { DecodeError } from '../../core/errors.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { type LiveApplication, presenceSubscriptionsOf } from '../application/liveApplication.ts';
import { LATE_MS } from '../application/pendingGets.ts';
import type { UcwaSession } from '../session/session.ts';
import { decideDelete, isTooMany } from '../protocol/failures.ts';
import { addressOf, hrefKey } from '../protocol/href.ts';
import { requestJson, requestNothing } from '../protocol/request.ts';
import { presenceSubscriptionCodec } from '../protocol/resource.ts';
import { unidentified, watching, withoutMembers } from '../subscription/eventFilter.ts';
import { type EventSource, setFilter } from '../subscription/eventSource.ts';
import {
  reportLost,
  extendPresence,
  presenceSubscriptionIn,
  removePresence,
  type SubscriptionType,
} from '../subscription/subscriptionType.ts';
import { memberships } from '../subscription/memberships.ts';
import { retryTransient } from '../transport/backoff.ts';
import type { ContactsSubscription, WatchedContacts } from './watchedContacts.ts';

/** The next request that brings the contacts of a subscription closer to those that are watched. */
interface MemberChange {
  /** Keys of contacts to add, no more than fit into one request. */
  readonly add: readonly string[];
  /** Keys of contacts to drop. */
  readonly drop: readonly string[];
}

/**
 * Returns the next change of the members; undefined if there is none: a pure function.
 *
 * Contacts are dropped before others are added, since that makes room.
 *
 * @param batchSize The number of contacts that the server accepts in one request.
 */
export function diffMembers(
  members: ReadonlySet<string>,
  watched: Pick<ReadonlySet<string>, 'has' | 'keys'>,
  batchSize: number,
): MemberChange | undefined {
  const drop = [...members].filter((key) => !watched.has(key));
  if (drop.length > 0) return { add: [], drop };
  const add = [...watched.keys()].filter((key) => !members.has(key)).slice(0, batchSize);
  return add.length > 0 ? { add, drop: [] } : undefined;
}

/** The number of contacts in one request until the server refuses as many: its limit is not documented. */
const BATCH_SIZE = 100;
/** The number of contacts that are dropped at a time. */
const CONCURRENT_DROPS = 4;

/** The state that the functions of this file share, for the subscriptions of one stream. */
interface Context {
  readonly session: UcwaSession;
  readonly contacts: WatchedContacts;
  readonly source: EventSource;
  readonly durationMinutes: number;
  batchSize: number;
}

/**
 * Returns the type of subscriptions to the presence of selected contacts.
 *
 * They follow the list as it changes: only the difference is sent, in requests of up to 100 contacts, and in
 * smaller ones if the server refuses as many.
 *
 * @see [MS-UCWA] SubscribeToThePresenceOfSelectedContacts
 * @see [MS-UCWA] addToPresenceSubscription_ref
 */
export function contactsSubscription(
  session: UcwaSession,
  contacts: WatchedContacts,
  source: EventSource,
  durationMinutes: number,
): SubscriptionType<ContactsSubscription> {
  const context: Context = { session, contacts, source, durationMinutes, batchSize: BATCH_SIZE };
  return {
    resource: 'presenceSubscription',
    durationMinutes,
    isAnnounced: true,
    create: (application, onProgress) => create(context, application, onProgress),
    extend: extendPresence,
    remove: removePresence,
    update: (made) => update(context, made),
  };
}

/** A contact by its key, with its URI. */
type Contact = readonly [key: string, uri: string];

/** Records the contacts of a change that got no response. */
type OnLost = (keys: readonly string[]) => void;

/** Sends as many contacts as fit into one request, and fewer if the server refuses as many. */
function inBatches<Response>(
  context: Context,
  contacts: readonly Contact[],
  send: (uris: readonly string[], keys: readonly string[]) => Observable<Response>,
): Observable<{ readonly response: Response; readonly sent: readonly string[] }> {
  const batch = contacts.slice(0, context.batchSize);
  const sent = batch.map(([key]) => key);
  const uris = batch.map(([, uri]) => uri);
  return send(uris, sent).pipe(
    map((response) => ({ response, sent })),
    catchError((error: unknown) => {
      if (!isTooMany(error) || batch.length < 2) return throwError(() => error);
      context.batchSize = Math.ceil(batch.length / 2);
      return inBatches(context, contacts, send);
    }),
  );
}

function create(
  context: Context,
  application: LiveApplication,
  onProgress: (progress: RequestProgress) => void,
): Observable<ContactsSubscription> {
  const { session, contacts, source, durationMinutes: duration } = context;
  return contacts.changed$.pipe(
    startWith(undefined),
    filter(() => contacts.byKey.size > 0),
    take(1),
    tap(() => setFilter(source, watching(source.filter, contacts.byKey))),
    mergeMap(() =>
      inBatches(context, [...contacts.byKey], (uris) =>
        requestJson(
          session.transport,
          { method: 'POST', url: presenceSubscriptionsOf(application), body: { duration, uris }, onProgress },
          presenceSubscriptionCodec,
          'presenceSubscription',
        ),
      ),
    ),
    map(({ response, sent }) => {
      // Member by member: an object spread would take a hidden class for each of thousands.
      const { self, memberships: members, addTo } = presenceSubscriptionIn(response);
      const hasAll = contacts.isStatic && sent.length === contacts.byKey.size;
      return { self, memberships: members, addTo, members: hasAll ? undefined : new Set(sent) };
    }),
  );
}

function add(
  context: Context,
  { addTo }: ContactsSubscription,
  members: Set<string>,
  keys: readonly string[],
  onLost: OnLost,
): Observable<unknown> {
  const { session, source, contacts } = context;
  // The list may have changed while the server refused a larger batch.
  const added = keys.flatMap((key): readonly Contact[] => {
    const uri = contacts.byKey.get(key);
    return uri === undefined ? [] : [[key, uri]];
  });
  return defer(() => {
    if (addTo === undefined) return throwError(withoutLink);
    setFilter(source, unidentified(source.filter));
    return inBatches(context, added, (contactUris, sent) =>
      // Adding a contact twice is harmless.
      requestNothing(
        session.transport,
        {
          ...{ method: 'POST', url: addTo, body: { contactUris }, idempotent: true },
          onProgress: reportLost(() => onLost(sent)),
        },
        'addToPresenceSubscription',
      ).pipe(retryTransient('release', session.pause)),
    );
  }).pipe(tap(({ sent }) => sent.forEach((key) => members.add(key))));
}

function drop(
  { session: { transport, pause }, source }: Context,
  made: ContactsSubscription,
  members: Set<string>,
  keys: readonly string[],
  onLost: OnLost,
): Observable<unknown> {
  const byAddress = new Map(keys.map((key) => [addressOf(key), key]));
  if (made.memberships === undefined) return throwError(withoutLink);
  return memberships(transport, made.memberships, hrefKey(made.self)).pipe(
    retryTransient('channel', pause),
    map((found) => found.filter(({ address = '' }) => byAddress.has(address))),
    tap((found) =>
      setFilter(
        source,
        withoutMembers(
          source.filter,
          found.map(({ contact }) => contact),
        ),
      ),
    ),
    mergeMap((found) => from(found)),
    mergeMap(({ self, address = '' }) => {
      if (self === undefined) return EMPTY;
      const onProgress = reportLost(() => onLost([byAddress.get(address) ?? '']));
      return requestNothing(
        transport,
        { method: 'DELETE', url: self, onProgress },
        'presenceSubscriptionMembership',
      ).pipe(
        retryTransient('release', pause),
        // The contact is not a member any more.
        catchError((error: unknown) =>
          decideDelete(error) === 'alreadyGone' ? EMPTY : throwError(() => error),
        ),
      );
    }, CONCURRENT_DROPS),
    ignoreElements(),
    tap({ complete: () => keys.forEach((key) => members.delete(key)) }),
  );
}

/** The result of one step of an update. */
type Progress = 'changed' | 'upToDate' | 'replace';

function update(context: Context, made: ContactsSubscription): Observable<unknown> | undefined {
  const { contacts, source } = context;
  const { members } = made;
  if (members === undefined) return undefined;
  /** Until when a lost change of a contact may still arrive. */
  const lateUntil = new Map<string, number>();
  const onLost: OnLost = (keys) => keys.forEach((key) => lateUntil.set(key, asyncScheduler.now() + LATE_MS));
  const step = defer((): Observable<Progress> => {
    const change = diffMembers(members, contacts.byKey, context.batchSize);
    if (change === undefined) return of('upToDate');
    const now = asyncScheduler.now();
    // The lost change would undo this one. After the removal of the subscription its links are invalid.
    if ([...change.add, ...change.drop].some((key) => (lateUntil.get(key) ?? 0) > now)) return of('replace');
    const sent$ =
      change.drop.length > 0
        ? drop(context, made, members, change.drop, onLost)
        : add(context, made, members, change.add, onLost);
    return sent$.pipe(ignoreElements(), endWith('changed' as const));
  });
  return contacts.changed$.pipe(
    startWith(undefined),
    tap(() => setFilter(source, watching(source.filter, contacts.byKey))),
    exhaustMap(() =>
      step.pipe(
        repeat(),
        takeWhile((progress) => progress === 'changed', true),
      ),
    ),
    filter((progress) => progress === 'replace'),
  );
}

function withoutLink(): DecodeError {
  const problem = { path: '/_links/addToPresenceSubscription', expected: 'a link', actual: 'nothing' };
  return new DecodeError('presenceSubscription', problem);
}
