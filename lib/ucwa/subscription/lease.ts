import {
  asyncScheduler,
  catchError,
  defer,
  finalize,
  map,
  mergeMap,
  type Observable,
  of,
  tap,
  throwError,
} from 'rxjs';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { type RemoteResource, remoteResource } from '../../core/lifecycle/remoteResource.ts';
import { untilSuspended } from '../../core/lifecycle/suspension.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { EndedError } from '../protocol/errors.ts';
import { decideDelete } from '../protocol/failures.ts';
import { hrefKey } from '../protocol/href.ts';
import { requestNothing } from '../protocol/request.ts';
import type { UcwaSession } from '../session/session.ts';
import { activeSubscription } from './activeSubscription.ts';
import { type DeletionWatch, deletionWatch, listen, setFilter } from './eventSource.ts';
import { boundTo } from './eventFilter.ts';
import { type Ending, SubscriptionEnded } from './recreation.ts';
import type { Created, StreamConfig, SubscriptionType } from './subscriptionType.ts';

/** How an application ended that was found to be gone. */
const GONE = 'it is gone';

/** Receives the error of a creation. */
type OnRefused = (error: unknown, application: LiveApplication) => void;

/**
 * Returns an Observable of one subscription on the server, from its creation to its removal.
 *
 * It errors with {@link SubscriptionEnded} if the subscription ends before the subscriber leaves.
 *
 * @param isReplacement Whether a gap is emitted first, because no other one reports the loss of the last
 * subscription.
 */
export function subscriptionLease<Made extends Created, Value>(
  config: StreamConfig<Made, Value>,
  isReplacement: boolean,
  onRefused: OnRefused,
): Observable<Value> {
  const { session, type } = config;
  let createdAt = 0;
  let ending: Ending | undefined;
  let deletion: DeletionWatch | undefined;

  const resource: RemoteResource<Made, Value, LiveApplication> = {
    resource: type.resource,
    ledger: session.ledger,
    // It is subscribed to until the release is over.
    parent$: session.application$.pipe(finalize(() => deletion?.close())),
    acquire: (application, onProgress) =>
      created(config, application, onProgress, onRefused).pipe(tap(() => (createdAt = asyncScheduler.now()))),
    identify: selfOf,
    use: (made, lease, application) => {
      // No spread of the config: it would leave room for more members in each of thousands.
      const active$ = activeSubscription(config, {
        made,
        lease,
        application,
        isReplacement,
        expiresAt: createdAt + type.durationMinutes * 60_000,
        ended: (how) => {
          ending = how;
          return new SubscriptionEnded(how, made.self, createdAt);
        },
      });
      // In a suspension, an application of this connection is deleted with everything on it.
      return application.isOwn ? active$ : untilSuspended(session.suspension, active$);
    },
    release: (made, application) => {
      // The next subscription waits for the removal of one that it replaces: no event is awaited then.
      if (type.isAnnounced && ending !== 'replaced') deletion ??= deletionWatch(session, hrefKey(made.self));
      return released(session, type, made, application, deletion);
    },
    expiresAt: () => createdAt + type.durationMinutes * 60_000,
    decide: decideDelete,
    pause: session.pause,
    unknownHint:
      `If the server has created it, it ends it after ${type.durationMinutes} minutes, ` +
      'or together with the application.',
  };
  const { checkpointing } = session;
  if (checkpointing === undefined) return remoteResource(resource);
  return checkpointing.journaled(
    resource,
    ({ journal }) => journal,
    (made) => {
      const { url } = type.remove(made);
      return url === made.self ? undefined : url;
    },
  );
}

function selfOf({ self }: Created): string {
  return self;
}

function created<Made extends Created, Value>(
  { type, source }: StreamConfig<Made, Value>,
  application: LiveApplication,
  onProgress: (progress: RequestProgress) => void,
  onRefused: OnRefused,
): Observable<Made> {
  listen(source);
  const { failure } = source.buffer;
  if (failure !== undefined) return throwError(() => failure.error);
  return defer(() =>
    // Opening the channel may have revealed it.
    application.isEnded
      ? throwError(() => new EndedError('application', application.self, GONE))
      : type.create(application, onProgress),
  ).pipe(
    tap({
      next: ({ self }) => setFilter(source, boundTo(source.filter, hrefKey(self))),
      error: (error: unknown) => onRefused(error, application),
    }),
  );
}

function released<Made extends Created>(
  { transport }: UcwaSession,
  type: SubscriptionType<Made>,
  made: Made,
  application: LiveApplication,
  deletion: DeletionWatch | undefined,
): Observable<ReleaseResult> {
  if (application.isGone) return of({ alreadyGone: true });
  return requestNothing(transport, { ...type.remove(made), keepalive: true }, type.resource).pipe(
    map(() => false),
    catchError((error: unknown) =>
      application.isGone || decideDelete(error) === 'alreadyGone' ? of(true) : throwError(() => error),
    ),
    mergeMap((alreadyGone) =>
      deletion === undefined
        ? of({ alreadyGone })
        : deletion.event$.pipe(map((deletedEvent) => ({ alreadyGone, detail: { deletedEvent } }))),
    ),
  );
}
