import { Observable, takeUntil, takeWhile, timer } from 'rxjs';
import { defined } from '../defined.ts';
import { NetworkError, OriginError } from '../errors.ts';
import { checkLimits, type Limits } from '../limits.ts';
import { invalidOption } from '../options.ts';
import { adviceFor, codeOf } from '../systemErrors.ts';
import { excerpt } from '../text.ts';
import { defaultSend, readBody } from './platform.ts';
import { requestUrl } from './restrictToOrigin.ts';
import { abortable, type Fetch, type PendingFetch, type Send } from './send.ts';
import {
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  isHeaderValue,
  isHttpToken,
  type Transport,
} from './transport.ts';

const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Returns a {@link Transport} that sends requests with fetch.
 *
 * Redirects are not followed: they are responses. The Observable errors with a {@link NetworkError} if there
 * is no response, and `body$` if the response breaks off. For a URL that is not http or https, has
 * credentials, or has a host that is neither a DNS name nor an address, it errors with an {@link OriginError}
 * and sends nothing.
 *
 * An unread body is read to its end, which keeps the connection, if it is short and arrives within
 * `limits.drainSeconds`; otherwise it is cancelled.
 *
 * On Node, an idle connection is kept for 50 seconds, or for less if the server says so in a `Keep-Alive`
 * header. If the server closes it while a request is being sent, the Observable errors: the server may have
 * acted, so only an idempotent request may be retried. [RFC 9112, section 9.3.1]
 *
 * @param fetch Any WHATWG fetch; its body may be a web stream or a Node stream. @default that of the browser;
 * elsewhere cross-fetch, on Node with kept-alive connections
 * @param limits `drainBytes` and `drainSeconds` apply. @default 65,536 bytes and 1 second
 *
 * @example
 * ```ts
 * import { mergeMap } from 'rxjs';
 * import { fetchTransport } from 'rxchange';
 *
 * const transport = fetchTransport(async () => new Response('hello'));
 * transport({ method: 'GET', url: 'https://pool.contoso.com/' })
 *   .pipe(mergeMap(({ body$ }) => body$))
 *   .subscribe((bytes) => console.log(new TextDecoder().decode(bytes)));
 * // prints: hello
 * ```
 */
export function fetchTransport(fetch?: Fetch, limits?: Limits): Transport {
  if (fetch !== undefined && typeof fetch !== 'function')
    throw invalidOption('fetch', fetch, 'a function like the global fetch');
  return transportOver(fetch === undefined ? defaultSend() : abortable(fetch), limits);
}

/** Returns a {@link Transport} over a way to send: what {@link fetchTransport} does with a fetch. */
export function transportOver(send: Send, limits: Limits | undefined): Transport {
  const drain = checkLimits(limits);
  return (request) =>
    new Observable<HttpResponse>((subscriber) => {
      const url = requestUrl(request.url, `the URL of ${request.method}`);
      const refused = refusedHeader(request.headers);
      if (refused !== undefined) {
        const why = 'HTTP carries visible ASCII, and the URL says what host is';
        subscriber.error(new TypeError(`the header ${excerpt(refused)} cannot be sent: ${why}`));
        return undefined;
      }
      let isAnswered = false;
      const sent = send(url, initOf(request));
      sent.response.then(
        (response) => {
          isAnswered = true;
          const body = bodyOf(response, request, sent, drain);
          const { discardConnection } = body;
          subscriber.next({
            status: response.status,
            headers: headersOf(response),
            url: response.url === '' ? request.url : response.url,
            body$: body.body$,
            ...defined({
              discardConnection: sent.release && discardConnection,
              peerCertificate: sent.peerCertificate,
            }),
          });
          body.discardUnlessTaken();
          subscriber.complete();
        },
        (cause: unknown) => {
          isAnswered = true;
          subscriber.error(
            cause instanceof OriginError || cause instanceof NetworkError
              ? cause
              : networkError(noAnswer(request, cause), request, cause),
          );
        },
      );
      return () => {
        if (!isAnswered) sent.cancel();
      };
    });
}

