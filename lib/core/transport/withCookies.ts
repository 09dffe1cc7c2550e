import { asyncScheduler, defer, tap } from 'rxjs';
import { parseSetCookie } from 'set-cookie-parser';
import { requestUrl } from './restrictToOrigin.ts';
import { isHeaderValue, isHttpToken, type Middleware } from './transport.ts';

/** A cookie as a server sets it. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Below which path it is sent; undefined for the folder of the request that it came with. */
  readonly path: string | undefined;
  /** The domain that it claims, in lower case and without the leading dot; undefined for the host alone. */
  readonly domain: string | undefined;
  readonly isSecure: boolean;
  /** In milliseconds since 1970, in the past for one that is to be forgotten; undefined as long as there is a session. */
  readonly expiresAt: number | undefined;
}

/**
 * Returns the cookies of `Set-Cookie` headers, which may be joined with commas, without those that cannot be sent.
 *
 * @param now The current time in milliseconds since 1970, for `Max-Age`.
 */
export function readSetCookies(header: string, now: number): Cookie[] {
  return parseSetCookie(header, { decodeValues: false, silent: true })
    .filter(({ name, value }) => isHttpToken(name) && isHeaderValue(value))
    .map(({ name, value, path, domain, secure, maxAge, expires }) => ({
      name,
      value,
      path: path?.startsWith('/') === true ? path : undefined,
      domain: domain?.replace(/^\./, '').toLowerCase() || undefined,
      isSecure: secure === true,
      expiresAt: maxAge === undefined ? expires?.getTime() : now + maxAge * 1000,
    }));
}

/** Cookies of several origins, each sent to its own only. */
export interface CookieJar {
  /** The value of the `cookie` header for a request to this URL, or undefined where there is none. */
  header(url: string): string | undefined;
  /** Keeps what the `set-cookie` header of an answer from this URL says. */
  keep(url: string, setCookie: string): void;
  /** Forgets all cookies. */
  clear(): void;
}

/** A cookie as it is kept: its path is known. */
interface Kept {
  readonly pair: string;
  readonly path: string;
  readonly expiresAt: number | undefined;
}

/** What browsers keep at least, which is more than any server here sets. */
const MOST_COOKIES = 50;
const LONGEST_COOKIE = 4096;

/**
 * Creates an empty cookie jar for programs, where no browser keeps the cookies.
 *
 * A cookie is kept for the origin that set it: scheme, host and port. A `Domain` does not widen that, and
 * one that the host is not within is no cookie of it. `Path`, `Secure`, `Max-Age` and `Expires` count as in
 * a browser. Each origin has at most 50 cookies of at most 4096 characters; the oldest make room.
 *
 * `header` and `keep` throw an `OriginError` for a URL to which requests are never sent.
 */
export function cookieJar(): CookieJar {
  const byOrigin = new Map<string, Map<string, Kept>>();

  const keptOf = (origin: string): Map<string, Kept> => {
    const known = byOrigin.get(origin);
    if (known !== undefined) return known;
    const kept = new Map<string, Kept>();
    byOrigin.set(origin, kept);
    return kept;
  };

  return {
    header: (url) => {
      const { origin, pathname } = requestUrl(url, 'the URL for cookies');
      const now = asyncScheduler.now();
      const sent = [...(byOrigin.get(origin)?.values() ?? [])]
        .filter((cookie) => !isOver(cookie, now) && isBelow(pathname, cookie.path))
        .sort((one, other) => other.path.length - one.path.length);
      return sent.length === 0 ? undefined : sent.map(({ pair }) => pair).join('; ');
    },
    keep: (url, setCookie) => {
      const { origin, hostname, pathname, protocol } = requestUrl(url, 'the URL for cookies');
      const now = asyncScheduler.now();
      const kept = keptOf(origin);
      for (const cookie of readSetCookies(setCookie, now)) {
        const pair = `${cookie.name}=${cookie.value}`;
        const path = cookie.path ?? folderOf(pathname);
        if (!isOf(hostname, cookie) || pair.length > LONGEST_COOKIE) continue;
        // The origin has the scheme in it, so a secure cookie needs no check when it is sent.
        if (cookie.isSecure && protocol !== 'https:') continue;
        const key = `${path} ${cookie.name}`;
        kept.delete(key);
        if (isOver(cookie, now)) continue;
        kept.set(key, { pair, path, expiresAt: cookie.expiresAt });
        const [oldest] = kept.keys();
        if (kept.size > MOST_COOKIES && oldest !== undefined) kept.delete(oldest);
      }
    },
    clear: () => byOrigin.clear(),
  };
}

function isOver({ expiresAt }: { readonly expiresAt: number | undefined }, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function isOf(hostname: string, { domain }: Cookie): boolean {
  return domain === undefined || hostname === domain || hostname.endsWith(`.${domain}`);
}

function isBelow(pathname: string, path: string): boolean {
  if (pathname === path) return true;
  return pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/');
}

function folderOf(pathname: string): string {
  return pathname.slice(0, Math.max(1, pathname.lastIndexOf('/')));
}

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
