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
import { type FrameWindow, hiddenFrame } from './iframe.ts';
import { FrameAnswer, writeFrameMessage } from './frameMessage.ts';
import { readHeaderLines } from '../protocol/multipart.ts';

/** Options of {@link xframe}. */
export interface XFrameOptions {
  /** The server's `xframe` link, absolute. */
  readonly url: string;
  /** The origin that messages come from and requests go to. @default that of `url` */
  readonly origin?: string;
  /** How long the frame may take to load, in milliseconds. @default 30_000 */
  readonly timeoutMs?: number;
  /**
   * How long an answer may take, in milliseconds.
   * @default 1_860_000, a minute more than the server may hold the event channel
   */
  readonly answerTimeoutMs?: number;
  /** How long the frame is kept after its last request, in milliseconds. @default 0 */
  readonly graceMs?: number;
  /** The window of the page. @default the global one */
  readonly window?: FrameWindow;
}

const NAMES: OptionNames<XFrameOptions> = {
  url: 1,
  origin: 1,
  timeoutMs: 1,
  answerTimeoutMs: 1,
  graceMs: 1,
  window: 1,
};

/**
 * Returns a Transport for browser pages that may not call the server across origins: requests go through the
 * server's own page in a hidden iframe, by `postMessage`. [CrossDomainCommunication, Cross_domainIFRAME]
 *
 * The iframe is made for the first request and removed after the last. Messages are taken only from its
 * window and its origin, and only with the id of a request; requests to another origin are an
 * {@link OriginError}. A frame that does not load, an answer that does not come in time and a connection that
 * fails inside the frame are a {@link NetworkError}, an answer out of shape is a `DecodeError`.
 *
 * The frame cannot abort a request: unsubscribing ignores its answer. Nor can a request outlive the page,
 * whatever its `keepalive` says: what the page leaves behind ends with the server's own expiry.
 *
 * It throws a TypeError that names the option if one cannot be used, and where there is no window.
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
    timeoutMs = 30_000,
    answerTimeoutMs = 1_860_000,
    graceMs = 0,
  } = objectOption('options', options, NAMES);
  const { href: url, origin: own } = urlOption('url', options.url);
  const origin = options.origin === undefined ? own : urlOption('origin', options.origin).origin;
  numberOption('timeoutMs', timeoutMs, { min: 1 });
  numberOption('answerTimeoutMs', answerTimeoutMs, { min: 1 });
  numberOption('graceMs', graceMs, { min: 0 });
  const window = windowOption(options.window);

  let lastId = 0;
  const frame$ = hiddenFrame({ window, url, origin, loadTimeoutMs: timerMs(timeoutMs) }).pipe(
    share({
      connector: () => new ReplaySubject(1),
      resetOnRefCountZero: graceMs === 0 ? true : () => timer(timerMs(graceMs)),
    }),
  );

  return (request) =>
    defer(() => {
      const refused = originOf(request.url);
      if (refused !== origin) {
        return throwError(() => new OriginError(origin, refused, `the link for ${request.method}`));
      }
      // It is on its way only once the frame has it.
      request.onProgress?.('notProcessed');
      return frame$.pipe(
        switchMap((frame) => {
          const messageId = `rxchange-${++lastId}`;
          request.onProgress?.('sent');
          return frame.exchange(messageId, writeFrameMessage(request, messageId)).pipe(
            timeout({
              first: timerMs(answerTimeoutMs),
              with: () => throwError(() => new NetworkError('no answer from the frame in time', request)),
            }),
          );
        }),
        take(1),
        map((answer) => responseFrom(request, answer)),
      );
    });
}

function windowOption(given: FrameWindow | undefined): FrameWindow {
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
