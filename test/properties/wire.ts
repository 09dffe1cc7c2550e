import { defer, map, type MonoTypeOperatorFunction, Observable, tap, throwError } from 'rxjs';
import { type HttpRequest, NetworkError, type Transport } from '../../lib/index.ts';
import { delayLine } from './delayLine.ts';

/** The purpose of a request. */
export type Purpose = 'creation' | 'removal' | 'channel' | 'other';

/** The world's summary of a request. */
export interface RequestSummary {
  readonly purpose: Purpose;
  /** The id of the subscription in the request, if any. */
  readonly id?: string | undefined;
  /** The operation, in a few words. */
  readonly name: string;
  /** Whether the response body is recorded. */
  readonly isRead: boolean;
  /** Whether the body has events while it is open. @default false */
  readonly isStreamed?: boolean;
}

/** A recorded request. */
export interface WireRequest extends RequestSummary {
  readonly at: number;
  readonly url: string;
  readonly origin: string;
  readonly isKeptAlive: boolean;
  status: number | undefined;
  end: 'open' | 'answered' | 'failed' | 'abandoned';
  endedAt: number;
  /** Whether the response was a web page, as of a captive portal. */
  isWebPage: boolean;
  /** The received part of the body, if it is recorded. */
  text: string;
}

/** A recorder between a client and a server. */
export interface Wire {
  readonly transport: Transport;
  readonly requests: readonly WireRequest[];
  /** The number of requests without a complete response. */
  readonly open: number;
  /** The highest number of requests for events that were open at once. */
  readonly mostChannels: number;
  /** The requests that failed, were rejected, or whose response broke off. */
  readonly faults: number;
  /** Delays the rest of all open bodies by this many milliseconds. */
  stall(ms: number): void;
  /** Directs the links in the next matching response to another origin. */
  mislead(matches: (summary: RequestSummary) => boolean): void;
  /** Stops directing links to another origin. */
  calm(): void;
}

/** A client that sends more requests in one program is in a loop, and gets no more responses. */
export const MOST_REQUESTS = 2_000;

/** Another origin, to which nothing may be sent. */
export const ELSEWHERE = 'https://elsewhere.example';

const LINK = /"href":"(?:https:\/\/[^"/]+)?\//g;

/**
 * * Creates a recorder in front of a server.
 *
 * * @param passed Called after each response and each failure.
 */
export function wireTo(
  server: Transport,
  now: () => number,
  summaryOf: (request: HttpRequest) => RequestSummary,
  passed: (request: WireRequest) => void,
): Wire {
  const requests: WireRequest[] = [];
  const misleading: ((summary: RequestSummary) => boolean)[] = [];
  const way = delayLine();
  let open = 0;
  let channels = 0;
  let mostChannels = 0;
  let faults = 0;

  const isMisled = (summary: RequestSummary): boolean => {
    const index = misleading.findIndex((matches) => matches(summary));
    if (index >= 0) misleading.splice(index, 1);
    return index >= 0;
  };

  const transport: Transport = (sent) =>
    defer(() => {
      const summary = summaryOf(sent);
      if (requests.length >= MOST_REQUESTS) return throwError(() => new NetworkError('cut off', sent));
      const { origin } = new URL(sent.url);
      const request: WireRequest = {
        ...summary,
        ...{ at: now(), url: sent.url, origin, isKeptAlive: sent.keepalive === true },
        ...{ status: undefined, end: 'open', endedAt: 0, text: '', isWebPage: false },
      };
      requests.push(request);
      const begin = (): (() => void) => {
        open += 1;
        return () => {
          open -= 1;
        };
      };
      let isBodyOpen = false;
      let isChannel = summary.purpose === 'channel';
      if (isChannel) mostChannels = Math.max(mostChannels, ++channels);
      const channelEnded = (): void => {
        if (isChannel) channels -= 1;
        isChannel = false;
      };
      const ended = (end: WireRequest['end']): void => {
        if (request.end === 'open') Object.assign(request, { end, endedAt: now() });
      };
      const failed = (): void => {
        faults += 1;
        ended('failed');
        passed(request);
      };
      const isElsewhere = isMisled(summary);
      const decoder = new TextDecoder();
      const read = (chunk: Uint8Array): Uint8Array => {
        if (!summary.isRead && !isElsewhere) return chunk;
        const text = decoder.decode(chunk, { stream: true });
        request.text += text;
        return isElsewhere ? new TextEncoder().encode(text.replace(LINK, `"href":"${ELSEWHERE}/`)) : chunk;
      };
      const end = begin();
      return server(sent).pipe(
        map((response) => {
          request.status = response.status;
          request.isWebPage = response.headers.get('content-type')?.startsWith('text/html') === true;
          if (response.status >= 400) faults += 1;
          ended('answered');
          passed(request);
          if (summary.isStreamed !== true || response.status !== 200) channelEnded();
          const body$ = defer(() => {
            const endBody = begin();
            isBodyOpen = true;
            return response.body$.pipe(
              map(read),
              // Before it is emitted: the request that follows at once is not open at the same time.
              tap({ complete: channelEnded, error: channelEnded }),
              tap({ error: failed }),
              way.delay(),
              whenOver(() => {
                endBody();
                channelEnded();
              }),
            );
          });
          return { ...response, body$ };
        }),
        tap({ error: failed }),
        whenOver(() => {
          end();
          // A body is subscribed to while its head is being emitted, or never.
          if (!isBodyOpen) channelEnded();
          ended('abandoned');
        }),
      );
    });

  return {
    transport,
    requests,
    get open() {
      return open;
    },
    get mostChannels() {
      return mostChannels;
    },
    get faults() {
      return faults;
    },
    stall: (ms) => way.stall(ms),
    mislead: (matches) => void misleading.push(matches),
    calm: () => {
      misleading.length = 0;
    },
  };
}

/** Like `finalize`, and also runs if the subscriber unsubscribes during a synchronous response. */
function whenOver<Value>(act: () => void): MonoTypeOperatorFunction<Value> {
  return (source) =>
    new Observable((subscriber) => {
      subscriber.add(act);
      subscriber.add(source.subscribe(subscriber));
    });
}
