import { catchError, map, mergeMap, type Observable, throwError } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import type { RemoteResource } from '../../core/lifecycle/remoteResource.ts';
import { type Suspension, untilSuspended } from '../../core/lifecycle/suspension.ts';
import type { RequestProgress, Transport } from '../../core/transport/transport.ts';
import type { ServerLocation } from '../discovery/location.ts';
import { decideDelete } from '../protocol/failures.ts';
import { type DecodedResponse, requestJson, requestNothing } from '../protocol/request.ts';
import { applicationCodec, type ApplicationResource } from '../protocol/resource.ts';
import type { ApplicationIdentity } from './identity.ts';
import { type LiveApplication, liveApplication, untilEnded } from './liveApplication.ts';

/** The lifecycle of an application that the connection has created. */
export type OwnedApplication = RemoteResource<LiveApplication, LiveApplication, undefined>;

/** Returns an Observable of the application of a lifecycle, whose identity is given. */
export type OwnApplication = (
  resource: OwnedApplication,
  identify: () => ApplicationIdentity,
) => Observable<LiveApplication>;

/** The `unknownHint` of an application. */
export const APPLICATION_IF_LOST =
  'The server ends it, with everything on it, 15 minutes after its last client has gone.';

/** The options of {@link createdApplication}. */
export interface CreationConfig {
  readonly location: ServerLocation;
  readonly transport: Transport;
  readonly ledger: ReleaseLedger;
  readonly suspension: Suspension;
  readonly pause: Pause;
  /**
   * Called with true when the creation is sent. Called with false when it is refused, or the application has
   * ended.
   */
  readonly mayExist: (mayExist: boolean) => void;
}

/**
 * Returns an Observable that creates an application, emits it, and deletes it on unsubscribe.
 *
 * It errors when the application has ended.
 *
 * @param mutex$ The mutex of all creations: the server treats two applications of one identity as the same.
 * @param identify Returns the identity of the new application.
 * @param own Returns the application of this lifecycle: `remoteResource`, or with a checkpoint more.
 */
export function createdApplication(
  { location, transport, ledger, suspension, pause, mayExist }: CreationConfig,
  mutex$: Observable<undefined>,
  identify: () => ApplicationIdentity,
  own: OwnApplication,
): Observable<LiveApplication> {
  const post = (
    onProgress: (progress: RequestProgress) => void,
  ): Observable<DecodedResponse<ApplicationResource>> => {
    const identity = identify();
    // Only applications of resource version 2 have instances: [MS-UCWA] MultiTabSupport.
    const headers = identity.instanceId === undefined ? {} : { 'x-ms-requiresminresourceversion': '2' };
    // The POST is idempotent: the same identity creates one application.
    const request = { method: 'POST', body: identity, headers, idempotent: true, onProgress };
    const posted$ = location.url$.pipe(
      mergeMap((url) => requestJson(transport, { ...request, url }, applicationCodec, 'application')),
    );
    return posted$.pipe(
      catchError((error: unknown) =>
        location.hasMoved(error).pipe(mergeMap((hasMoved) => (hasMoved ? posted$ : throwError(() => error)))),
      ),
    );
  };
  const config: OwnedApplication = {
    resource: 'application',
    ledger,
    parent$: mutex$,
    acquire: (_, onProgress) =>
      post((progress) => {
        mayExist(progress === 'sent');
        onProgress(progress);
      }).pipe(map((response) => liveApplication(response, true))),
    identify: ({ self }) => self,
    use: (live, lease) =>
      untilSuspended(
        suspension,
        untilEnded(live, () => {
          mayExist(false);
          // In a suspension it is removed, although its streams regard it as gone.
          if (!suspension.isSuspended) lease.endedByServer(live.isGone ? undefined : { leftToAnother: true });
        }),
      ),
    release: ({ self }) =>
      requestNothing(transport, { method: 'DELETE', url: self, keepalive: true }, 'application').pipe(
        map(() => ({})),
      ),
    decide: decideDelete,
    pause,
    unknownHint: APPLICATION_IF_LOST,
  };
  return own(config, identify);
}
