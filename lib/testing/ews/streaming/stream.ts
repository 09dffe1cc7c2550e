import type { Subscription } from 'rxjs';
import type { StreamMessage } from '../responses/responses.ts';
import type { ImpersonatedUser } from '../requests/readRequest.ts';
import type { EwsStreamBody } from './body.ts';
import type { SubscriptionStore } from '../subscriptions.ts';

/** An open stream. */
export interface Stream {
  readonly ids: Set<string>;
  readonly impersonated: ImpersonatedUser | undefined;
  readonly body: EwsStreamBody;
  /** The end that the client requested, in milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
  readonly timers: Subscription;
  hasStarted: boolean;
}

/** The functions that the behavior of streams uses. */
export interface StreamContext {
  readonly store: SubscriptionStore;
  readonly heartbeatMs: number;
  readonly write: (stream: Stream, message: StreamMessage) => void;
  /** Adds a stream to the open ones. */
  readonly open: (stream: Stream) => void;
  /** Returns the open streams with one of these subscriptions. */
  readonly streamsOf: (ids: readonly string[]) => readonly Stream[];
  /** Ends a stream after its last message. */
  readonly end: (stream: Stream) => void;
}

/** The behavior of the streams of one server family. */
export interface StreamBehavior {
  begin(stream: Stream): void;
  /** Writes the pending events of a stream, if any. */
  deliver(stream: Stream): void;
  /** Writes the subscriptions that cannot be served any more, if any. */
  reportFailed(stream: Stream): void;
  /** Called when one of its subscriptions was removed. */
  removed(stream: Stream, id: string): void;
  /** Writes the status Closed. */
  close(stream: Stream): void;
}

/** The subscriptions of a stream, by whether they can be served. */
interface PartitionedIds {
  readonly served: readonly string[];
  /** The others, by error code. */
  readonly failed: ReadonlyMap<string, readonly string[]>;
}

/** Returns which subscriptions of a stream can be served. */
export function partitionIds({ ids, impersonated }: Stream, store: SubscriptionStore): PartitionedIds {
  const served: string[] = [];
  const failed = new Map<string, string[]>();
  for (const id of ids) {
    const code = store.errorCodeFor(id, impersonated);
    if (code === undefined) served.push(id);
    else failed.set(code, [...(failed.get(code) ?? []), id]);
  }
  return { served, failed };
}
