import type { Middleware } from './transport.ts';

/**
 * Returns a Middleware that lets the browser sign the requests in, with what it has itself: cookies, and
 * Windows sign-in (Kerberos or NTLM) where the browser trusts the server.
 *
 * It sets `credentials: 'include'` on each request that does not say otherwise. A server on another origin
 * has to allow that by CORS, with `Access-Control-Allow-Credentials` and the page's own origin. Outside of
 * browsers nothing is signed by it.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { browserCredentials, headersFrom, type Transport } from 'rxchange';
 *
 * const server: Transport = ({ url, credentials }) => {
 *   console.log(credentials);
 *   return of({ status: 204, url, headers: headersFrom({}), body$: of() });
 * };
 * browserCredentials()(server)({ method: 'GET', url: 'https://mail.contoso.com/' }).subscribe();
 * // prints: include
 * ```
 */
export function withCredentials(): Middleware {
  return (transport) => (request) => transport({ credentials: 'include', ...request });
}
