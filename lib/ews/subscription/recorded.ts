import { asyncScheduler, catchError, type Observable, of } from 'rxjs';
import { clearing, journaled, removeOrphan } from '../../core/checkpoint/checkpointing.ts';
import type { Orphan } from '../../core/checkpoint/journal.ts';
import { remoteResource } from '../../core/lifecycle/remoteResource.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { decideUnsubscribe } from '../protocol/failures.ts';
import type { ServerSession } from '../session/session.ts';
import { advance, isRefusal, type RecordedConfig, type Stream, type StreamCheckpoint } from './stream.ts';

/**
 * Returns an Observable that records its subscription in the journal, and removes those of earlier processes.
 *
 * A pull subscription of the same request is used again, and not removed. It stays in the journal, so that
 * another restart finds it again.
 */
export function recorded<Handle>(
  server: ServerSession,
  stream: Stream,
  { journal }: Pick<StreamCheckpoint, 'journal'>,
  config: RecordedConfig<Handle>,
): Observable<EwsEvent> {
  const { resource, request } = config;
  const identity = request.type === 'pull' ? JSON.stringify([server.url, request]) : undefined;
  const orphans = journal.takeOrphans();
  // Without a watermark, the events that the earlier process has received would be lost.
  const isResumable = identity !== undefined && journal.position.watermark !== undefined;
  const live = isResumable
    ? orphans.find((one) => one.id !== undefined && one.request === identity)
    : undefined;
  for (const orphan of orphans) if (orphan !== live) removeFrom(server, config, orphan);
  const created$ = journaled(resource, () => journal, undefined, identity);
  if (live?.id === undefined) return created$;
  return attached(server, config, live, live.id).pipe(
    catchError((error: unknown) => {
      if (stream.progress.hasResponded || !isRefusal(error)) throw error;
      // Whatever the reason of the refusal: as after a suspension, a new one resumes from the watermark.
      advance(stream, { type: 'suspended', canResume: true });
      advance(stream, { type: 'subscribing' });
      return created$;
    }),
  );
}

/** Returns an Observable that uses a subscription, instead of creating one. */
function attached<Handle>(
  { subscriptionIds }: ServerSession,
  { resource, handleOf }: RecordedConfig<Handle>,
  { clear }: Orphan,
  id: string,
): Observable<EwsEvent> {
  return remoteResource({
    ...resource,
    ledger: clearing(resource.ledger, clear),
    acquire: (owner) => {
      subscriptionIds.adopt(owner, id);
      return of(handleOf(id, asyncScheduler.now()));
    },
  });
}

/** Starts to remove what an earlier process has left on the server, with an outcome in the ledger. */
function removeFrom<Handle>(
  { ledger, subscriptionIds, retry, backoff, url }: ServerSession,
  { resource: { expiresAt, unknownHint }, handleOf, removeOrphan: remove }: RecordedConfig<Handle>,
  orphan: Orphan,
): void {
  removeOrphan(ledger, orphan, { url, unknownHint }, (id) => {
    const owner = subscriptionIds.open();
    // A server that reuses ids may have given this one to a subscription that is in use.
    subscriptionIds.adopt(owner, id);
    return {
      attempt: () => (subscriptionIds.owns(owner, id) ? remove(id) : of({ alreadyGone: true })),
      decide: decideUnsubscribe,
      // An upper bound: the last response came before this process started.
      expiresAt: expiresAt?.(handleOf(id, asyncScheduler.now())),
      backoff: retry,
      pause: backoff.pause,
      done: () => subscriptionIds.drop(owner),
    };
  });
}
