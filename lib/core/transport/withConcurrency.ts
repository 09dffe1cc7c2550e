import { defer, finalize, map, Observable, type Subscriber, Subscription, timer } from 'rxjs';
import { numberOption, objectOption } from '../options.ts';
import type { HttpRequest, HttpResponse, Middleware } from './transport.ts';

/** Options of {@link withConcurrency}. */
export interface ConcurrencyOptions {
  /**
   * Whether a request goes before all that wait and are not urgent.
   *
   * @default what is sent with `keepalive`: what removes something from the server
   */
  readonly isUrgent?: (request: HttpRequest) => boolean;
}

/** How long a request counts that is not answered to its end: one that has died takes no place for ever. */
const LONGEST_MS = 120_000;

/**
 * Returns a Transport that has at most so many requests under way at a time: the others wait, urgent ones
 * first, each kind in the order in which it came.
 *
 * A request is under way until its answer has been read, or was left. Where there is room it is sent
 * synchronously. Unsubscribing while it waits sends nothing, and `onProgress` is told nothing. After two
 * minutes a request counts no more, but goes on.
 *
 * It belongs below what waits before it sends, such as `withRetry`, and above `reportProgress`. All transports
 * that one middleware makes share the limit; requests that hang by design take another way. It throws a
 * TypeError for a limit that is no whole number from 1 to 1000.
 *
 * @param concurrent How many, from 1 to 1000.
 *
 * @example
 * ```ts
 * import { EMPTY, map, timer } from 'rxjs';
 * import { headersFrom, type Transport, withConcurrency } from 'rxchange';
 *
 * const server: Transport = ({ url, method }) => {
 *   console.log(method, new URL(url).pathname);
 *   return timer(5).pipe(map(() => ({ status: 200, url, headers: headersFrom({}), body$: EMPTY })));
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
  const { isUrgent = ({ keepalive }: HttpRequest) => keepalive === true } = objectOption('options', options, {
    isUrgent: 1,
  });
  numberOption('concurrent', concurrent, { min: 1, max: 1000, integer: true });
  const urgent = new Set<() => void>();
  const others = new Set<() => void>();
  let underWay = 0;
  let isSending = false;

  /** A loop, not a recursion: answers that come synchronously would pile up on the stack. */
  const sendNext = (): void => {
    if (isSending) return;
    isSending = true;
    while (underWay < concurrent) {
      const queue = urgent.size > 0 ? urgent : others;
      const [next] = queue;
      if (next === undefined) break;
      queue.delete(next);
      underWay += 1;
      next();
    }
    isSending = false;
  };

  const place = (): Subscription =>
    new Subscription(() => {
      underWay -= 1;
      sendNext();
    });

  return (transport) => (request) =>
    new Observable((subscriber) => {
      const queue = isUrgent(request) ? urgent : others;
      const send = (): void =>
        occupy(
          place(),
          defer(() => transport(request)),
          subscriber,
        );
      queue.add(send);
      subscriber.add(() => queue.delete(send));
      sendNext();
    });
}

/** Hands a response on, and gives the place up when it was read or left. */
function occupy(
  place: Subscription,
  response$: Observable<HttpResponse>,
  subscriber: Subscriber<HttpResponse>,
): void {
  let readers = 0;
  const leave = (): void => {
    if (readers === 0) place.unsubscribe();
  };
  const noted = (body$: HttpResponse['body$']): HttpResponse['body$'] =>
    defer(() => {
      readers += 1;
      return body$.pipe(
        finalize(() => {
          readers -= 1;
          leave();
        }),
      );
    });
  response$.pipe(map((response) => ({ ...response, body$: noted(response.body$) }))).subscribe(subscriber);
  // Last: what is left is aborted before another takes its place.
  subscriber.add(leave);
  if (!place.closed) place.add(timer(LONGEST_MS).subscribe(() => place.unsubscribe()));
}
