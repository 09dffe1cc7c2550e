import { catchError, map, mergeMap, type Observable, tap, throwError } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import type { Checkpointing } from '../../core/checkpoint/checkpointed.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import { type RemoteResource, remoteResource } from '../../core/lifecycle/remoteResource.ts';
import { type Suspension, untilSuspended } from '../../core/lifecycle/suspension.ts';
import type { RequestProgress, Transport } from '../../core/transport/transport.ts';
import type { ServerLocation } from '../discovery/location.ts';
import type { Acknowledgement } from '../protocol/cursor.ts';
import { decideDelete } from '../protocol/failures.ts';
import { type Answered, requestJson, requestNothing } from '../protocol/request.ts';
import { applicationCodec, type ApplicationResource } from '../protocol/resource.ts';
import type { ApplicationIdentity } from './identity.ts';
import type { ConnectionJournal } from './journal.ts';
import { type LiveApplication, liveApplication, untilEnded } from './liveApplication.ts';
import { APPLICATION_IF_LOST, resumeFromCheckpoint, recordIdentity } from './resume.ts';

/** The options of {@link createdApplication}. */
export interface CreationConfig {
  readonly location: ServerLocation;
  readonly transport: Transport;
  readonly ledger: ReleaseLedger;
  readonly suspension: Suspension;
  readonly pause: Pause;
  readonly ack: Acknowledgement;
  /** Saves the resources on the server for the next process; undefined if nothing is saved. */
  readonly checkpointing: Checkpointing | undefined;
  /**
   * Called with true when the creation is sent. Called with false when it is refused, or the application has
   * ended.
   */
  readonly onHeld: (isHeld: boolean) => void;
}

/**
 * Returns an Observable that creates an application, emits it, and deletes it on unsubscribe.
 *
 * It errors when the application has ended.
 *
 * @param turn$ The mutex of all creations: the server treats two applications of one identity as the same.
 * @param identify Returns the identity of the new application.
 * @param journal The journal for the next process; undefined if nothing is saved.
 */
export function createdApplication(
  { location, transport, ledger, suspension, pause, ack, checkpointing, onHeld }: CreationConfig,
  turn$: Observable<undefined>,
  identify: () => ApplicationIdentity,
  journal: ConnectionJournal | undefined,
): Observable<LiveApplication> {
  const post = (
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Answered<ApplicationResource>> => {
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
  const config: RemoteResource<LiveApplication, LiveApplication, undefined> = {
    resource: 'application',
    ledger,
    parent$: turn$,
    acquire: (_, onProgress) =>
      post((progress) => {
        onHeld(progress === 'sent');
        onProgress(progress);
      }).pipe(map((answered) => liveApplication(answered, true))),
    identify: ({ self }) => self,
    use: (live, lease) =>
      untilSuspended(
        suspension,
        untilEnded(live, () => {
          onHeld(false);
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
  if (checkpointing === undefined || journal === undefined) return remoteResource(config);
  const { parent$, acquire, release } = config;
  let asked = journal.position.application;
  return checkpointing.journaled(
    {
      ...config,
      parent$: parent$.pipe(tap(() => recordIdentity(journal, identify()))),
      acquire: (...one) =>
        acquire(...one).pipe(
          tap((live) => {
            resumeFromCheckpoint(journal, live, identify(), ack, asked);
            asked = undefined;
          }),
        ),
      release: (...left) => {
        // No position is needed after the DELETE.
        journal.close();
        return release(...left);
      },
    },
    () => journal,
  );
}
