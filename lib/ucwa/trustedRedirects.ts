import { defer, mergeMap, type Observable, of } from 'rxjs';
import { describeUrl, HttpError } from '../core/errors.ts';
import type { HttpRequest, HttpResponse, Middleware, Transport } from '../core/transport.ts';
import { type TrustedHosts, trustedUrl } from './trustedHosts.ts';

/** How many redirects are followed from where discovery is. */
export const MOST_REDIRECTS = 5;

/**
 * Returns a Transport that follows the redirects of a GET, at most five, if they lead to a trusted host; if
 * not, it errors with an UntrustedLinkError, and nothing is sent there. [RootURL]
 */
export function trustedRedirects(trust: TrustedHosts): Middleware {
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
  return (transport) => (request) => get(transport, request, MOST_REDIRECTS);
}
