import { map, throwError, timeout } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import type { Middleware } from '../core/transport.ts';

/** How long nothing may come on a connection, beyond what was agreed, before it is taken for broken. */
export const PATIENCE_MS = 120_000;

/**
 * Returns a Transport that takes a connection for broken on which nothing comes for so long, neither the head
 * of the answer nor more of its body: one that has died without a word would hold its requests for ever.
 *
 * It belongs below what asks for a token and what repeats requests: those may take their time.
 */
export function answersWithin(ms: number): Middleware {
  return (transport) => (request) => {
    const silence = (): Error => new NetworkError(`nothing came for ${ms / 1000} seconds`, request);
    return transport(request).pipe(
      timeout({ first: ms, with: () => throwError(silence) }),
      map((response) => ({
        ...response,
        body$: response.body$.pipe(timeout({ each: ms, with: () => throwError(silence) })),
      })),
    );
  };
}
