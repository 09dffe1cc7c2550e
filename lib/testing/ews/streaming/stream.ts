import type { Subscription } from 'rxjs';
import type { StreamMessage } from '../responses/responses.ts';
import type { ImpersonatedUser } from '../requests/readRequest.ts';
import type { EwsStreamBody } from './body.ts';
import type { SubscriptionStore } from '../subscriptions.ts';

/** A stream of a simulated server. */
export interface Stream {
  readonly ids: Set<string>;
  readonly impersonated: ImpersonatedUser | undefined;
  readonly body: EwsStreamBody;
  /** When the client wants it to end, in milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
  readonly timers: Subscription;
  hasStarted: boolean;
}

/** What the course of a stream depends on. */
export interface StreamContext {
  readonly store: SubscriptionStore;
  readonly heartbeatMs: number;
  readonly write: (stream: Stream, message: StreamMessage) => void;
  /** Makes it one of the open streams. */
  readonly open: (stream: Stream) => void;
  /** Returns the open streams that have one of these subscriptions. */
  readonly streamsOf: (ids: readonly string[]) => readonly Stream[];
  /** Ends a stream after its last message. */
  readonly end: (stream: Stream) => void;
}

/** What the streams of a family of servers bring, and when. */
export interface StreamBehavior {
  begin(stream: Stream): void;
  /** Writes what has happened for a stream, if anything. */
  deliver(stream: Stream): void;
  /** Writes which of its subscriptions cannot be served any more, if any. */
  reportFailed(stream: Stream): void;
  /** One of its subscriptions was removed. */
  removed(stream: Stream, id: string): void;
  /** Writes that it is closed. */
  close(stream: Stream): void;
}

/** The subscriptions of a stream. */
interface PartitionedIds {
  readonly served: readonly string[];
  /** By the code that says why they are not served. */
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
