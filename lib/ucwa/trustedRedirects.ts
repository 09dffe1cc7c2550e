import { defer, mergeMap, type Observable, of } from 'rxjs';
import { HttpError } from '../core/errors.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import { describeUrl } from '../core/text.ts';
import type { HttpRequest, HttpResponse, Middleware, Transport } from '../core/transport.ts';
import { type TrustedHosts, trustedUrl } from './trustedHosts.ts';

/**
 * Returns a Transport that follows the redirects of a GET if they lead to a trusted host; if not, it errors with
 * an UntrustedLinkError, and nothing is sent there. [RootURL]
 *
 * @param redirects How many are followed. @default 5
 */
export function trustedRedirects(
  trust: TrustedHosts,
  redirects: number = DEFAULT_LIMITS.redirects,
): Middleware {
  const get = (transport: Transport, request: HttpRequest, left: number): Observable<HttpResponse> =>
    defer(() => transport(request)).pipe(
      mergeMap((response) => {
        const location = response.headers.get('location');
        if (response.status < 300 || response.status > 399 || location === undefined) return of(response);
        if (left === 0) throw new HttpError(response.status, request, { hint: 'too many redirects' });
        const what = `the redirect of ${describeUrl(request.url)}`;
        const url = trustedUrl(trust, location, request.url, what);
        return get(transport, { ...request, url }, left - 1);
      }),
    );
  return (transport) => (request) => get(transport, request, redirects);
}
