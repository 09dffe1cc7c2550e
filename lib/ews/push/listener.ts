import { type Observable, Subject, Subscription, tap, timer } from 'rxjs';
import { invalidSecret, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import { type PushRequest, type PushResponse, reject, retryLater } from './pushRequest.ts';
import { bodyOf, type NodeRequestLike, tooLarge } from './body.ts';
import { MAX_UNKNOWN, routerOf } from './router.ts';
import { isXml } from '../protocol/soap.ts';

/** What a listener lets in. */
export interface PushListenerOptions {
  /**
   * The path of the callback URL, without the query; requests to another are answered 404. It is compared in
   * constant time, so that a part of it may be a secret between you and the server.
   * @default any
   */
  readonly path?: string;
  /**
   * How many bytes a notification may have; a larger one is answered 413. One that carries the secret of no
   * subscription may have 131,072 at most, also with `callbackSecret: false`.
   * @default 1_048_576
   */
  readonly maxBytes?: number;
  /** How long a notification may take to arrive, in seconds; a slower one is answered 408. @default 30 */
  readonly timeoutSeconds?: number;
  /**
   * How many notifications that carry the secret of no subscription may be under way at the same time; one more
   * is answered 503. Strangers send such, and left-over subscriptions, whose server tries again. With
   * `callbackSecret: false` all notifications count. Those with a secret count apart, 3 for each subscription.
   * @default 32
   */
  readonly maxUnknown?: number;
}

const NAMES: OptionNames<PushListenerOptions> = { path: 1, maxBytes: 1, timeoutSeconds: 1, maxUnknown: 1 };

/** What of a response of `node:http` is used. */
export interface NodeResponseLike {
  /** Whether it was answered before. */
  readonly headersSent: boolean;
  /** Begins the answer. */
  writeHead(status: number, headers: Record<string, string>): unknown;
  /** Ends the answer. */
  end(body: string): unknown;
  /** Hears of errors, which mean that nobody waits for the answer any more. */
  on(event: 'error', listener: () => void): unknown;
}

/** A request that was answered, but not with what an Exchange server hopes for. */
export interface RefusedPost {
  /** What it was answered. */
  readonly status: number;
  /** Why, in one sentence of at most 200 characters, without a word of the request's body. */
  readonly problem: string;
}

/** Takes what servers post. */
export interface PushListener {
  /** What is posted. It completes when the listener is closed. */
  readonly incoming$: Observable<PushRequest>;
  /** What was refused, for a log. It never errors. */
  readonly refused$: Observable<RefusedPost>;
  /** Takes a request of `node:http`, https or Express, and answers it. It never throws. */
  readonly handler: (request: NodeRequestLike, response: NodeResponseLike) => void;
  /** Refuses what comes from now on, and ends what is notified by it. */
  close(): void;
}

/**
 * Creates a listener for what Exchange servers post to a callback URL: its `handler` is one for `node:http`,
 * `node:https` or Express, and its `incoming$` is for `pushNotifications`.
 *
 * Every request is answered, and the handler never throws. Requests that are no notifications are refused: 404 for
 * another path, 405 for another method than POST, 415 for a type that is not XML, 413 for a body that is too large,
 * 408 for one that is too slow, and 400 for one that cannot be read or names several subscriptions. Servers are asked
 * to try again, with 503, while nobody is subscribed to `incoming$` and while too much is under way. `refused$` emits
 * each refusal.
 *
 * `pushNotifications` adds a secret to the query of each callback URL. A notification without the secret of a
 * subscription reaches none: it is answered so that its server ends the subscription that it is for. The secret is
 * sent in the URL, so serve the listener over TLS, keep queries out of the logs of proxies, and let only your Exchange
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
 * @throws TypeError that names the option, for one that cannot be used.
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
  // The first call decides how much the router lets in.
  routerOf(incoming$, maxUnknown);

  const reasonToRefuse = ({ method, headers }: NodeRequestLike, url: string): PushResponse | undefined => {
    const [at = ''] = url.split('?', 1);
    if (path !== undefined && !isSame(at, path)) return reject(404, 'It came to another path.');
    if (method !== 'POST') {
      return { ...reject(405, 'It was no POST.'), headers: { allow: 'POST' } };
    }
    if (!isXml(String(headers['content-type']))) return reject(415, 'Its Content-Type is not XML.');
    if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
    return incoming.observed ? undefined : retryLater('Nobody is subscribed to incoming$.');
  };

  const handler = (request: NodeRequestLike, response: NodeResponseLike): void => {
    const answering = new Subscription();
    const respond = ({ status, headers, body, problem = '' }: PushResponse): void => {
      if (answering.closed) return;
      answering.unsubscribe();
      // A connection with the rest of a refused body on it serves nothing else.
      const connection = status < 400 ? headers : { ...headers, connection: 'close' };
      response.on('error', () => undefined);
      if (!response.headersSent) {
        response.writeHead(status, connection);
        response.end(body);
      }
      if (status >= 400) refused.next({ status, problem });
    };
    // Frameworks shorten `url` by the path that they have matched.
    const url = request.originalUrl ?? request.url ?? '';
    const reason = reasonToRefuse(request, url);
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

/** Takes as long for a path that is nearly right as for one that is wrong at once. */
function isSame(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let place = 0; place < expected.length; place += 1) {
    difference |= given.charCodeAt(place) ^ expected.charCodeAt(place);
  }
  return difference === 0;
}
