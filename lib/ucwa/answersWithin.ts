import { asyncScheduler, map, Observable, type SchedulerAction } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import type { HttpRequest, Middleware } from '../core/transport.ts';

/** How long nothing may come on a connection, beyond what was agreed, before it is taken for broken. */
export const PATIENCE_MS = 120_000;

/**
 * Returns a Transport that takes a connection for broken on which nothing comes for so long, neither the head
 * of the answer nor more of its body: one that has died without a word would hold its requests for ever.
 *
 * It belongs below what asks for a token and what repeats requests: those may take their time.
 */
export function answersWithin(ms: number): Middleware {
  return (transport) => (request) =>
    heard(transport(request), 'first', ms, request).pipe(
      map((response) => ({ ...response, body$: heard(response.body$, 'each', ms, request) })),
    );
}

/**
 * What comes; an error where the first, or each, takes so long. One timer looks how long ago the last came: with
 * `timeout` there would be one for each chunk.
 */
function heard<Value>(
  source: Observable<Value>,
  what: 'first' | 'each',
  ms: number,
  request: HttpRequest,
): Observable<Value> {
  return new Observable((subscriber) => {
    let heardAt = asyncScheduler.now();
    let isAwaited = true;
    subscriber.add(
      source.subscribe({
        next: (value) => {
          heardAt = asyncScheduler.now();
          isAwaited = what === 'each';
          subscriber.next(value);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
    if (subscriber.closed) return;
    subscriber.add(
      asyncScheduler.schedule(function (this: SchedulerAction<void>) {
        const leftMs = heardAt + ms - asyncScheduler.now();
        if (!isAwaited) return;
        if (leftMs > 0) this.schedule(undefined, leftMs);
        else subscriber.error(new NetworkError(`nothing came for ${ms / 1000} seconds`, request));
      }, ms),
    );
  });
}
