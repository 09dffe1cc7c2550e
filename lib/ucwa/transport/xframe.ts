import { defer, map, of, ReplaySubject, share, switchMap, take, throwError, timeout, timer } from 'rxjs';
import { timerMs } from '../../core/backoff/backoff.ts';
import { decode } from '../../core/decode.ts';
import { NetworkError, OriginError } from '../../core/errors.ts';
import { originOf } from '../../core/text.ts';
import {
  invalidOption,
  numberOption,
  objectOption,
  type OptionNames,
  urlOption,
} from '../../core/options.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../core/transport/transport.ts';
import { type FrameWindow, hiddenFrame, FrameAnswer, writeFrameMessage } from './iframe.ts';
import { readHeaderLines } from '../protocol/multipart.ts';

/** Options of {@link xframe}. @inline */
export interface XFrameOptions {
  /** The server's `xframe` link, absolute. */
  readonly url: string;
  /** The origin that messages come from and requests go to. @default that of `url` */
  readonly origin?: string;
  /** How long the frame may take to load, in seconds. @default 30 */
  readonly timeoutSeconds?: number;
  /**
   * How long a response may take, in seconds.
   * @default 1860, a minute more than the server may hold a request for events
   */
  readonly responseSeconds?: number;
  /** How long the frame is kept after its last request, in seconds. @default 0 */
  readonly graceSeconds?: number;
  /** The window of the page. @default the global one */
  readonly window?: object;
}

const NAMES: OptionNames<XFrameOptions> = {
  url: 1,
  origin: 1,
  timeoutSeconds: 1,
  responseSeconds: 1,
  graceSeconds: 1,
  window: 1,
};

/**
 * Returns a Transport for pages that must not call the server across origins.
 *
 * Requests go through the server's own page in a hidden iframe, by `postMessage`. The iframe is created for
 * the first request and removed after the last. Messages are accepted only from its window and its origin,
 * with the id of a request.
 *
 * - A request to another origin errors with an {@link OriginError}.
 * - A frame that does not load, a response that does not arrive in time, and a connection that fails inside
 *   the frame are a {@link NetworkError}. A response of another shape is a `DecodeError`.
 * - The frame cannot abort a request: after unsubscribing, its response is ignored.
 * - A request cannot outlive the page, even with `keepalive`: what the page leaves on the server expires
 *   there.
 *
 * @throws TypeError that names the option that cannot be used, also if there is no window.
 * @see [MS-UCWA] CrossDomainCommunication, Cross_domainIFRAME
 *
 * @example
 * ```ts
 * import { xframe } from 'rxchange/ucwa';
 *
 * try {
 *   xframe({ url: 'https://pool.contoso.com/Autodiscover/XFrame/XFrame.html' });
 * } catch (error) {
 *   console.log((error as Error).name);
 * }
 * // prints: TypeError
 * ```
 */
export function xframe(options: XFrameOptions): Transport {
  const {
    timeoutSeconds = 30,
    responseSeconds = 1860,
    graceSeconds = 0,
  } = objectOption('options', options, NAMES);
  const { href: url, origin: own } = urlOption('url', options.url);
  const origin = options.origin === undefined ? own : urlOption('origin', options.origin).origin;
  numberOption('timeoutSeconds', timeoutSeconds, { min: 0.001 });
  numberOption('responseSeconds', responseSeconds, { min: 0.001 });
  numberOption('graceSeconds', graceSeconds, { min: 0 });
  const window = windowOption(options.window);

  let lastId = 0;
  const frame$ = hiddenFrame({ window, url, origin, loadTimeoutMs: timerMs(timeoutSeconds * 1000) }).pipe(
    share({
      connector: () => new ReplaySubject(1),
      resetOnRefCountZero: graceSeconds === 0 ? true : () => timer(timerMs(graceSeconds * 1000)),
    }),
  );

  return (request) =>
    defer(() => {
      const refused = originOf(request.url);
      if (refused !== origin) {
        return throwError(() => new OriginError(origin, refused, `the link for ${request.method}`));
      }
      // Nothing is sent before the frame is loaded.
      request.onProgress?.('notProcessed');
      return frame$.pipe(
        switchMap((frame) => {
          const messageId = `rxchange-${++lastId}`;
          request.onProgress?.('sent');
          return frame.exchange(messageId, writeFrameMessage(request, messageId)).pipe(
            timeout({
              first: timerMs(responseSeconds * 1000),
              with: () => throwError(() => new NetworkError('no answer from the frame in time', request)),
            }),
          );
        }),
        take(1),
        map((answer) => responseFrom(request, answer)),
      );
    });
}

function windowOption(given: object | undefined): FrameWindow {
  const window: unknown = given ?? globalThis;
  if (typeof window !== 'object' || window === null || !isFrameWindow(window)) {
    throw invalidOption(
      'window',
      given,
      'that of a browser page; elsewhere use fetchTransport, which needs no frame',
    );
  }
  return window;
}

function isFrameWindow(window: object): window is FrameWindow {
  return 'document' in window && typeof window.document === 'object' && window.document !== null;
}

const readAnswer = decode(FrameAnswer, 'the answer of the frame');

function responseFrom(request: HttpRequest, answer: unknown): HttpResponse {
  const { status, headers, responseText } = readAnswer(answer);
  if (status === 0) throw new NetworkError('no answer', request);
  return {
    status,
    headers: headersFrom(readHeaderLines(headers ?? '')),
    url: request.url,
    body$: of(new TextEncoder().encode(responseText ?? '')),
  };
}
