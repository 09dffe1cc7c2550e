import {
  asyncScheduler,
  catchError,
  concatMap,
  defer,
  filter,
  finalize,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
  Subscription,
  take,
  takeWhile,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { ReleaseResult } from '../core/release.ts';
import { type Lease, remoteResource } from '../core/remoteResource.ts';
import type { RequestProgress } from '../core/transport.ts';
import { type LiveApplication, linkOf, presenceSubscriptionsOf } from './application.ts';
import type { UcwaInternals } from './connect.ts';
import { decideRelease } from './decision.ts';
import type { FiledEvent } from './dispatch.ts';
import type { UcwaEvent } from './events.ts';
import { contactKey, PRESENCE_SUBSCRIPTIONS, UNNAMED_CONTACTS } from './filing.ts';
import { hrefKey } from './href.ts';
import { inbox } from './inbox.ts';
import { members } from './memberships.ts';
import { requestJson, requestNothing } from './request.ts';
import { hrefOf, presenceSubscriptionCodec } from './wire.ts';

/** What to ask the server for. */
export interface WantedPresence {
  readonly uris: readonly string[];
  readonly durationMinutes: number;
}

/** A presence subscription as it is on the server. */
interface Held {
  /** Absolute. */
  readonly self: string;
  readonly key: string;
  /** Absolute; undefined where the server has none. */
  readonly memberships: string | undefined;
  readonly expiresAt: number;
}

/** The server's own default, in seconds, for how long events of presence may wait for others. */
const MEDIUM_SECONDS = 5;
/** How long a `deleted` event may take on top of that. */
const MARGIN_MS = 2000;

/**
 * Returns an Observable of one presence subscription, from its creation to its removal. It is for one
 * subscriber.
 */
export function presenceSubscription(
  internals: UcwaInternals,
  wanted: WantedPresence,
): Observable<UcwaEvent> {
  const { application$, batches$, dispatch, ledger, transport, retry } = internals;
  const mine = new Set(wanted.uris.map(contactKey));
  const events = inbox<FiledEvent>();
  const listening = new Subscription();
  const deleted = new Subject<void>();
  let own: string | undefined;
  let isDeleted = false;
  let knowsMembers = false;

  const isOwnDeletion = ({ event, keys }: FiledEvent): boolean =>
    event.type === 'deleted' && own !== undefined && keys.includes(own);

  const place = dispatch.enter((filed) => {
    events.next(filed);
    if (!isOwnDeletion(filed)) return;
    isDeleted = true;
    deleted.next();
  });

  const learn = (...keys: readonly string[]): void => {
    keys.forEach((key) => mine.add(key));
    place.add(...keys);
  };

  const listen = (): void => {
    place.add(...mine, UNNAMED_CONTACTS, PRESENCE_SUBSCRIPTIONS);
    listening.add(batches$.subscribe({ error: (error: unknown) => events.error(error) }));
  };

  const acquire = (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Held> =>
    defer(() => {
      listen();
      const body = { duration: wanted.durationMinutes, uris: wanted.uris };
      const url = presenceSubscriptionsOf(application);
      return requestJson(
        transport,
        { method: 'POST', url, body, onProgress },
        presenceSubscriptionCodec,
        'presenceSubscription',
      );
    }).pipe(
      map(({ value, url }) => {
        const self = linkOf(value, 'self', url);
        own = hrefKey(self);
        learn(own);
        place.drop(PRESENCE_SUBSCRIPTIONS);
        return {
          self,
          key: own,
          memberships:
            hrefOf(value, 'memberships') === undefined ? undefined : linkOf(value, 'memberships', url),
          expiresAt: asyncScheduler.now() + wanted.durationMinutes * 60_000,
        };
      }),
    );

  /** Where a contact's href does not say who it is, the memberships tell which contacts are these. */
  const identified = (filed: FiledEvent, { memberships, key }: Held): Observable<FiledEvent> => {
    const isUnknown = filed.keys.includes(UNNAMED_CONTACTS) && !filed.keys.some((one) => mine.has(one));
    if (!isUnknown || knowsMembers || memberships === undefined) return of(filed);
    return members(transport, memberships, key).pipe(
      map((keys) => {
        knowsMembers = true;
        learn(...keys);
        place.drop(UNNAMED_CONTACTS);
        return filed;
      }),
    );
  };

  const use = (held: Held, lease: Lease, application: LiveApplication): Observable<UcwaEvent> =>
    events.values$.pipe(
      concatMap((filed) => identified(filed, held)),
      filter(({ event, keys }) => event.type === 'reset' || keys.some((key) => mine.has(key))),
      tap((filed) => {
        if (isOwnDeletion(filed)) lease.endedByServer({ deletedEvent: 'seen' });
      }),
      takeWhile((filed) => !isOwnDeletion(filed), true),
      map(({ event }) => event),
      catchError((error: unknown) => {
        // With the application went everything on it.
        if (application.isLost) lease.endedByServer();
        return throwError(() => error);
      }),
    );

  /** Whether the server tells the others, too, that it is gone; asked once it has confirmed the removal. */
  const deletedEvent = (): Observable<'seen' | 'notSeen' | 'notWatched'> =>
    defer(() => {
      if (isDeleted) return of('seen' as const);
      if (!dispatch.isOpen) return of('notWatched' as const);
      return merge(
        deleted.pipe(map(() => 'seen' as const)),
        dispatch.closed$.pipe(map(() => 'notWatched' as const)),
        timer((internals.mediumSeconds ?? MEDIUM_SECONDS) * 1000 + MARGIN_MS).pipe(
          map(() => 'notSeen' as const),
        ),
      ).pipe(take(1));
    });

  const release = ({ self }: Held): Observable<ReleaseResult> =>
    requestNothing(transport, { method: 'DELETE', url: self, keepalive: true }, 'presenceSubscription').pipe(
      map(() => false),
      catchError((error: unknown) =>
        decideRelease(error) === 'alreadyGone' ? of(true) : throwError(() => error),
      ),
      mergeMap((alreadyGone) =>
        deletedEvent().pipe(map((seen) => ({ alreadyGone, detail: { deletedEvent: seen } }))),
      ),
    );

  return remoteResource({
    resource: 'presenceSubscription',
    ledger,
    // The place is kept through the release, which looks out for the deleted event.
    within: application$.pipe(finalize(() => place.leave())),
    acquire,
    identify: ({ self }) => self,
    use,
    release,
    expiresAt: ({ expiresAt }) => expiresAt,
    decide: decideRelease,
    backoff: retry,
    ifLost:
      `If the server has created it, it ends it after ${wanted.durationMinutes} minutes, ` +
      'or together with the application.',
    // The channel is let go of when the subscriber leaves, even while an answer is outstanding.
  }).pipe(finalize(() => listening.unsubscribe()));
}
