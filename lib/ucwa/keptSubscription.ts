import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  map,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  of,
  take,
  takeUntil,
  takeWhile,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { ReleaseResult } from '../core/release.ts';
import { type Lease, remoteResource } from '../core/remoteResource.ts';
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
import { isStillThere } from './isStillThere.ts';
import { memberships } from './memberships.ts';
import type { OwnEvents } from './ownEvents.ts';
import { patiently } from './pause.ts';
import { requestNothing } from './request.ts';
import { lossIn, recreationEvent } from './reset.ts';
import type { Created, SubscriptionKind } from './subscriptionKind.ts';

/**
 * How the server ended a subscription: it told so (`deleted`), it no longer knows it (`gone`), or it has lost
 * it together with all else (`lost`), which a reset tells.
 */
export type Ending = 'deleted' | 'gone' | 'lost';

/** How it goes with the subscription of a stream, for who decides what comes next. */
export interface Course {
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

/** A subscription as it is on the server. */
interface Held<Made> {
  readonly made: Made;
  /** The key of its href. */
  readonly key: string;
  readonly expiresAt: number;
}

/** How an application ended that was found to be gone. */
const LOST = 'it is gone';

/**
 * Returns an Observable of one subscription, from its creation to its removal. It is extended until the
 * subscriber leaves, and completes where the server has ended it.
 */
export function keptSubscription<Made extends Created>(
  internals: UcwaInternals,
  kind: SubscriptionKind<Made>,
  own: OwnEvents,
  course: Course,
): Observable<UcwaEvent> {
  const { application$, dispatch, ledger, transport, retry, pause } = internals;
  const { resource, durationMinutes } = kind;

  const acquire = (
    application: LiveApplication,
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Held<Made>> =>
    defer(() => {
      course.application = application;
      own.listen();
      const { failure } = own;
      if (failure !== undefined) return throwError(() => failure.error);
      return defer(() =>
        // Listening may have been what found it to be gone.
        application.isOver
          ? throwError(() => new EndedError('application', application.self, LOST))
          : kind.create(application, onProgress),
      ).pipe(
        catchError((error: unknown) => {
          course.refusal = { error };
          return throwError(() => error);
        }),
      );
    }).pipe(
      map((made) => {
        const key = hrefKey(made.self);
        own.adopt(key);
        course.self = made.self;
        course.madeAt = asyncScheduler.now();
        return { made, key, expiresAt: asyncScheduler.now() + durationMinutes * 60_000 };
      }),
    );

  /** Where a contact's href does not say who it is, the memberships tell which contacts are these. */
  const identified = (filed: FiledEvent, { made, key }: Held<Made>): Observable<FiledEvent> => {
    if (made.memberships === undefined || !own.isUnidentified(filed)) return of(filed);
    return memberships(transport, made.memberships, key).pipe(
      patiently('channel', pause),
      // Of a subscription that is gone nothing is known any more: what tells of that comes next.
      catchError((error: unknown) =>
        decide('channel', error, 1) === 'gone' ? EMPTY : throwError(() => error),
      ),
      map((found) => {
        own.identify(found);
        return filed;
      }),
    );
  };

  const use = (held: Held<Made>, lease: Lease, application: LiveApplication): Observable<UcwaEvent> => {
    const renewed$ =
      course.ending === 'deleted' || course.ending === 'gone'
        ? of(recreationEvent({ rel: resource, href: held.made.self }, application.self))
        : EMPTY;
    course.ending = undefined;
    let isAnnounced = false;

    /** Whether the subscription is still there after an event. */
    const goesOn = (filed: FiledEvent): boolean => {
      const loss = lossIn(filed.event);
      if (own.isAnnouncement(filed)) isAnnounced = true;
      if (own.isDeletion(filed)) {
        course.ending = 'deleted';
        lease.endedByServer({ deletedEvent: 'seen' });
      } else if (loss === 'recreated' && application.isOver) {
        course.ending = 'lost';
        // On one that was left to another client it is still there: it is removed.
        if (application.isLost) lease.endedByServer();
      } else if (loss === 'resume') {
        course.ending = 'lost';
        // What was told of before the loss is gone. What was not may have been created after it: it is removed.
        if (isAnnounced) lease.endedByServer();
      }
      return course.ending === undefined;
    };

    const events$ = own
      .each((filed) => identified(filed, held))
      .pipe(
        filter((filed) => own.isOwn(filed)),
        takeWhile(goesOn, true),
        map(({ event }) => event),
        catchError((error: unknown) => {
          // With the application went everything on it.
          if (application.isLost) lease.endedByServer();
          return throwError(() => error);
        }),
      );

    const kept$ = extension({
      ...{ transport, pause, durationMinutes, expiresAt: held.expiresAt, resource },
      request: () => kind.extend(held.made),
      doubtful$: own.doubtful$,
      onExtended: lease.extendedTo,
    });
    const gone$ = merge(kept$, kind.update?.(held.made) ?? EMPTY).pipe(
      catchError((error: unknown) =>
        decide('release', error, 1) === 'gone'
          ? isStillThere(application, internals)
          : throwError(() => error),
      ),
      // With the application went everything on it: the channel tells of that, at its place.
      mergeMap((isThere) => (isThere ? of(undefined) : NEVER)),
      tap(() => {
        course.ending = 'gone';
        lease.endedByServer();
      }),
    );

    return concat(renewed$, events$).pipe(takeUntil(gone$));
  };

  /** Whether the server tells the others, too, that it is gone; asked once it has confirmed the removal. */
  const deletedEvent = ({ key }: Held<Made>): Observable<'seen' | 'notSeen' | 'notWatched'> =>
    defer(() => {
      if (own.wasDeleted(key)) return of('seen' as const);
      if (!dispatch.isOpen) return of('notWatched' as const);
      return merge(
        own.deleted$.pipe(
          filter((deleted) => deleted === key),
          map(() => 'seen' as const),
        ),
        dispatch.closed$.pipe(map(() => 'notWatched' as const)),
        timer(eventDelayMs(internals.mediumSeconds())).pipe(map(() => 'notSeen' as const)),
      ).pipe(take(1));
    });

  const release = (held: Held<Made>, application: LiveApplication): Observable<ReleaseResult> => {
    if (application.isLost) return of({ alreadyGone: true });
    return requestNothing(transport, { ...kind.remove(held.made), keepalive: true }, resource).pipe(
      map(() => false),
      catchError((error: unknown) =>
        application.isLost || decideRelease(error) === 'alreadyGone' ? of(true) : throwError(() => error),
      ),
      mergeMap((alreadyGone) =>
        kind.isAnnounced
          ? deletedEvent(held).pipe(map((seen) => ({ alreadyGone, detail: { deletedEvent: seen } })))
          : of({ alreadyGone }),
      ),
    );
  };

  return remoteResource({
    resource,
    ledger,
    // The place is kept through the release, which looks out for the deleted event.
    within: application$.pipe(own.holding()),
    acquire,
    identify: ({ made }) => made.self,
    use,
    release,
    expiresAt: ({ expiresAt }) => expiresAt,
    decide: decideRelease,
    backoff: retry,
    ifLost:
      `If the server has created it, it ends it after ${durationMinutes} minutes, ` +
      'or together with the application.',
  });
}
