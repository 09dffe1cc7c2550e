import type { Middleware } from './transport.ts';

/**
 * Returns a Middleware that lets the browser sign requests in, by cookies or Windows sign-in.
 *
 * It sets `credentials: 'include'` on each request that has no `credentials`. A server on another origin must
 * allow that by CORS, with `Access-Control-Allow-Credentials` and the origin of the page. Outside of browsers
 * it has no effect.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { type Transport, withCredentials } from 'rxchange';
 *
 * const server: Transport = ({ url, credentials }) => {
 *   console.log(credentials);
 *   return of({ status: 204, url, headers: new Map(), body$: of() });
 * };
 * withCredentials()(server)({ method: 'GET', url: 'https://mail.contoso.com/' }).subscribe();
 * // prints: include
 * ```
 */
export function withCredentials(): Middleware {
  return (transport) => (request) => transport({ credentials: 'include', ...request });
}
