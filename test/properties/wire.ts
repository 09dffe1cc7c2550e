import { defer, map, type MonoTypeOperatorFunction, Observable, tap, throwError } from 'rxjs';
import { type HttpRequest, NetworkError, type Transport } from '../../lib/index.ts';
import { delayLine } from './delayLine.ts';

/** What a request is for. */
export type Purpose = 'creation' | 'removal' | 'channel' | 'other';

/** What the world says of a request. */
export interface Gist {
  readonly purpose: Purpose;
  /** The subscription that it names, if it does. */
  readonly id?: string | undefined;
  /** What it asks for, in a few words. */
  readonly name: string;
  /** Whether what comes back is to be read along. */
  readonly isRead: boolean;
  /** Whether events come in the body, as long as it is open. @default false */
  readonly isStreamed?: boolean;
}

/** A request as it went over the wire. */
export interface WireRequest extends Gist {
  readonly at: number;
  readonly url: string;
  readonly origin: string;
  readonly isKeptAlive: boolean;
  status: number | undefined;
  end: 'open' | 'answered' | 'failed' | 'abandoned';
  endedAt: number;
  /** The body, as far as it came, where it is read along. */
  text: string;
}

/** What stands between a client and a server, and notes what passes. */
export interface Wire {
  readonly transport: Transport;
  readonly requests: readonly WireRequest[];
  /** How many requests wait for an answer, or for more of it. */
  readonly open: number;
  /** The most requests for events that were ever open at once. */
  readonly mostChannels: number;
  /** Requests that failed, that were refused, or whose answer broke off. */
  readonly faults: number;
  /** Holds up what is on its way in the bodies that are open now, and what follows, for so long. */
  stall(ms: number): void;
  /** Lets the links in the next answer that matches lead to another origin. */
  mislead(matches: (gist: Gist) => boolean): void;
  /** Lets the links lead where they are to. */
  calm(): void;
}

/** What sends more than this in one program goes round in circles: it gets no answers any more. */
export const MOST_REQUESTS = 2_000;

/** Another origin, where nothing may ever be sent. */
export const ELSEWHERE = 'https://elsewhere.example';

const LINK = /"href":"(?:https:\/\/[^"/]+)?\//g;

/**
 * Puts a wire in front of a server.
 *
 * @param passed Called whenever an answer, or the lack of one, has passed.
 */
export function wireTo(
  server: Transport,
  now: () => number,
  gistOf: (request: HttpRequest) => Gist,
  passed: (request: WireRequest) => void,
): Wire {
  const requests: WireRequest[] = [];
  const misleading: ((gist: Gist) => boolean)[] = [];
  const way = delayLine();
  let open = 0;
  let channels = 0;
  let mostChannels = 0;
  let faults = 0;

  const isMisled = (gist: Gist): boolean => {
    const index = misleading.findIndex((matches) => matches(gist));
    if (index >= 0) misleading.splice(index, 1);
    return index >= 0;
  };

  const transport: Transport = (sent) =>
    defer(() => {
      const gist = gistOf(sent);
      if (requests.length >= MOST_REQUESTS) return throwError(() => new NetworkError('cut off', sent));
      const { origin } = new URL(sent.url);
      const request: WireRequest = {
        ...gist,
        ...{ at: now(), url: sent.url, origin, isKeptAlive: sent.keepalive === true },
        ...{ status: undefined, end: 'open', endedAt: 0, text: '' },
      };
      requests.push(request);
      const begin = (): (() => void) => {
        open += 1;
        return () => {
          open -= 1;
        };
      };
      let isBodyOpen = false;
      let isChannel = gist.purpose === 'channel';
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
      const isElsewhere = isMisled(gist);
      const decoder = new TextDecoder();
      const read = (chunk: Uint8Array): Uint8Array => {
        if (!gist.isRead && !isElsewhere) return chunk;
        const text = decoder.decode(chunk, { stream: true });
        request.text += text;
        return isElsewhere ? new TextEncoder().encode(text.replace(LINK, `"href":"${ELSEWHERE}/`)) : chunk;
      };
      const end = begin();
      return server(sent).pipe(
        map((response) => {
          request.status = response.status;
          if (response.status >= 400) faults += 1;
          ended('answered');
          passed(request);
          if (gist.isStreamed !== true || response.status !== 200) channelEnded();
          const body$ = defer(() => {
            const endBody = begin();
            isBodyOpen = true;
            return response.body$.pipe(
              map(read),
              // Before it is told: what follows on it at once is not open at the same time.
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
          // A body is taken up while its head is being emitted, or never.
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

/** What `finalize` does, also for who leaves while a synchronous answer is still coming. */
function whenOver<Value>(act: () => void): MonoTypeOperatorFunction<Value> {
  return (source) =>
    new Observable((subscriber) => {
      subscriber.add(act);
      subscriber.add(source.subscribe(subscriber));
    });
}
