import {
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
import { DecodeError, HttpError } from '../core/errors.ts';
import type { RequestProgress } from '../core/transport.ts';
import { type LiveApplication, presenceSubscriptionsOf } from './liveApplication.ts';
import type { UcwaInternals } from './connect.ts';
import { decideRelease } from './decision.ts';
import { addressOf, hrefKey } from './href.ts';
import { memberDifference } from './memberDifference.ts';
import { memberships } from './memberships.ts';
import { expectUnidentified, forget, type OwnEvents, want } from './ownEvents.ts';
import { patiently } from './pause.ts';
import { extendPresence, presenceSubscriptionIn, removePresence } from './presenceSubscription.ts';
import { requestJson, requestNothing } from './request.ts';
import type { Created, SubscriptionKind } from './subscriptionKind.ts';
import type { WantedContacts } from './wantedContacts.ts';
import { presenceSubscriptionCodec } from './wire.ts';

/** A subscription to contacts, and whom it has. */
export interface ContactsSubscription extends Created {
  /** The keys of its contacts. */
  readonly has: Set<string>;
}

/** How many contacts are asked for at once, where the server has not refused as many: its limit is not documented. */
const MOST_AT_ONCE = 100;
/** How many contacts are dropped at the same time. */
const DROPS_AT_ONCE = 4;

/**
 * Subscriptions to the presence of selected contacts. They follow the list as it changes: only the difference
 * is sent. What is more than the server takes at once is sent in pieces, and in smaller ones where it says that
 * they are too large. [SubscribeToThePresenceOfSelectedContacts, addToPresenceSubscription_ref]
 */
export function contactsKind(
  { transport, pause }: UcwaInternals,
  wanted: WantedContacts,
  own: OwnEvents,
  durationMinutes: number,
): SubscriptionKind<ContactsSubscription> {
  let mostAtOnce = MOST_AT_ONCE;

  /** Tries with fewer and fewer where the server says that these are too many. */
  const inPieces = <Answer>(
    keys: readonly string[],
    send: (uris: readonly string[]) => Observable<Answer>,
  ): Observable<{ readonly answer: Answer; readonly sent: readonly string[] }> => {
    const sent = keys.slice(0, mostAtOnce);
    return send(sent.flatMap((key) => wanted.byKey.get(key) ?? [])).pipe(
      map((answer) => ({ answer, sent })),
      catchError((error: unknown) => {
        if (!isTooMuch(error) || sent.length < 2) return throwError(() => error);
        mostAtOnce = Math.ceil(sent.length / 2);
        return inPieces(keys, send);
      }),
    );
  };

  const create = (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ): Observable<ContactsSubscription> =>
    wanted.changed$.pipe(
      startWith(undefined),
      filter(() => wanted.byKey.size > 0),
      take(1),
      tap(() => want(own, wanted.byKey)),
      mergeMap(() =>
        inPieces([...wanted.byKey.keys()], (uris) =>
          requestJson(
            transport,
            {
              method: 'POST',
              url: presenceSubscriptionsOf(application),
              body: { duration: durationMinutes, uris },
              onProgress,
            },
            presenceSubscriptionCodec,
            'presenceSubscription',
          ),
        ),
      ),
      map(({ answer, sent }) => ({ ...presenceSubscriptionIn(answer), has: new Set(sent) })),
    );

  const add = (made: ContactsSubscription, keys: readonly string[]): Observable<unknown> =>
    defer(() => {
      const { addTo } = made;
      if (addTo === undefined) return throwError(cannotBeChanged);
      expectUnidentified(own);
      return inPieces(keys, (contactUris) =>
        // Adding somebody twice by accident does no harm.
        requestNothing(
          transport,
          { method: 'POST', url: addTo, body: { contactUris }, idempotent: true },
          'addToPresenceSubscription',
        ).pipe(patiently('release', pause)),
      );
    }).pipe(tap(({ sent }) => sent.forEach((key) => made.has.add(key))));

  const drop = (made: ContactsSubscription, keys: readonly string[]): Observable<unknown> => {
    const addresses = new Map(keys.map((key) => [addressOf(key), key]));
    if (made.memberships === undefined) return throwError(cannotBeChanged);
    return memberships(transport, made.memberships, hrefKey(made.self)).pipe(
      patiently('channel', pause),
      mergeMap((found) => from(found.filter(({ address = '' }) => addresses.has(address)))),
      mergeMap(({ self, contact }) => {
        forget(own, [contact]);
        if (self === undefined) return EMPTY;
        return requestNothing(
          transport,
          { method: 'DELETE', url: self },
          'presenceSubscriptionMembership',
        ).pipe(
          patiently('release', pause),
          // Who is not in it any more need not be dropped.
          catchError((error: unknown) =>
            decideRelease(error) === 'alreadyGone' ? EMPTY : throwError(() => error),
          ),
        );
      }, DROPS_AT_ONCE),
      ignoreElements(),
      tap({ complete: () => keys.forEach((key) => made.has.delete(key)) }),
    );
  };

  const update = (made: ContactsSubscription): Observable<never> => {
    const step = defer(() => {
      const difference = memberDifference(made.has, new Set(wanted.byKey.keys()), mostAtOnce);
      if (difference === undefined) return of(false);
      const { add: added, drop: dropped } = difference;
      const sent$ = dropped.length > 0 ? drop(made, dropped) : add(made, added);
      return sent$.pipe(ignoreElements(), endWith(true));
    });
    return wanted.changed$.pipe(
      startWith(undefined),
      tap(() => want(own, wanted.byKey)),
      exhaustMap(() => step.pipe(repeat(), takeWhile(Boolean))),
      ignoreElements(),
    );
  };

  return {
    resource: 'presenceSubscription',
    durationMinutes,
    isAnnounced: true,
    create,
    extend: (made) => extendPresence(made, durationMinutes),
    remove: removePresence,
    update,
  };
}

function isTooMuch(error: unknown): boolean {
  if (!(error instanceof HttpError)) return false;
  return error.status === 413 || (error.status === 403 && error.subcode === 'LimitExceeded');
}

function cannotBeChanged(): DecodeError {
  const problem = { path: '/_links/addToPresenceSubscription', expected: 'a link', actual: 'nothing' };
  return new DecodeError('presenceSubscription', problem);
}
