import { map, throwError, timeout } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import type { HttpRequest, Middleware } from '../core/transport.ts';

/**
 * Returns a Transport whose GETs error with a {@link NetworkError} where the answer, or the next piece of its
 * body, takes longer than so many milliseconds. Other requests are left alone: one for a token may have to
 * wait for the user.
 */
export function answeredWithin(timeoutMs: number): Middleware {
  return (transport) => (request) => {
    if (request.method !== 'GET') return transport(request);
    const limit = { first: timeoutMs, with: () => throwError(() => late(request)) };
    return transport(request).pipe(
      timeout(limit),
      map((response) => ({
        ...response,
        body$: response.body$.pipe(timeout({ ...limit, each: timeoutMs })),
      })),
    );
  };
}

function late(request: HttpRequest): NetworkError {
  return new NetworkError('no answer in time', request, { code: 'ETIMEDOUT' });
}
