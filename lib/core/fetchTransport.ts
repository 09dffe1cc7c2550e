import { Observable, type Observer } from 'rxjs';
import { NetworkError } from './errors.ts';
import { type Fetch, keptAliveFetch, type Sent, sendWith } from './keptAliveFetch.ts';
import { invalidOption } from './options.ts';
import type { HttpHeaders, HttpRequest, HttpResponse, Transport } from './transport.ts';

/** Unread bodies up to this size are read to their end, which keeps the connection; larger ones are cancelled. */
const WORTH_DRAINING_BYTES = 65_536;
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * Returns a {@link Transport} that sends requests with fetch.
 *
 * Redirects are not followed: they are answers like any other. The Observable errors with a
 * {@link NetworkError} when there is no answer, `body$` when it breaks off. What a caller did not read is
 * read to its end or cancelled, so that it cannot pin a socket.
 *
 * @param fetch Any WHATWG fetch; its body may be a web stream or a Node stream. @default cross-fetch, with
 * kept-alive connections on Node
 *
 * @example
 * ```ts
 * import { mergeMap } from 'rxjs';
 * import { fetchTransport, readText } from 'rxchange';
 *
 * const transport = fetchTransport(async () => new Response('hello'));
 * transport({ method: 'GET', url: 'https://pool.contoso.com/' })
 *   .pipe(mergeMap((response) => readText(response, 'greeting')))
 *   .subscribe((text) => console.log(text));
 * // prints: hello
 * ```
 */
export function fetchTransport(fetch: Fetch = keptAliveFetch()): Transport {
  if (typeof fetch !== 'function') throw invalidOption('fetch', fetch, 'a function like the global fetch');
  const send = sendWith(fetch);
  return (request) =>
    new Observable<HttpResponse>((subscriber) => {
      let isAnswered = false;
      const sent = send(request.url, initOf(request));
      sent.response.then(
        (response) => {
          isAnswered = true;
          const body = bodyOf(response, request, sent);
          const discardConnection = sent.connection()?.discard;
          subscriber.next({
            status: response.status,
            headers: headersOf(response),
            url: response.url === '' ? request.url : response.url,
            body$: body.body$,
            ...(discardConnection === undefined ? {} : { discardConnection }),
          });
          body.discardUnlessTaken();
          subscriber.complete();
        },
        (cause: unknown) => {
          isAnswered = true;
          subscriber.error(networkError('no answer', request, cause));
        },
      );
      return () => {
        if (!isAnswered) sent.cancel();
      };
    });
}

function initOf({ method, headers, body, keepalive, credentials }: HttpRequest): RequestInit {
  return {
    method,
    redirect: 'manual',
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    ...(keepalive === undefined ? {} : { keepalive }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

function headersOf(response: Response): HttpHeaders {
  return { get: (name) => response.headers.get(name) ?? undefined };
}

interface Body {
  readonly body$: Observable<Uint8Array>;
  /** Lets go of the body if nobody has subscribed to it by now. */
  readonly discardUnlessTaken: () => void;
}

function bodyOf(response: Response, request: HttpRequest, { connection, cancel }: Sent): Body {
  let isTaken = false;
  const release = (): void => connection()?.release();
  const leave = (): void => {
    cancel();
    // One whose answer has ended on the wire is not closed by that.
    release();
  };
  const body$ = new Observable<Uint8Array>((subscriber) => {
    if (isTaken) {
      subscriber.error(networkError('the body was read or discarded before', request, undefined));
      return;
    }
    isTaken = true;
    let isOver = false;
    readAll(response, {
      next: (chunk) => subscriber.next(chunk),
      complete: () => {
        isOver = true;
        // Before the end is told: what is sent then may want this very connection.
        release();
        subscriber.complete();
      },
      error: (cause) => {
        isOver = true;
        release();
        subscriber.error(networkError('the answer broke off', request, cause));
      },
    });
    return () => {
      if (!isOver) leave();
    };
  });
  return {
    body$,
    discardUnlessTaken: () => {
      if (isTaken) return;
      if (isWorthDraining(response)) {
        body$.subscribe({ error: () => undefined });
      } else {
        isTaken = true;
        leave();
      }
    },
  };
}

function isWorthDraining(response: Response): boolean {
  if (response.body === null || WITHOUT_BODY.has(response.status)) return true;
  return Number(response.headers.get('content-length') ?? Number.NaN) <= WORTH_DRAINING_BYTES;
}

/** A body as a Node stream, as far as it is read. */
interface NodeBody {
  readonly destroyed: boolean;
  readonly errored: Error | null;
  on(event: 'data', listener: (chunk: Uint8Array) => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'end' | 'close', listener: () => void): this;
}

/** Reads a body of either kind: a web stream by its reader, which every browser has, a Node stream by events. */
function readAll(response: Response, reader: Observer<Uint8Array>): void {
  const body = response.body as ReadableStream<Uint8Array> | NodeBody | null;
  if (body === null) reader.complete();
  else if ('getReader' in body) readWeb(body.getReader(), reader.next).then(reader.complete, reader.error);
  else readNode(body, reader);
}

async function readWeb(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  next: (chunk: Uint8Array) => void,
): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    next(value);
  }
}

/** By its events: iteration would take several turns for each chunk. */
function readNode(body: NodeBody, { next, complete, error }: Observer<Uint8Array>): void {
  let isEnded = false;
  const onClose = (): void => {
    if (!isEnded) error(body.errored ?? new Error('the body was closed before its end'));
  };
  // One that broke off before it is read tells nothing more.
  if (body.destroyed) {
    onClose();
    return;
  }
  body.on('data', next).on('error', error).on('close', onClose);
  body.on('end', () => {
    isEnded = true;
    complete();
  });
}

function networkError(what: string, request: HttpRequest, cause: unknown): NetworkError {
  return new NetworkError(what, request, { cause: withoutQuery(cause, request.url), code: codeOf(cause) });
}

/** There are fetches that quote the URL in their errors, and secrets can be in its query. */
function withoutQuery(cause: unknown, url: string): unknown {
  const search = URL.canParse(url) ? new URL(url).search : '';
  if (search === '' || !(cause instanceof Error) || !cause.message.includes(search)) return cause;
  const told = new Error(cause.message.replaceAll(search, ''), { cause: cause.cause });
  told.name = cause.name;
  return told;
}

/** node-fetch puts the connection's code on its error, Node's own fetch on the cause of it. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
