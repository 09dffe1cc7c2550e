import { HttpError, NetworkError } from '../core/errors.ts';

const UNREACHABLE_AFTER = 3;

/**
 * Decides whether a location that was found before is no longer to be trusted: a pure function of the error
 * of a request to it, and of how many requests have failed in a row. [RootURL]
 *
 * After 502; after a 403 that is not UCWA's own answer, which has a subcode; and after three failures in a
 * row to reach it. The documentation says "after many retries", and leaves the number open.
 *
 * @param failures How many failures came in a row, from 1.
 *
 * @example
 * ```ts
 * import { HttpError } from 'rxchange';
 * import { mustDiscoverAgain } from 'rxchange/ucwa';
 *
 * const request = { method: 'GET', url: 'https://pool.contoso.com/ucwa' };
 * console.log(mustDiscoverAgain(new HttpError(502, request), 1));
 * // prints: true
 * console.log(mustDiscoverAgain(new HttpError(503, request), 1));
 * // prints: false
 * ```
 */
export function mustDiscoverAgain(error: unknown, failures: number): boolean {
  if (error instanceof NetworkError) return failures >= UNREACHABLE_AFTER;
  if (!(error instanceof HttpError)) return false;
  return error.status === 502 || (error.status === 403 && error.subcode === undefined);
}
