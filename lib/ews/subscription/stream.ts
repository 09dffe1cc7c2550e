import { asyncScheduler, defer, EMPTY, type Observable } from 'rxjs';
import type { Journal } from '../../core/checkpoint/journal.ts';
import type { StreamReport } from '../../core/connectionStatus.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import type { Lease, RemoteResource } from '../../core/lifecycle/remoteResource.ts';
import type { SubscribeRequest } from '../protocol/envelope.ts';
import { EwsError, SoapFault } from '../protocol/errors.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { decideFailure } from '../protocol/failures.ts';
import type { ServerSession } from '../session/session.ts';
import type { Ownership } from '../session/subscriptionIds.ts';
import { type ProgressInput, type StreamProgress, transition } from './progress.ts';

/** The position of a stream in a checkpoint: a watermark, or a time if the server sends none. */
export interface StreamPosition {
  readonly watermark?: string | undefined;
  /** No earlier event is missing: milliseconds of the scheduler's clock. */
  readonly since?: number | undefined;
}

/** A subscription that a checkpoint records. */
export interface RecordedConfig<Handle> {
  readonly resource: RemoteResource<Handle, EwsEvent, Ownership>;
  /** The request that creates it, without a watermark. */
  readonly request: SubscribeRequest;
  /** Removes a subscription of an earlier process. */
  readonly removeOrphan: (id: string) => Observable<ReleaseResult>;
  /** Returns the handle of a subscription of an earlier process. */
  readonly handleOf: (id: string, now: number) => Handle;
}

/** The checkpoint of a stream that is in use. */
export interface StreamCheckpoint {
  readonly journal: Journal<StreamPosition>;
  /** Returns an Observable of a subscription that is recorded in the journal. */
  readonly recorded: <Handle>(
    server: ServerSession,
    stream: Stream,
    checkpoint: Pick<StreamCheckpoint, 'journal'>,
    config: RecordedConfig<Handle>,
  ) => Observable<EwsEvent>;
}

/** One stream of notifications, which may have several subscriptions one after another. */
export interface Stream {
  /** Its progress, which only {@link advance} replaces. */
  progress: StreamProgress;
  readonly checkpoint: StreamCheckpoint | undefined;
  /** Reports to the status of the connection whether the stream is current. */
  readonly report: StreamReport;
  /** The number of the stream, for inspectors. */
  readonly inspected?: number | undefined;
}

/** Moves a stream to the progress after an input. */
export function advance(stream: Stream, input: ProgressInput): void {
  stream.progress = transition(stream.progress, input);
  stream.report(stream.progress.isCurrent ? 'current' : 'behind');
}

/** Moves a stream to the progress after events that the server has sent on its own. */
export function advanceNotified(stream: Stream, watermark?: string, moreEvents = false): void {
  advance(stream, { type: 'notified', now: asyncScheduler.now(), watermark, moreEvents });
}

/** Returns whether an error is the server's refusal of a request. */
export function isRefusal(error: unknown): error is EwsError | SoapFault {
  return error instanceof EwsError || error instanceof SoapFault;
}

/** Ends the lease of a subscription if the server says in an error that the subscription does not exist. */
export function endLeaseIfGone({ progress }: Stream, lease: Lease, error: unknown): void {
  if (isRefusal(error) && decideFailure(error, progress).isGone === true)
    lease.endedByServer({ code: error.code });
}

/** Returns an Observable that saves the progress when it is subscribed to, and completes after that. */
export function saveProgress(stream: Stream): Observable<never> {
  const { checkpoint } = stream;
  if (checkpoint === undefined) return EMPTY;
  return defer(() => {
    const { watermark, completeUntil: since } = stream.progress;
    checkpoint.journal.advance({ watermark, since });
    return checkpoint.journal.saved();
  });
}
