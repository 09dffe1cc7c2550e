import { Observable, switchMap } from 'rxjs';
import { shareWithGrace, untilClosed } from '../../core/lifecycle/closing.ts';
import type { SubscribeRequest } from '../protocol/envelope.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { checkSubscription } from '../protocol/version.ts';
import type { EwsSession, ServerSession } from '../session/session.ts';
import type { StreamCheckpointing } from './checkpointed.ts';
import type { OnLost, ResolvedNotificationOptions } from './options.ts';
import { initialProgress, type StreamProgress } from './progress.ts';
import { resubscribe } from './resubscribe.ts';
import type { Stream, StreamCheckpoint } from './stream.ts';

/** Options of {@link notifications}. */
interface NotificationsConfig extends ResolvedNotificationOptions {
  readonly request: SubscribeRequest;
  readonly onLost: 'resume' | OnLost;
}

/** Returns the events of one subscription at a server. */
type SubscribeAt = (server: ServerSession, stream: Stream) => Observable<EwsEvent>;

/**
 * Returns an Observable of the events of a subscription that is re-created as the failure policy decides.
 *
 * Each subscriber has its own stream, unless it is shared with `graceMs`. The stream completes when the
 * connection is closed.
 *
 * @throws TypeError if the request needs a later schema version than the connection has.
 */
export function notifications(
  session: EwsSession,
  { request, onLost, graceMs, checkpoint }: NotificationsConfig,
  subscribeAt: SubscribeAt,
): Observable<EwsEvent> {
  const { ledger, version } = session;
  checkSubscription(version, request);
  const events$ = startStream(session, request, checkpoint, (stream) =>
    resubscribe(session, stream, onLost, (server) => subscribeAt(server, stream)),
  ).pipe(untilClosed<EwsEvent>(ledger, `${request.type}Notifications`, request));
  return graceMs === undefined ? events$ : events$.pipe(shareWithGrace(ledger, graceMs));
}

/** Returns an Observable that starts a stream for each subscriber: at its checkpoint, if there is one. */
function startStream(
  { ledger, status }: EwsSession,
  request: SubscribeRequest,
  checkpoint: StreamCheckpointing | undefined,
  run: (stream: Stream) => Observable<EwsEvent>,
): Observable<EwsEvent> {
  const start = (progress: StreamProgress, opened?: StreamCheckpoint): Observable<EwsEvent> =>
    new Observable((subscriber) => {
      const report = status.begin();
      subscriber.add(() => report(undefined));
      run({ progress, checkpoint: opened, report, inspected: ledger.inspection?.subscribing }).subscribe(
        subscriber,
      );
    });
  const requested = request.type === 'streaming' ? undefined : request.watermark;
  if (checkpoint === undefined) return start(initialProgress(requested));
  const { open, recorded } = checkpoint;
  return open(ledger).pipe(
    switchMap((journal) => {
      const { watermark: saved, since: completeUntil } = journal.position;
      const initial = initialProgress(request.type === 'streaming' ? undefined : (saved ?? requested));
      const gap = journal.isResumed && initial.watermark === undefined ? 'subscriptionLost' : undefined;
      return start({ ...initial, completeUntil, gap }, { journal, recorded });
    }),
  );
}
