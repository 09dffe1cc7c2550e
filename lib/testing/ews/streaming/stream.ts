import { type Subscription, delay, Observable, type Subscriber } from 'rxjs';
import type { StreamMessage } from '../responses/responses.ts';
import type { ImpersonatedUser } from '../requests/readRequest.ts';
import type { SubscriptionStore } from '../subscriptions.ts';
import { NetworkError, type RequestIdentity } from '../../../core/errors.ts';

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

/** A response body that a simulated server writes piece by piece. */
export interface EwsStreamBody {
  readonly body$: Observable<Uint8Array>;
  /** Whether it has a reader; a server notices that there is none only when it writes. */
  readonly isRead: boolean;
  readonly isStalled: boolean;
  write(text: string): void;
  /** Ends the body, or breaks the connection. */
  end(how: 'complete' | 'reset'): void;
  /** Stalls the connection: nothing arrives any more, not even the end. */
  stall(): void;
}

/** The options of a body. */
interface EwsStreamBodyOptions {
  /** The largest chunk in bytes. */
  readonly chunkBytes: number;
  readonly latencyMs: number;
  readonly identity: RequestIdentity;
  /** Called when the reader unsubscribes. */
  readonly onUnsubscribe: () => void;
}

/** Creates an empty body. */
export function ewsStreamBody({
  chunkBytes,
  latencyMs,
  identity,
  onUnsubscribe,
}: EwsStreamBodyOptions): EwsStreamBody {
  /** The chunks written before the first subscription. */
  const unread: Uint8Array[] = [];
  let reader: Subscriber<Uint8Array> | undefined;
  let isStalled = false;
  let isOver = false;

  const body$ = new Observable<Uint8Array>((subscriber) => {
    // A chunk written while another is emitted is queued here, too.
    for (let next = unread.shift(); next !== undefined; next = unread.shift()) subscriber.next(next);
    if (isOver) subscriber.complete();
    reader = subscriber;
    return () => {
      reader = undefined;
      // On a stalled connection, the server notices it only later.
      if (!isStalled) onUnsubscribe();
    };
  });

  return {
    body$: latencyMs === 0 ? body$ : body$.pipe(delay(latencyMs / 2)),
    get isRead() {
      return reader !== undefined;
    },
    get isStalled() {
      return isStalled;
    },
    write: (text) => {
      if (isStalled || isOver) return;
      const bytes = new TextEncoder().encode(text);
      for (let from = 0; from < bytes.length; from += chunkBytes) {
        const chunk = bytes.subarray(from, from + chunkBytes);
        if (reader === undefined) unread.push(chunk);
        else reader.next(chunk);
      }
    },
    end: (how) => {
      if (isStalled) return;
      isOver = true;
      if (how === 'reset') {
        reader?.error(new NetworkError('the response broke off', identity, { code: 'ECONNRESET' }));
      }
      reader?.complete();
    },
    stall: () => {
      isStalled = true;
    },
  };
}
