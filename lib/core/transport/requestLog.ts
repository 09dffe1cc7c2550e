import { asyncScheduler, defer, finalize, map, type Observable, Subject, tap } from 'rxjs';
import { defined } from '../defined.ts';
import { parseUrl } from '../httpUrl.ts';
import { codeWord, excerpt, isWeb } from '../text.ts';
import { type DiagnosticsChannel, diagnosticsChannel } from './platform.ts';
import type { HttpRequest, Middleware, Repetition } from './transport.ts';

/** How many characters of a path are shown: servers may send hrefs of any length. */
const LONGEST_PATH = 300;

/** A completed HTTP request. */
export interface Activity {
  /** Such as `GET`. */
  readonly method: string;
  /** Such as `https://pool.contoso.com`; of a URL that is not http or https its scheme, such as `foo:`. */
  readonly origin: string;
  /** The first 300 characters of the path, then `?…` if there was a query: nothing of a query is shown. */
  readonly path: string;
  /** The time at which it was sent. */
  readonly sentAt: Date;
  /** The time until the end of the response, in milliseconds. */
  readonly ms: number;
  /** Missing if there was no response. */
  readonly status?: number;
  /** How many bytes of the body were read. */
  readonly bytes: number;
  /**
   * - `answered`: the response was read to its end, or as far as its reader needed it.
   * - `failed`: there was no response, or it broke off.
   * - `aborted`: the subscriber unsubscribed before.
   */
  readonly end: 'answered' | 'failed' | 'aborted';
  /**
   * The number of optional members that were dropped from a UCWA or EWS response. They were null or not of
   * their documented type; missing for none.
   */
  readonly dropped?: number;
  /** The name of the error and its code, such as `NetworkError ECONNRESET`. */
  readonly error?: string;
  /** Set if the request was sent before. */
  readonly repeats?: Repetition;
}

/** Reports the requests of a connection. */
export interface RequestLog {
  /**
   * Emits one record per completed request, in the order of completion. It is hot: requests that began
   * without a subscriber are not reported. Never errors or completes.
   */
  readonly activity$: Observable<Activity>;
  /** Logs requests. Place it next to the network, below retries. */
  readonly logged: Middleware;
}

/** The name of the channel of `node:diagnostics_channel` that publishes each {@link Activity}. */
export const ACTIVITY_CHANNEL = 'rxchange:activity';

/** The end of a request, and its record as soon as that is known. */
interface End {
  readonly at: number;
  record?: Activity;
}

/**
 * Creates a request log.
 *
 * On Node, each record is also published on the channel `rxchange:activity` of `node:diagnostics_channel`, so
 * that loggers and tracers need not know the connection.
 */
export function requestLog(): RequestLog {
  return requestLogTo(diagnosticsChannel(ACTIVITY_CHANNEL));
}

/** Creates a request log that publishes on this channel, if any. */
export function requestLogTo(channel: DiagnosticsChannel | undefined): RequestLog {
  const activity = new Subject<Activity>();
  /**
   * In the order of completion. A body that has arrived is still being decoded by its reader: it has no
   * record yet.
   */
  const ends: End[] = [];

  const emit = (): void => {
    for (let record = ends[0]?.record; record !== undefined; record = ends[0]?.record) {
      ends.shift();
      activity.next(record);
      if (channel?.hasSubscribers === true) channel.publish(record);
    }
  };

  const endNow = (): End => {
    const end = { at: asyncScheduler.now() };
    ends.push(end);
    return end;
  };

  const logged: Middleware = (transport) => (request) =>
    defer(() => {
      if (!activity.observed && channel?.hasSubscribers !== true) return transport(request);
      const sentAt = asyncScheduler.now();
      let status: number | undefined;
      let bytes = 0;
      let isTaken = false;
      let dropped = 0;
      let bodyEnd: End | undefined;
      let isRecorded = false;
      const record = (end: Activity['end'], error?: unknown): void => {
        if (isRecorded) return;
        isRecorded = true;
        const it = bodyEnd ?? endNow();
        it.record = defined({
          ...addressOf(request),
          sentAt: new Date(sentAt),
          ms: it.at - sentAt,
          ...{ status, bytes, end },
          dropped: dropped === 0 ? undefined : dropped,
          error: error === undefined ? undefined : nameOf(error),
          repeats: request.repeats,
        });
        emit();
      };
      const noteDropped = (members: number): void => {
        dropped += members;
      };

      return transport(request).pipe(
        map((response) => {
          ({ status } = response);
          const body$ = defer(() => {
            isTaken = true;
            return response.body$.pipe(
              tap({
                next: (chunk) => (bytes += chunk.byteLength),
                error: (error: unknown) => record('failed', error),
                complete: () => (bodyEnd = endNow()),
              }),
              finalize(() => record(bodyEnd === undefined ? 'aborted' : 'answered')),
            );
          });
          return { ...response, body$, noteDropped };
        }),
        tap({
          error: (error: unknown) => record('failed', error),
          // A body without a subscriber by now is not read.
          complete: () => {
            if (!isTaken) record('answered');
          },
        }),
        finalize(() => {
          if (!isTaken) record(status === undefined ? 'aborted' : 'answered');
        }),
      );
    });

  return { activity$: activity.asObservable(), logged };
}

function addressOf({ method, url }: HttpRequest): Pick<Activity, 'method' | 'origin' | 'path'> {
  const read = parseUrl(url);
  const origin = read !== undefined && isWeb(read) ? read.origin : read?.protocol;
  return { method, origin: excerpt(origin ?? 'an invalid URL'), path: shownPath(url) };
}

/**
 * Returns the path of a URL as logs may show it: its first 300 characters, then `?…` if the URL has a query.
 *
 * Nothing of a query or a fragment is shown, because any part of them can be a secret, and nothing at all of
 * a URL that is not http or https.
 */
export function shownPath(url: string): string {
  const read = parseUrl(url);
  if (read === undefined || !isWeb(read)) return '';
  return excerpt(read.pathname, LONGEST_PATH) + (read.search === '' ? '' : '?…');
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const name = codeWord(error.name) ?? 'Error';
  const code = 'code' in error ? codeWord(error.code) : undefined;
  return code === undefined ? name : `${name} ${code}`;
}
