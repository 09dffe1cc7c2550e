import { asyncScheduler, defer, finalize, map, type Observable, Subject, tap } from 'rxjs';
import { parseUrl } from '../httpUrl.ts';
import { codeWord, excerpt, isWeb } from '../text.ts';
import { type DiagnosticsChannel, diagnosticsChannel } from './platform.ts';
import type { HttpRequest, Middleware, Repetition } from './transport.ts';

/** How many characters of a path are shown: a server may make its hrefs as long as it likes. */
const LONGEST_PATH = 300;

/** One request, as it went over the wire, when all of it is over. */
export interface Activity {
  /** Such as `GET`. */
  readonly method: string;
  /** Such as `https://pool.contoso.com`; of a URL that is not http or https its scheme, such as `foo:`. */
  readonly origin: string;
  /** The first 300 characters of the path, then `?…` if there was a query: nothing of a query is shown. */
  readonly path: string;
  /** When it was sent. */
  readonly sentAt: Date;
  /** From then to the end of the answer, in milliseconds. */
  readonly ms: number;
  /** Not there where there was no answer. */
  readonly status?: number;
  /** How much of the answer's body was read, in bytes. */
  readonly bytes: number;
  /**
   * - `answered`: the whole answer has come, or all of it that anybody wanted.
   * - `failed`: there was no answer, or it broke off.
   * - `aborted`: nobody wanted it any more.
   */
  readonly end: 'answered' | 'failed' | 'aborted';
  /**
   * How many optional members of the answer were left out, because they were null or not of their documented type;
   * not there for none. The rest of the answer was used. Of answers that the library reads as UCWA or EWS.
   */
  readonly dropped?: number;
  /** The name of the error, and its code where it has one, such as `NetworkError ECONNRESET`. */
  readonly error?: string;
  /** Why the same was sent before, where it was. */
  readonly repeats?: Repetition;
}

/** What reports the requests of a connection. */
export interface RequestLog {
  /**
   * Emits each request when it is over, in the order of their ends. It is hot, and requests that began while
   * nobody listened are not told of. It never errors and never completes.
   */
  readonly activity$: Observable<Activity>;
  /** Belongs next to the network, below all that sends a request again. It does nothing while nobody listens. */
  readonly logged: Middleware;
}

/** The name of the channel of `node:diagnostics_channel` on which every {@link Activity} is published. */
export const ACTIVITY_CHANNEL = 'rxchange:activity';

/** The end of a request, and what is emitted of it, as soon as that is known. */
interface Ended {
  readonly at: number;
  told?: Activity;
}

/**
 * Begins a report of requests, for a transport of one's own; `connect` and `exchange` have theirs.
 *
 * On Node each one is published on the {@link ACTIVITY_CHANNEL} of `node:diagnostics_channel` too, where
 * loggers and tracers listen without having to know the connection.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { activityReport, headersFrom, type Transport } from 'rxchange';
 *
 * const server: Transport = ({ url }) => of({ status: 204, url, headers: headersFrom({}), body$: of() });
 * const { activity$, reported } = activityReport();
 * activity$.subscribe(({ method, path, status }) => console.log(method, path, status));
 * reported(server)({ method: 'DELETE', url: 'https://pool.contoso.com/me?key=hush' }).subscribe();
 * // prints: DELETE /me?… 204
 * ```
 */
export function requestLog(): RequestLog {
  return reportTo(diagnosticsChannel(ACTIVITY_CHANNEL));
}

/** The same, with another channel than the platform's, or with none. */
export function reportTo(channel: DiagnosticsChannel | undefined): RequestLog {
  const activity = new Subject<Activity>();
  /** Requests in the order of their ends; a body that is whole is still being decoded by its reader. */
  const ended: Ended[] = [];

  const emit = (): void => {
    for (let told = ended[0]?.told; told !== undefined; told = ended[0]?.told) {
      ended.shift();
      activity.next(told);
      if (channel?.hasSubscribers === true) channel.publish(told);
    }
  };

  const newlyEnded = (): Ended => {
    const one = { at: asyncScheduler.now() };
    ended.push(one);
    return one;
  };

  const reported: Middleware = (transport) => (request) =>
    defer(() => {
      if (!activity.observed && channel?.hasSubscribers !== true) return transport(request);
      const sentAt = asyncScheduler.now();
      let status: number | undefined;
      let bytes = 0;
      let isTaken = false;
      let dropped = 0;
      let whole: Ended | undefined;
      let isTold = false;
      const tell = (end: Activity['end'], error?: unknown): void => {
        if (isTold) return;
        isTold = true;
        const one = whole ?? newlyEnded();
        one.told = {
          ...addressOf(request),
          sentAt: new Date(sentAt),
          ms: one.at - sentAt,
          ...(status === undefined ? {} : { status }),
          bytes,
          end,
          ...(dropped === 0 ? {} : { dropped }),
          ...(error === undefined ? {} : { error: nameOf(error) }),
          ...(request.repeats === undefined ? {} : { repeats: request.repeats }),
        };
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
                error: (error: unknown) => tell('failed', error),
                complete: () => (whole = newlyEnded()),
              }),
              finalize(() => tell(whole === undefined ? 'aborted' : 'answered')),
            );
          });
          return { ...response, body$, noteDropped };
        }),
        tap({
          error: (error: unknown) => tell('failed', error),
          // A body that nobody has taken by now is not read.
          complete: () => {
            if (!isTaken) tell('answered');
          },
        }),
        finalize(() => {
          if (!isTaken) tell(status === undefined ? 'aborted' : 'answered');
        }),
      );
    });

  return { activity$: activity.asObservable(), logged: reported };
}

function addressOf({ method, url }: HttpRequest): Pick<Activity, 'method' | 'origin' | 'path'> {
  const read = parseUrl(url);
  const origin = read !== undefined && isWeb(read) ? read.origin : read?.protocol;
  return { method, origin: excerpt(origin ?? 'an invalid URL'), path: shownPath(url) };
}

/**
 * Returns the path of a URL as logs may show it: its first 300 characters, then `?…` if the URL has a query.
 *
 * Nothing of a query or a fragment is shown, because any part of them can be a secret, and nothing at all of a URL
 * that is not http or https.
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
