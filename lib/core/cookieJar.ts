import { asyncScheduler } from 'rxjs';
import { requestUrl } from './requestUrl.ts';
import { type Cookie, readSetCookies } from './setCookie.ts';

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
