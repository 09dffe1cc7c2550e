import {
  asyncScheduler,
  catchError,
  defer,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { journaled } from '../../core/checkpoint/journaled.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { type RemoteResource, remoteResource } from '../../core/lifecycle/remoteResource.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { EndedError } from '../protocol/errors.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import { decideDelete } from '../protocol/failures.ts';
import { hrefKey } from '../protocol/href.ts';
import { requestNothing } from '../protocol/request.ts';
import { activeSubscription } from './activeSubscription.ts';
import { bindTo, deleted, retain, listen } from './eventFilter.ts';
import { expiryOf, type SubscriptionState } from './state.ts';
import type { Created } from './subscriptionType.ts';

/** The server's own default, in seconds, for how long events of presence may wait for others. */
const MEDIUM_SECONDS = 5;
/** How long an event may be under way on top of that. */
const MARGIN_MS = 2000;

/** How long an event of presence may take to come, in milliseconds. */
export function eventDelayMs(mediumSeconds: number | undefined): number {
  return (mediumSeconds ?? MEDIUM_SECONDS) * 1000 + MARGIN_MS;
}

/** How an application ended that was found to be gone. */
const LOST = 'it is gone';

/**
 * Returns an Observable of one subscription, from its creation to its removal. It is extended until the
 * subscriber leaves, and errors with {@link ENDED} where the server has ended it.
 */
export function subscriptionLease<Made extends Created>(
  stream: SubscriptionState<Made>,
): Observable<UcwaEvent> {
  const { internals, kind, own } = stream;
  const config: RemoteResource<Made, UcwaEvent, LiveApplication> = {
    resource: kind.resource,
    ledger: internals.ledger,
    // The place is kept through the release, which looks out for the deleted event.
    within: retain(own, internals.application$),
    acquire: (application, onProgress) => acquired(stream, application, onProgress),
    identify: selfOf,
    use: (made, lease, application) => activeSubscription(stream, made, lease, application),
    release: (made, application) => released(stream, made, application),
    expiresAt: () => expiryOf(stream),
    decide: decideDelete,
    pause: internals.pause,
    ifLost:
      `If the server has created it, it ends it after ${kind.durationMinutes} minutes, ` +
      'or together with the application.',
  };
  if (!internals.hasCheckpoint) return remoteResource(config);
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

function acquired<Made extends Created>(
  stream: SubscriptionState<Made>,
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
    application.isEnded
      ? throwError(() => new EndedError('application', application.self, LOST))
      : kind.create(application, onProgress),
  ).pipe(
    catchError((error: unknown) => {
      stream.refusal = { error };
      return throwError(() => error);
    }),
    tap(({ self }) => {
      bindTo(own, hrefKey(self));
      stream.self = self;
      stream.madeAt = asyncScheduler.now();
    }),
  );
}

function released<Made extends Created>(
  stream: SubscriptionState<Made>,
  made: Made,
  application: LiveApplication,
): Observable<ReleaseResult> {
  const { internals, kind } = stream;
  if (application.isGone) return of({ alreadyGone: true });
  const removed$ = requestNothing(
    internals.transport,
    { ...kind.remove(made), keepalive: true },
    kind.resource,
  );
  return removed$.pipe(
    map(() => false),
    catchError((error: unknown) =>
      application.isGone || decideDelete(error) === 'alreadyGone' ? of(true) : throwError(() => error),
    ),
    mergeMap((alreadyGone) =>
      kind.isAnnounced && stream.ending !== 'doubtful'
        ? deletedEvent(stream, hrefKey(made.self)).pipe(
            map((seen) => ({ alreadyGone, detail: { deletedEvent: seen } })),
          )
        : of({ alreadyGone }),
    ),
  );
}

/** Whether the server tells the others, too, that it is gone; asked once it has confirmed the removal. */
function deletedEvent<Made extends Created>(
  { internals: { router: dispatch, mediumSeconds }, own }: SubscriptionState<Made>,
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
