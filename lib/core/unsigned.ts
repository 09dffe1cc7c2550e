import { map } from 'rxjs';
import { HttpError } from './errors.ts';
import type { Middleware } from './transport.ts';

/**
 * Returns a Middleware for requests without credentials: an answer 401 is an {@link HttpError} with the hint.
 *
 * @param hint What is missing: one sentence.
 */
export function unsigned(hint: string): Middleware {
  return (transport) => (request) =>
    transport(request).pipe(
      map((response) => {
        if (response.status === 401) throw new HttpError(401, request, { hint });
        return response;
      }),
    );
}
