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
  take,
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

/** What a subscription is part of. */
interface Stream<Made extends Created> {
  readonly internals: UcwaInternals;
  readonly kind: SubscriptionKind<Made>;
  readonly own: OwnEvents;
  readonly course: Course;
}

/** What an Observable of a subscription errors with where the server has ended it: the course tells how. */
export const ENDED: Error = new Error('the server has ended the subscription');

/**
 * Returns an Observable of one subscription, from its creation to its removal. It is extended until the
 * subscriber leaves, and errors with {@link ENDED} where the server has ended it.
 */
export function keptSubscription<Made extends Created>(
  internals: UcwaInternals,
  kind: SubscriptionKind<Made>,
  own: OwnEvents,
  course: Course,
): Observable<UcwaEvent> {
  const stream: Stream<Made> = { internals, kind, own, course };
  return remoteResource<Held<Made>, UcwaEvent, LiveApplication>({
    resource: kind.resource,
    ledger: internals.ledger,
    // The place is kept through the release, which looks out for the deleted event.
    within: holding(own, internals.application$),
    acquire: (application, onProgress) => acquired(stream, application, onProgress),
    identify: selfOf,
    use: (held, lease, application) => used(stream, held, lease, application),
    release: (held, application) => released(stream, held, application),
    expiresAt: expiryOf,
    decide: decideRelease,
    backoff: internals.retry,
    ifLost:
      `If the server has created it, it ends it after ${kind.durationMinutes} minutes, ` +
      'or together with the application.',
  });
}

function selfOf({ made }: Held<Created>): string {
  return made.self;
}

function expiryOf({ expiresAt }: Held<Created>): number {
  return expiresAt;
}

function acquired<Made extends Created>(
  { kind, own, course }: Stream<Made>,
  application: LiveApplication,
  onProgress: (progress: RequestProgress) => void,
): Observable<Held<Made>> {
  course.application = application;
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
      course.refusal = { error };
      return throwError(() => error);
    }),
    map((made) => {
      const key = hrefKey(made.self);
      adopt(own, key);
      course.self = made.self;
      course.madeAt = asyncScheduler.now();
      return { made, key, expiresAt: asyncScheduler.now() + kind.durationMinutes * 60_000 };
    }),
  );
}

/** One Observable, and not a chain of ten: of what is live there are thousands. */
function used<Made extends Created>(
  { internals, kind, own, course }: Stream<Made>,
  held: Held<Made>,
  lease: Lease,
  application: LiveApplication,
): Observable<UcwaEvent> {
  const { made } = held;
  return new Observable((subscriber) => {
    const isMadeAgain = course.ending === 'deleted' || course.ending === 'gone';
    let isAnnounced = !kind.isAnnounced;
    course.ending = undefined;

    /** Notes whether an event ends the subscription. */
    const note = (filed: FiledEvent): void => {
      const loss = lossIn(filed.event);
      if (isAbout(own, filed, 'added')) isAnnounced = true;
      if (isAbout(own, filed, 'deleted')) {
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
    };

    const tell = (filed: FiledEvent): void => {
      if (!isOwn(own, filed)) return;
      note(filed);
      subscriber.next(filed.event);
      if (course.ending !== undefined) subscriber.error(ENDED);
    };

    const take = (filed: FiledEvent): Observable<unknown> | undefined => {
      if (made.memberships !== undefined && isUnidentified(own, filed)) {
        return identified(internals, own, held, made.memberships).pipe(tap(() => tell(filed)));
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
      if (decide('release', error, 1) !== 'gone') {
        subscriber.error(error);
        return;
      }
      subscriber.add(
        isStillThere(application, internals).subscribe({
          next: (isThere) => {
            // With the application went everything on it: the channel tells of that, at its place.
            if (!isThere) return;
            course.ending = 'gone';
            lease.endedByServer();
            subscriber.error(ENDED);
          },
          error: (cause: unknown) => subscriber.error(cause),
        }),
      );
    };

    const extended$ = extension(internals, {
      ...{ resource: kind.resource, durationMinutes: kind.durationMinutes, own },
      expiresAt: held.expiresAt,
      request: () => kind.extend(made),
      onExtended: lease.extendedTo,
    });
    const updated$ = kind.update?.(made);
    const kept$ = updated$ === undefined ? extended$ : merge(extended$, updated$);
    subscriber.add(kept$.subscribe({ error: notKept }));
    if (isMadeAgain) {
      subscriber.next(recreationEvent({ rel: kind.resource, href: made.self }, application.self));
    }
    taking(own.inbox, { take, failed }).subscribe(subscriber);
  });
}

/** Where a contact's href does not say who it is, the memberships tell which contacts are these. */
function identified(
  { transport, pause }: UcwaInternals,
  own: OwnEvents,
  { key }: Held<Created>,
  url: string,
): Observable<unknown> {
  return memberships(transport, url, key).pipe(
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
  held: Held<Made>,
  application: LiveApplication,
): Observable<ReleaseResult> {
  const { internals, kind } = stream;
  if (application.isLost) return of({ alreadyGone: true });
  const removed$ = requestNothing(
    internals.transport,
    { ...kind.remove(held.made), keepalive: true },
    kind.resource,
  );
  return removed$.pipe(
    map(() => false),
    catchError((error: unknown) =>
      application.isLost || decideRelease(error) === 'alreadyGone' ? of(true) : throwError(() => error),
    ),
    mergeMap((alreadyGone) =>
      kind.isAnnounced
        ? deletedEvent(stream, held.key).pipe(
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