function initOf({ method, headers, body, keepalive, credentials }: HttpRequest): RequestInit {
  // No response of an API is for later. Requests for the same URL would also wait for one another.
  const own = { method, redirect: 'manual', cache: 'no-store' } as const;
  return { ...own, ...defined({ headers, body, keepalive, credentials }) };
}

/**
 * Returns the name of a header that cannot be sent. With a `host` header, Node would accept another host's
 * certificate.
 */
function refusedHeader(headers: HttpRequest['headers'] = {}): string | undefined {
  return Object.keys(headers).find(
    (name) => name.toLowerCase() === 'host' || !isHttpToken(name) || !isHeaderValue(headers[name] ?? ''),
  );
}

function headersOf(response: Response): HttpHeaders {
  return { get: (name) => response.headers.get(name) ?? undefined };
}

interface Body {
  readonly body$: Observable<Uint8Array>;
  /** Closes the connection when the body was read. */
  readonly discardConnection: () => void;
  /** Cancels the body, or reads a short one to its end, if it has no subscriber by now. */
  readonly discardUnlessTaken: () => void;
}

function bodyOf(
  response: Response,
  request: HttpRequest,
  { cancel, release }: PendingFetch,
  drain: Required<Limits>,
): Body {
  let isTaken = false;
  let isDiscarded = false;
  const onRead = (): void => {
    if (isDiscarded) cancel();
    // A compressed body can end before its response does, which then must not keep the connection.
    else if (release?.() === false) timer(drain.drainSeconds * 1000).subscribe(cancel);
  };
  const body$ = new Observable<Uint8Array>((subscriber) => {
    if (isTaken) {
      subscriber.error(networkError('the body was read or discarded before', request, undefined));
      return;
    }
    isTaken = true;
    let isOver = false;
    const stop = readBody(response.body, {
      next: (chunk) => subscriber.next(chunk),
      complete: () => {
        isOver = true;
        // Before the completion, which may send a request that needs this connection.
        onRead();
        subscriber.complete();
      },
      error: (cause) => {
        isOver = true;
        cancel();
        subscriber.error(networkError('the answer broke off', request, cause));
      },
    });
    return () => {
      if (isOver) return;
      stop();
      cancel();
    };
  });
  return {
    body$,
    discardConnection: () => {
      isDiscarded = true;
    },
    discardUnlessTaken: () => {
      if (isTaken) return;
      if (isWorthDraining(response, drain)) {
        let bytes = 0;
        body$
          .pipe(
            takeWhile((chunk) => (bytes += chunk.length) <= drain.drainBytes),
            // A server that announces a body and never sends it must not occupy the connection.
            takeUntil(timer(drain.drainSeconds * 1000)),
          )
          .subscribe({ error: () => undefined });
      } else {
        isTaken = true;
        cancel();
      }
    },
  };
}

/** Returns whether reading an unread body, which keeps the connection, costs less than a new connection. */
function isWorthDraining({ body, status, headers }: Response, { drainBytes }: Required<Limits>): boolean {
  if (body === null || WITHOUT_BODY.has(status)) return true;
  return Number(headers.get('content-length') ?? Number.NaN) <= drainBytes;
}

/** Returns why there is no response. Browsers only report that a fetch has failed. */
function noAnswer({ url }: HttpRequest, cause: unknown): string {
  const code = codeOf(cause);
  const advice = adviceFor(code);
  if (advice !== undefined) return `no answer, because ${advice}`;
  const { location } = globalThis as { readonly location?: { readonly origin?: string } };
  const isForeign = location?.origin !== undefined && location.origin !== new URL(url).origin;
  return isForeign && code === undefined && cause instanceof TypeError
    ? 'no answer: the server cannot be reached, or does not allow requests from this origin (CORS)'
    : 'no answer';
}

function networkError(what: string, request: HttpRequest, cause: unknown): NetworkError {
  return new NetworkError(what, request, { cause, code: codeOf(cause) });
}
