import { asyncScheduler, defer, tap } from 'rxjs';
import { parseSetCookie } from 'set-cookie-parser';
import { requestUrl } from './restrictToOrigin.ts';
import { isHeaderValue, isHttpToken, type Middleware } from './transport.ts';

/** A cookie of a Set-Cookie header. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** The path below which it is sent; undefined for the folder of the request. */
  readonly path: string | undefined;
  /** In lower case, without a leading dot; undefined for the host alone. */
  readonly domain: string | undefined;
  readonly isSecure: boolean;
  /** In milliseconds since 1970; undefined for a session cookie. */
  readonly expiresAt: number | undefined;
}

/**
 * Returns the cookies of `Set-Cookie` headers, which may be joined with commas, without those that cannot be
 * sent.
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

/** Cookies of several origins, each of which is sent to its own origin only. */
export interface CookieJar {
  /** Returns the value of the `cookie` header for a request to this URL, or undefined for none. */
  header(url: string): string | undefined;
  /** Stores the cookies of the `set-cookie` header of a response from this URL. */
  store(url: string, setCookie: string): void;
  /** Removes all cookies. */
  clear(): void;
}

/** A cookie in the jar. */
interface StoredCookie {
  readonly pair: string;
  readonly path: string;
  readonly expiresAt: number | undefined;
}

/** The minimum that browsers support, which is more than any of these servers sets. */
const MOST_COOKIES = 50;
const LONGEST_COOKIE = 4096;

/**
 * Creates an empty cookie jar, for programs outside of browsers.
 *
 * A cookie belongs to the origin that has set it: scheme, host and port. A `Domain` does not widen that; a
 * cookie whose domain does not contain the host is ignored. `Path`, `Secure`, `Max-Age` and `Expires` work as
 * in browsers. Each origin has at most 50 cookies of at most 4096 characters; new ones replace the oldest.
 *
 * `header` and `store` throw an `OriginError` for a URL to which requests are never sent.
 */
export function cookieJar(): CookieJar {
  const byOrigin = new Map<string, Map<string, StoredCookie>>();

  const cookiesOf = (origin: string): Map<string, StoredCookie> => {
    const known = byOrigin.get(origin);
    if (known !== undefined) return known;
    const cookies = new Map<string, StoredCookie>();
    byOrigin.set(origin, cookies);
    return cookies;
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
    store: (url, setCookie) => {
      const { origin, hostname, pathname, protocol } = requestUrl(url, 'the URL for cookies');
      const now = asyncScheduler.now();
      const cookies = cookiesOf(origin);
      for (const cookie of readSetCookies(setCookie, now)) {
        const pair = `${cookie.name}=${cookie.value}`;
        const path = cookie.path ?? folderOf(pathname);
        if (!isOf(hostname, cookie) || pair.length > LONGEST_COOKIE) continue;
        // Checked only here: cookies are sent to the origin that has set them, which includes the scheme.
        if (cookie.isSecure && protocol !== 'https:') continue;
        const key = `${path} ${cookie.name}`;
        cookies.delete(key);
        if (isOver(cookie, now)) continue;
        cookies.set(key, { pair, path, expiresAt: cookie.expiresAt });
        const [oldest] = cookies.keys();
        if (cookies.size > MOST_COOKIES && oldest !== undefined) cookies.delete(oldest);
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
 * Returns a Middleware that stores the cookies that servers set, and sends each back to its origin.
 *
 * It is for programs: in browsers it has no effect, because the browser hides and handles cookies. Place it
 * below `restrictToOrigin`, so that it sees each redirect.
 *
 * @param jar The jar with the cookies. @default an empty one
 */
export function withCookies(jar: CookieJar = cookieJar()): Middleware {
  return (transport) => (request) =>
    defer(() => {
      const stored = jar.header(request.url);
      const own = request.headers?.['cookie'];
      const cookie = [own, stored].filter((part) => part !== undefined).join('; ');
      return transport(
        cookie === '' ? request : { ...request, headers: { ...request.headers, cookie } },
      ).pipe(
        tap(({ headers }) => {
          const set = headers.get('set-cookie');
          if (set !== undefined) jar.store(request.url, set);
        }),
      );
    });
}
