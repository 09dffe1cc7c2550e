import { asyncScheduler, type Observable, Subscription } from 'rxjs';
import type { RequestIdentity } from '../../../core/errors.ts';
import type { EwsResponses, StreamMessage } from '../responses/responses.ts';
import { type EwsDialect, EwsErrorResponse } from '../dialect.ts';
import { exchangeStreams, grommunioStreams } from './dialectStreams.ts';
import type { ImpersonatedUser } from '../requests/readRequest.ts';
import { ewsStreamBody, type Stream, type StreamContext } from './stream.ts';
import type { SubscriptionStore } from '../subscriptions.ts';

/**
 * The end of a stream.
 *
 * - `closed`: the server sends the status Closed, and ends the response.
 * - `end`: the server ends the response without a status.
 * - `linger`: the server sends the status Closed, and leaves the response open.
 * - `reset`: the connection breaks.
 *
 * @inline
 */
export type StreamEnd = 'closed' | 'end' | 'linger' | 'reset';

/** An open stream of a simulated server. @inline */
export interface OpenEwsStream {
  readonly subscriptionIds: readonly string[];
}

/** The streams of a simulated server. */
export interface EwsStreams {
  readonly open: readonly OpenEwsStream[];
  /** Returns the body of the response to a GetStreamingEvents. */
  connect(request: StreamRequest, identity: RequestIdentity): Observable<Uint8Array>;
  /** Sends new events on the streams of their subscriptions. */
  deliver(): void;
  /** Reports the subscriptions that cannot be served any more. */
  reportFailed(): void;
  /** Called when a subscription was removed. */
  removed(subscriptionId: string): void;
  endAll(how: StreamEnd): void;
  stallAll(): void;
  corruptNext(): void;
}

/** A GetStreamingEvents request. */
interface StreamRequest {
  readonly subscriptionIds: readonly string[];
  readonly connectionMinutes: number;
  readonly impersonated: ImpersonatedUser | undefined;
}

/** The options of the streams. */
interface StreamOptions {
  readonly dialect: EwsDialect;
  readonly heartbeatMs: number;
  /** The interval at which grommunio checks streams for pending events; 0 sends at once. */
  readonly cacheIntervalMs: number;
  /** The largest chunk in bytes. */
  readonly chunkBytes: number;
  readonly latencyMs: number;
  /** The largest number of open streams. */
  readonly maxStreams: number;
}

/** Creates the streams of a server. */
export function ewsStreams(
  store: SubscriptionStore,
  responses: EwsResponses,
  { dialect, heartbeatMs, cacheIntervalMs, chunkBytes, latencyMs, maxStreams }: StreamOptions,
): EwsStreams {
  const streams = new Set<Stream>();
  const isOld = dialect === 'grommunio-3.9';
  let corruptNext = 0;

  const write = (stream: Stream, message: StreamMessage): void => {
    const text = responses.streamed(message, !stream.hasStarted);
    stream.hasStarted = true;
    if (stream.body.isStalled) return;
    const isCorrupt = corruptNext > 0;
    if (isCorrupt) corruptNext -= 1;
    stream.body.write(isCorrupt ? text.replace('</', '<//') : text);
  };

  const leave = (stream: Stream): void => {
    if (!streams.delete(stream)) return;
    stream.timers.unsubscribe();
    for (const id of stream.ids) {
      if (isOld) store.expire(id);
      else store.detach(id);
    }
  };

  const context: StreamContext = {
    store,
    heartbeatMs,
    write,
    open: (stream) => {
      streams.add(stream);
      for (const id of stream.ids) store.attach(id);
    },
    streamsOf: (ids) => [...streams].filter((stream) => ids.some((id) => stream.ids.has(id))),
    end: (stream) => {
      leave(stream);
      stream.body.end('complete');
    },
  };
  const behavior =
    dialect === 'exchange' ? exchangeStreams(context) : grommunioStreams(context, { isOld, cacheIntervalMs });

  return {
    get open() {
      return [...streams].map(({ ids }) => ({ subscriptionIds: [...ids] }));
    },
    connect: ({ subscriptionIds, connectionMinutes, impersonated }, identity) => {
      if (streams.size >= maxStreams) {
        const message = 'You have exceeded the available concurrent connections for your account.';
        throw new EwsErrorResponse('error', 'ErrorExceededConnectionCount', message);
      }
      const stream: Stream = {
        ids: new Set(subscriptionIds),
        impersonated,
        body: ewsStreamBody({ chunkBytes, latencyMs, identity, onUnsubscribe: () => leave(stream) }),
        timers: new Subscription(),
        expiresAt: asyncScheduler.now() + connectionMinutes * 60_000,
        hasStarted: false,
      };
      behavior.begin(stream);
      return stream.body.body$;
    },
    deliver: () => {
      for (const stream of [...streams]) behavior.deliver(stream);
    },
    reportFailed: () => {
      for (const stream of [...streams]) behavior.reportFailed(stream);
    },
    removed: (id) => {
      for (const stream of [...streams]) if (stream.ids.has(id)) behavior.removed(stream, id);
    },
    endAll: (how) => {
      for (const stream of [...streams]) {
        if (how === 'closed' || how === 'linger') behavior.close(stream);
        leave(stream);
        if (how !== 'linger') stream.body.end(how === 'reset' ? 'reset' : 'complete');
      }
    },
    stallAll: () => {
      for (const { body } of streams) body.stall();
    },
    corruptNext: () => {
      corruptNext += 1;
    },
  };
}
