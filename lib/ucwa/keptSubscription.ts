import {
  asyncScheduler,
  catchError,
  defer,
  EMPTY,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  Subscription,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { journaled } from '../core/journaled.ts';
import type { ReleaseResult } from '../core/release.ts';
import { type Lease, type RemoteResource, remoteResource } from '../core/remoteResource.ts';
import type { RequestProgress } from '../core/transport.ts';
import type { LiveApplication } from './liveApplication.ts';
import type { UcwaInternals } from './connect.ts';
import { decide, decideRelease } from './decision.ts';
import type { FiledEvent } from './dispatch.ts';
import { EndedError } from './endedError.ts';
import { eventDelayMs } from './eventDelay.ts';
import type { UcwaEvent } from './events.ts';
import { extension } from './extension.ts';
import { hrefKey } from './href.ts';
import { taking } from './inbox.ts';
import { isStillThere } from './isStillThere.ts';
import { memberships } from './memberships.ts';
import {
  adopt,
  deleted,
  holding,
  identify,
  isAbout,
  isOwn,
  isUnidentified,
  listen,
  type OwnEvents,
} from './ownEvents.ts';
import { patiently } from './pause.ts';
import { requestNothing } from './request.ts';
import { lossIn, recreationEvent } from './reset.ts';
import type { Created, SubscriptionKind } from './subscriptionKind.ts';

/**
 * How the server ended a subscription: it told so (`deleted`), it no longer knows it (`gone`), or it has lost
 * it together with all else (`lost`), which a reset tells.
 */
export type Ending = 'deleted' | 'gone' | 'lost';

/** What a stream is made of, and how it goes with its subscription on the server. */
export interface Stream<Made extends Created> {
  readonly internals: UcwaInternals;
  readonly kind: SubscriptionKind<Made>;
  readonly own: OwnEvents;
  /** The application that it is on, or was to be. */
  application: LiveApplication | undefined;
  /** Why it could not be created. */
  refusal: { readonly error: unknown } | undefined;
  /** Its href, once it was there. */
  self: string | undefined;
  madeAt: number;
  /** How the one before it ended, until it is there itself. */
  ending: Ending | undefined;
}

/** How an application ended that was found to be gone. */
const LOST = 'it is gone';

/** What an Observable of a subscription errors with where the server has ended it: the course tells how. */
export const ENDED: Error = new Error('the server has ended the subscription');

/**
 * Returns an Observable of one subscription, from its creation to its removal. It is extended until the
 * subscriber leaves, and errors with {@link ENDED} where the server has ended it.
 */
export function keptSubscription<Made extends Created>(stream: Stream<Made>): Observable<UcwaEvent> {
  const { internals, kind, own } = stream;
  const config: RemoteResource<Made, UcwaEvent, LiveApplication> = {
    resource: kind.resource,
    ledger: internals.ledger,
    // The place is kept through the release, which looks out for the deleted event.
    within: holding(own, internals.application$),
    acquire: (application, onProgress) => acquired(stream, application, onProgress),
    identify: selfOf,
    use: (made, lease, application) => used(stream, made, lease, application),
    release: (made, application) => released(stream, made, application),
    expiresAt: () => expiryOf(stream),
    decide: decideRelease,
    backoff: internals.retry,
    ifLost:
      `If the server has created it, it ends it after ${kind.durationMinutes} minutes, ` +
      'or together with the application.',
  };
  if (!internals.isKept) return remoteResource(config);
  return journaled(
    config,
    ({ journal }) => journal,
    (made) => {
      const { url } = kind.remove(made);
      return url === made.self ? undefined : url;
    },
  );
}

function selfOf({ self }: Created): string {
  return self;
}

function expiryOf<Made extends Created>({ kind, madeAt }: Stream<Made>): number {
  return madeAt + kind.durationMinutes * 60_000;
}

function acquired<Made extends Created>(
  stream: Stream<Made>,
  application: LiveApplication,
  onProgress: (progress: RequestProgress) => void,
): Observable<Made> {
  const { kind, own } = stream;
  stream.application = application;
  listen(own);
  const { failure } = own.inbox;
  if (failure !== undefined) return throwError(() => failure.error);
  return defer(() =>
    // Listening may have been what found it to be gone.
    application.isOver
      ? throwError(() => new EndedError('application', application.self, LOST))
      : kind.create(application, onProgress),
  ).pipe(
    catchError((error: unknown) => {
      stream.refusal = { error };
      return throwError(() => error);
    }),
    tap(({ self }) => {
      adopt(own, hrefKey(self));
      stream.self = self;
      stream.madeAt = asyncScheduler.now();
    }),
  );
}

/** One Observable, and not a chain of ten: of what is live there are thousands. */
function used<Made extends Created>(
  stream: Stream<Made>,
  made: Made,
  lease: Lease,
  application: LiveApplication,
): Observable<UcwaEvent> {
  const { internals, kind, own } = stream;
  return new Observable((subscriber) => {
    const isMadeAgain = stream.ending === 'deleted' || stream.ending === 'gone';
    let isAnnounced = false;
    let updating = Subscription.EMPTY;
    stream.ending = undefined;

    const tell = (filed: FiledEvent): void => {
      if (!isOwn(own, filed)) return;
      if (isAbout(own, filed, 'added')) isAnnounced = true;
      stream.ending = endingBy(filed, own, lease, application, isAnnounced);
      subscriber.next(filed.event);
      if (stream.ending !== undefined) subscriber.error(ENDED);
    };

    const take = (filed: FiledEvent): Observable<unknown> | undefined => {
      const { memberships: url } = made;
      if (url !== undefined && isUnidentified(own, filed)) {
        return identified(internals, own, made, url).pipe(tap(() => tell(filed)));
      }
      tell(filed);
      return undefined;
    };

    const failed = (error: unknown): void => {
      // With the application went everything on it.
      if (application.isLost) lease.endedByServer();
      subscriber.error(error);
    };

    const notKept = (error: unknown): void => {
      updating.unsubscribe();
      if (decide('release', error, 1) !== 'gone') {
        subscriber.error(error);
        return;
      }
      subscriber.add(
        isStillThere(application, internals).subscribe({
          next: (isThere) => {
            // With the application went everything on it: the channel tells of that, at its place.
            if (!isThere) return;
            stream.ending = 'gone';
            lease.endedByServer();
            subscriber.error(ENDED);
          },
          error: (cause: unknown) => subscriber.error(cause),
        }),
      );
    };

    extension(internals, {
      ...{ kind, made, own },
      expiresAt: expiryOf(stream),
      onExtended: lease.extendedTo,
      failed: notKept,
    }).subscribe(subscriber);
    updating = kind.update?.(made)?.subscribe({ error: notKept }) ?? updating;
    subscriber.add(updating);
    if (isMadeAgain) {
      subscriber.next(recreationEvent({ rel: kind.resource, href: made.self }, application.self));
    }
    taking(own.inbox, { take, failed }).subscribe(subscriber);
  });
}

/** How the subscription ends with an event, if it does. */
function endingBy(
  filed: FiledEvent,
  own: OwnEvents,
  lease: Lease,
  application: LiveApplication,
  isAnnounced: boolean,
): Ending | undefined {
  const loss = lossIn(filed.event);
  if (isAbout(own, filed, 'deleted')) {
    lease.endedByServer({ deletedEvent: 'seen' });
    return 'deleted';
  }
  if (loss === 'recreated' && application.isOver) {
    // On one that was left to another client it is still there: it is removed.
    if (application.isLost) lease.endedByServer();
    return 'lost';
  }
  if (loss !== 'resume') return undefined;
  // What was told of before the loss is gone. What was not may have been created after it: it is removed.
  if (isAnnounced) lease.endedByServer();
  return 'lost';
}

/** Where a contact's href does not say who it is, the memberships tell which contacts are these. */
function identified(
  { transport, pause }: UcwaInternals,
  own: OwnEvents,
  { self }: Created,
  url: string,
): Observable<unknown> {
  return memberships(transport, url, hrefKey(self)).pipe(
    patiently('channel', pause),
    // Of a subscription that is gone nothing is known any more: what tells of that comes next.
    catchError((error: unknown) =>
      decide('channel', error, 1) === 'gone' ? EMPTY : throwError(() => error),
    ),
    tap((found) => identify(own, found)),
  );
}

function released<Made extends Created>(
  stream: Stream<Made>,
  made: Made,
  application: LiveApplication,
): Observable<ReleaseResult> {
  const { internals, kind } = stream;
  if (application.isLost) return of({ alreadyGone: true });
  const removed$ = requestNothing(
    internals.transport,
    { ...kind.remove(made), keepalive: true },
    kind.resource,
  );
  return removed$.pipe(
    map(() => false),
    catchError((error: unknown) =>
      application.isLost || decideRelease(error) === 'alreadyGone' ? of(true) : throwError(() => error),
    ),
    mergeMap((alreadyGone) =>
      kind.isAnnounced
        ? deletedEvent(stream, hrefKey(made.self)).pipe(
            map((seen) => ({ alreadyGone, detail: { deletedEvent: seen } })),
          )
        : of({ alreadyGone }),
    ),
  );
}

/** Whether the server tells the others, too, that it is gone; asked once it has confirmed the removal. */
function deletedEvent<Made extends Created>(
  { internals: { dispatch, mediumSeconds }, own }: Stream<Made>,
  key: string,
): Observable<'seen' | 'notSeen' | 'notWatched'> {
  const seen$ = deleted(own, key).pipe(map(() => 'seen' as const));
  const over$ = defer(() => (dispatch.isOpen ? dispatch.closed$ : of(undefined)));
  return merge(
    seen$,
    over$.pipe(map(() => 'notWatched' as const)),
    timer(eventDelayMs(mediumSeconds())).pipe(map(() => 'notSeen' as const)),
  ).pipe(take(1));
}
