import { type Observable, Subject, Subscription, tap, timer } from 'rxjs';
import { invalidSecret, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import {
  type PushRequest,
  type PushResponse,
  reject,
  retryLater,
  bodyOf,
  type NodeRequestLike,
  tooLarge,
} from './pushRequest.ts';
import { MAX_UNKNOWN, routerOf } from './router.ts';
import { isXml } from '../protocol/soap.ts';

/** Options of {@link pushListener}. @inline */
export interface PushListenerOptions {
  /**
   * The path of the callback URL, without the query. Requests to other paths are answered 404. It is compared
   * in constant time, so that it may contain a secret between you and the server.
   * @default any
   */
  readonly path?: string;
  /**
   * The largest notification, in bytes; a larger one is answered 413. Without the secret of a subscription
   * the limit is 131,072, also with `callbackSecret: false`.
   * @default 1_048_576
   */
  readonly maxBytes?: number;
  /** The time for a notification to arrive, in seconds; a slower one is answered 408. @default 30 */
  readonly timeoutSeconds?: number;
  /**
   * The number of concurrent notifications without the secret of a subscription; one more is answered 503.
   *
   * They come from strangers, and from old subscriptions, whose server retries. With `callbackSecret: false`
   * all notifications count. Those with a secret have a separate limit: 3 for each subscription.
   * @default 32
   */
  readonly maxUnknown?: number;
}

const NAMES: OptionNames<PushListenerOptions> = { path: 1, maxBytes: 1, timeoutSeconds: 1, maxUnknown: 1 };

/** The part of a response of `node:http` that the listener uses. @inline */
export interface NodeResponseLike {
  /** Whether the response has started. */
  readonly headersSent: boolean;
  /** Starts the response. */
  writeHead(status: number, headers: Record<string, string>): unknown;
  /** Ends the response. */
  end(body: string): unknown;
  /** Adds a listener for errors, which mean that the client has left. */
  on(event: 'error', listener: () => void): unknown;
}

/** A request that the listener has rejected. @inline */
export interface RefusedPost {
  /** The HTTP status of the response. */
  readonly status: number;
  /** The reason, in one sentence of at most 200 characters that quotes nothing of the request's body. */
  readonly problem: string;
}

/** Receives the requests that Exchange servers post. */
export interface PushListener {
  /** Emits each accepted request. It completes when the listener is closed. */
  readonly incoming$: Observable<PushRequest>;
  /** Emits each rejected request, for a log. It never errors. */
  readonly refused$: Observable<RefusedPost>;
  /** Answers a request of `node:http`, `node:https` or Express. It never throws. */
  readonly handler: (request: NodeRequestLike, response: NodeResponseLike) => void;
  /** Rejects all further requests, and ends the streams of `incoming$`. */
  close(): void;
}

/**
 * Creates a listener for the requests that Exchange servers post to a callback URL.
 *
 * Its `handler` is for `node:http`, `node:https` or Express, its `incoming$` for `pushNotifications`.
 *
 * Every request is answered, and the handler never throws. Other requests than notifications are rejected:
 * 404 for another path, 405 for another method than POST, 415 for a type that is not XML, 413 for a body that
 * is too large, 408 for one that is too slow, and 400 for one that cannot be read or names several
 * subscriptions. The status is 503, so that the server retries, while `incoming$` has no subscriber and while
 * too many requests are under way. `refused$` emits each rejection.
 *
 * `pushNotifications` adds a secret to the query of each callback URL. A notification without the secret of a
 * subscription reaches none, and the response ends its subscription on the server. The secret is sent in the
 * URL, so serve the listener over TLS, keep queries out of the logs of proxies, and let only your Exchange
 * servers reach it.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import type { AddressInfo } from 'node:net';
 * import { pushListener } from 'rxchange/ews';
 *
 * const listener = pushListener({ path: '/notified' });
 * listener.refused$.subscribe(({ status }) => console.log('refused with', status));
 *
 * const server = createServer(listener.handler);
 * server.listen(0, async () => {
 *   const { port } = server.address() as AddressInfo;
 *   const { status } = await fetch(`http://127.0.0.1:${port}/notified`);
 *   // prints: refused with 405
 *   console.log(status);
 *   // prints: 405
 *   server.close();
 *   server.closeAllConnections();
 * });
 * ```
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function pushListener(options: PushListenerOptions = {}): PushListener {
  const {
    path,
    maxBytes = 1_048_576,
    timeoutSeconds = 30,
    maxUnknown = MAX_UNKNOWN,
  } = objectOption('options', options, NAMES);
  if (path !== undefined && (typeof path !== 'string' || !/^\/[^?#]*$/.test(path))) {
    throw invalidSecret('path', "a path that begins with '/', without query or fragment");
  }
  numberOption('maxBytes', maxBytes, { min: 1, integer: true });
  numberOption('timeoutSeconds', timeoutSeconds, { min: 0.01, max: 3600 });
  numberOption('maxUnknown', maxUnknown, { min: 1, integer: true });
  const incoming = new Subject<PushRequest>();
  const refused = new Subject<RefusedPost>();
  const incoming$ = incoming.asObservable();
  // The first call sets the limit of the router.
  routerOf(incoming$, maxUnknown);

  const rejectionOf = ({ method, headers }: NodeRequestLike, url: string): PushResponse | undefined => {
    const [requested = ''] = url.split('?', 1);
    if (path !== undefined && !isSame(requested, path)) return reject(404, 'It came to another path.');
    if (method !== 'POST') {
      return { ...reject(405, 'It was no POST.'), headers: { allow: 'POST' } };
    }
    if (!isXml(String(headers['content-type']))) return reject(415, 'Its Content-Type is not XML.');
    if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
    return incoming.observed ? undefined : retryLater('incoming$ has no subscriber.');
  };

  const handler = (request: NodeRequestLike, response: NodeResponseLike): void => {
    const answering = new Subscription();
    const respond = ({ status, headers, body, problem = '' }: PushResponse): void => {
      if (answering.closed) return;
      answering.unsubscribe();
      // A connection with the rest of a rejected body cannot be reused.
      const connection = status < 400 ? headers : { ...headers, connection: 'close' };
      response.on('error', () => undefined);
      if (!response.headersSent) {
        response.writeHead(status, connection);
        response.end(body);
      }
      if (status >= 400) refused.next({ status, problem });
    };
    // Frameworks remove the path that they have matched from `url`.
    const url = request.originalUrl ?? request.url ?? '';
    const reason = rejectionOf(request, url);
    if (reason !== undefined) {
      respond(reason);
      return;
    }
    let isRead = false;
    const body$ = bodyOf(request, maxBytes, answering, respond).pipe(
      tap({ complete: () => (isRead = true) }),
    );
    answering.add(
      timer(timeoutSeconds * 1000).subscribe(() =>
        respond(isRead ? retryLater('It was not answered in time.') : reject(408, 'It was too slow.')),
      ),
    );
    incoming.next({ url: () => url, body$, respond });
  };

  return {
    incoming$,
    refused$: refused.asObservable(),
    handler,
    close: () => incoming.complete(),
  };
}

/** Compares in constant time, whichever character differs. */
function isSame(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let index = 0; index < expected.length; index += 1) {
    difference |= given.charCodeAt(index) ^ expected.charCodeAt(index);
  }
  return difference === 0;
}
