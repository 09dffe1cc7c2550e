import { asyncScheduler, type Observable, Subscription } from 'rxjs';
import type { RequestIdentity } from '../../../core/errors.ts';
import type { EwsResponses, StreamMessage } from '../responses/responses.ts';
import { type EwsDialect, EwsErrorResponse } from '../dialect.ts';
import { exchangeStreams } from './exchangeStream.ts';
import { grommunioStreams } from './grommunioStream.ts';
import type { ImpersonatedUser } from '../requests/readRequest.ts';
import { ewsStreamBody } from './body.ts';
import type { Stream, StreamContext } from './stream.ts';
import type { SubscriptionStore } from '../subscriptions.ts';

/**
 * How a stream ends.
 *
 * - `closed`: the server says that it is closed, and ends the answer.
 * - `end`: it ends the answer without a word.
 * - `linger`: it says that it is closed, and leaves the answer open.
 * - `reset`: the connection breaks.
 */
export type StreamEnd = 'closed' | 'end' | 'linger' | 'reset';

/** A stream that a simulated server has open. */
export interface OpenEwsStream {
  readonly subscriptionIds: readonly string[];
}

/** The streams of a simulated server. */
export interface EwsStreams {
  readonly open: readonly OpenEwsStream[];
  /** The body of the answer to a GetStreamingEvents. */
  connect(request: StreamRequest, identity: RequestIdentity): Observable<Uint8Array>;
  /** Sends what has happened since, to those who watch it. */
  deliver(): void;
  /** Tells of those that cannot be served any more. */
  reportFailed(): void;
  /** A subscription was removed. */
  removed(subscriptionId: string): void;
  endAll(how: StreamEnd): void;
  stallAll(): void;
  corruptNext(): void;
}

/** What a GetStreamingEvents asks for. */
interface StreamRequest {
  readonly subscriptionIds: readonly string[];
  readonly connectionMinutes: number;
  readonly impersonated: ImpersonatedUser | undefined;
}

/** How the streams of a simulated server behave. */
interface StreamOptions {
  readonly dialect: EwsDialect;
  readonly heartbeatMs: number;
  /** How often grommunio looks which streams have something to send; 0 sends at once. */
  readonly cacheIntervalMs: number;
  /** How large the pieces are at most that an envelope comes in. */
  readonly chunkBytes: number;
  readonly latencyMs: number;
  /** How many may be open at a time. */
  readonly maxStreams: number;
}

/** Creates the streams of a server, of which there are none yet. */
export function ewsStreams(
  store: SubscriptionStore,
  responses: EwsResponses,
  { dialect, heartbeatMs, cacheIntervalMs, chunkBytes, latencyMs, maxStreams }: StreamOptions,
): EwsStreams {
  const streams = new Set<Stream>();
  const isOld = dialect === 'grommunio-3.9';
  let corrupt = 0;

  const write = (stream: Stream, message: StreamMessage): void => {
    const text = responses.streamed(message, !stream.hasStarted);
    stream.hasStarted = true;
    if (stream.body.isStalled) return;
    const isCorrupt = corrupt > 0;
    if (isCorrupt) corrupt -= 1;
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
  const course =
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
      course.begin(stream);
      return stream.body.body$;
    },
    deliver: () => {
      for (const stream of [...streams]) course.deliver(stream);
    },
    reportFailed: () => {
      for (const stream of [...streams]) course.reportFailed(stream);
    },
    removed: (id) => {
      for (const stream of [...streams]) if (stream.ids.has(id)) course.removed(stream, id);
    },
    endAll: (how) => {
      for (const stream of [...streams]) {
        if (how === 'closed' || how === 'linger') course.close(stream);
        leave(stream);
        if (how !== 'linger') stream.body.end(how === 'reset' ? 'reset' : 'complete');
      }
    },
    stallAll: () => {
      for (const { body } of streams) body.stall();
    },
    corruptNext: () => {
      corrupt += 1;
    },
  };
}
