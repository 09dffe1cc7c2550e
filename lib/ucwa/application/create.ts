import { catchError, map, mergeMap, type Observable, tap, throwError } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import type { Checkpointing } from '../../core/checkpoint/checkpointed.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import { type RemoteResource, remoteResource } from '../../core/lifecycle/remoteResource.ts';
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

/** How an application is created. */
export interface CreationConfig {
  readonly location: ServerLocation;
  readonly transport: Transport;
  readonly ledger: ReleaseLedger;
  readonly pause: Pause;
  readonly ack: Acknowledgement;
  /** Saves for the next process what is on the server; undefined if nothing is saved. */
  readonly checkpointing: Checkpointing | undefined;
  /**
   * Called with true when the server is sent the creation, and with false when it refused it or the
   * application is over.
   */
  readonly onHeld: (isHeld: boolean) => void;
}

/**
 * Returns an Observable that creates an application for each subscriber, emits it, and deletes it when it is
 * unsubscribed from. It errors when the application is over.
 *
 * @param turn$ Whose turn it is: to the server, two applications of one identity are the same.
 * @param identify The identity that it is created with.
 * @param journal What is kept of it for the next process, where anything is.
 */
export function createdApplication(
  { location, transport, ledger, pause, ack, checkpointing, onHeld }: CreationConfig,
  turn$: Observable<undefined>,
  identify: () => ApplicationIdentity,
  journal: ConnectionJournal | undefined,
): Observable<LiveApplication> {
  const post = (
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Answered<ApplicationResource>> => {
    const identity = identify();
    // Only applications of the second version know instances. [MultiTabSupport]
    const headers = identity.instanceId === undefined ? {} : { 'x-ms-requiresminresourceversion': '2' };
    // The same identity is the same application: sending it twice creates one.
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
      }).pipe(map(liveApplication)),
    identify: ({ self }) => self,
    use: (live, lease) =>
      untilEnded(live, () => {
        onHeld(false);
        lease.endedByServer(live.isGone ? undefined : { leftToAnother: true });
      }),
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
        // What comes after that is lost to nobody.
        journal.close();
        return release(...left);
      },
    },
    () => journal,
  );
}
