import { defer, tap } from 'rxjs';
import { type CookieJar, cookieJar } from './cookieJar.ts';
import type { Middleware } from './transport.ts';

/**
 * Returns a Transport that keeps the cookies that servers set, and sends them back with what follows, each
 * to the origin that set it and to no other.
 *
 * It is for programs: in a browser the cookies are the browser's, answers do not show them, and this does
 * nothing there. It belongs below `pinnedTo`, so that it sees each redirect on its way.
 *
 * @param jar Where the cookies are kept. @default an empty one
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { headersFrom, type Transport, withCookies } from 'rxchange';
 *
 * const server: Transport = ({ url, headers }) => {
 *   console.log(headers?.['cookie'] ?? 'no cookie');
 *   return of({ status: 204, url, headers: headersFrom({ 'set-cookie': 'node=7; Path=/; HttpOnly' }), body$: of() });
 * };
 * const transport = withCookies()(server);
 *
 * transport({ method: 'GET', url: 'https://mail.contoso.com/' }).subscribe();
 * // prints: no cookie
 * transport({ method: 'GET', url: 'https://mail.contoso.com/ews' }).subscribe();
 * // prints: node=7
 * transport({ method: 'GET', url: 'https://evil.example/' }).subscribe();
 * // prints: no cookie
 * ```
 */
export function withCookies(jar: CookieJar = cookieJar()): Middleware {
  return (transport) => (request) =>
    defer(() => {
      const kept = jar.header(request.url);
      const own = request.headers?.['cookie'];
      const cookie = [own, kept].filter((part) => part !== undefined).join('; ');
      return transport(
        cookie === '' ? request : { ...request, headers: { ...request.headers, cookie } },
      ).pipe(
        tap(({ headers }) => {
          const set = headers.get('set-cookie');
          if (set !== undefined) jar.keep(request.url, set);
        }),
      );
    });
}
