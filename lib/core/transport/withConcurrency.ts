import { defer, finalize, map, Observable, type Subscriber, Subscription, timer } from 'rxjs';
import { numberOption, objectOption } from '../options.ts';
import type { HttpRequest, HttpResponse, Middleware } from './transport.ts';

/** Options of {@link withConcurrency}. @inline */
export interface ConcurrencyOptions {
  /**
   * Returns whether a request is sent before all queued requests that are not urgent.
   *
   * @default requests with `keepalive`, which remove something from the server
   */
  readonly isUrgent?: (request: HttpRequest) => boolean;
}

/** How long a request counts at most: one whose connection has died must not block the others. */
const LONGEST_MS = 120_000;

/**
 * Returns a Middleware that limits the number of concurrent requests. Others are queued, urgent ones first.
 *
 * A request counts until its response was read or cancelled, for at most two minutes; then it continues
 * without being counted. It is sent synchronously if the limit allows. Unsubscribing while it is queued sends
 * nothing, and does not call `onProgress`.
 *
 * Place it below `withRetry` and above whatever calls `onProgress`. All transports of one Middleware share
 * the limit; long polls should not use it.
 *
 * @param concurrent The limit, from 1 to 1000.
 * @throws TypeError that names the argument that cannot be used.
 *
 * @example
 * ```ts
 * import { EMPTY, map, timer } from 'rxjs';
 * import { type Transport, withConcurrency } from 'rxchange';
 *
 * const server: Transport = ({ url, method }) => {
 *   console.log(method, new URL(url).pathname);
 *   return timer(5).pipe(map(() => ({ status: 200, url, headers: new Map(), body$: EMPTY })));
 * };
 * const transport = withConcurrency(1)(server);
 * transport({ method: 'GET', url: 'https://mail.contoso.com/1' }).subscribe();
 * transport({ method: 'GET', url: 'https://mail.contoso.com/2' }).subscribe();
 * transport({ method: 'DELETE', url: 'https://mail.contoso.com/3', keepalive: true }).subscribe();
 * // prints: GET /1
 * // prints: DELETE /3
 * // prints: GET /2
 * ```
 */
export function withConcurrency(concurrent: number, options: ConcurrencyOptions = {}): Middleware {
  return concurrencyLimit(concurrent, options).limit;
}

/** A limit of concurrent requests. */
interface ConcurrencyLimit {
  readonly limit: Middleware;
  /** Sends all queued urgent requests, beyond the limit. */
  readonly flush: () => void;
}

/** Returns the Middleware of {@link withConcurrency}, with a function that opens it. */
export function concurrencyLimit(concurrent: number, options: ConcurrencyOptions = {}): ConcurrencyLimit {
  const { isUrgent = ({ keepalive }: HttpRequest) => keepalive === true } = objectOption('options', options, {
    isUrgent: 1,
  });
  numberOption('concurrent', concurrent, { min: 1, max: 1000, integer: true });
  const urgent = new Set<() => void>();
  const others = new Set<() => void>();
  let running = 0;
  let isSending = false;

  const sendFrom = (queue: Set<() => void>, next: () => void): void => {
    queue.delete(next);
    running += 1;
    next();
  };

  /** A loop instead of recursion: synchronous responses would overflow the stack. */
  const sendNext = (): void => {
    if (isSending) return;
    isSending = true;
    while (running < concurrent) {
      const queue = urgent.size > 0 ? urgent : others;
      const [next] = queue;
      if (next === undefined) break;
      sendFrom(queue, next);
    }
    isSending = false;
  };

  const takeSlot = (): Subscription =>
    new Subscription(() => {
      running -= 1;
      sendNext();
    });

  const limit: Middleware = (transport) => (request) =>
    new Observable((subscriber) => {
      const queue = isUrgent(request) ? urgent : others;
      const send = (): void =>
        occupy(
          takeSlot(),
          defer(() => transport(request)),
          subscriber,
        );
      if (running < concurrent && urgent.size === 0 && others.size === 0) {
        // At once, even if a response causes it: it must not be overtaken by requests without a limit.
        running += 1;
        send();
        return;
      }
      queue.add(send);
      subscriber.add(() => queue.delete(send));
      sendNext();
    });
  return {
    limit,
    flush: () => {
      for (const send of [...urgent]) if (urgent.has(send)) sendFrom(urgent, send);
    },
  };
}

/** Emits a response, and frees its slot when the response was read or cancelled. */
function occupy(
  slot: Subscription,
  response$: Observable<HttpResponse>,
  subscriber: Subscriber<HttpResponse>,
): void {
  let readers = 0;
  const free = (): void => {
    if (readers === 0) slot.unsubscribe();
  };
  const counted = (body$: HttpResponse['body$']): HttpResponse['body$'] =>
    defer(() => {
      readers += 1;
      return body$.pipe(
        finalize(() => {
          readers -= 1;
          free();
        }),
      );
    });
  response$.pipe(map((response) => ({ ...response, body$: counted(response.body$) }))).subscribe(subscriber);
  // Last: this request is aborted before the next one is sent.
  subscriber.add(free);
  if (!slot.closed) slot.add(timer(LONGEST_MS).subscribe(() => slot.unsubscribe()));
}
