import { parseUrl } from './httpUrl.ts';
import { invalidOption } from './options.ts';

/** An href in normal form: the hrefs of one resource are equal. */
interface NormalHref {
  /** Undefined for a relative href. */
  readonly origin: string | undefined;
  /** Path and query in lower case, without unnecessary percent-encoding. */
  readonly path: string;
}

const BASE = 'http://relative.invalid';
const ENCODED = /(?:%[0-9a-f]{2})+/gi;
/** A path and query in which a parser of URLs would change nothing. */
const PLAIN_PATH = /^\/(?!\/)[\w\-.~@:,!$*()+=/]*(?:\?[\w\-.~@:,!$*()+=/&]+)?$/;
/** A host by name, which is not read as a number. */
const PLAIN_ORIGIN = /^https?:\/\/(?:[a-z0-9-]+\.)*[a-z]+$/;
const SLASH = 47;
/** These stay encoded: decoded, they would divide a path or a query. */
const DELIMITERS = /[%/?#&=+;]/g;

/**
 * Returns the normal form of an href, or undefined if it is not a URL.
 *
 * Servers write the href of one contact in several ways: absolute or relative, in upper or lower case, with
 * `%40` or `@`, with `&amp;` from an XML page.
 */
export function normalHref(href: string): NormalHref | undefined {
  const found = plainHref(href);
  if (found !== undefined) return found;
  const plain = href.replaceAll(/&amp;/gi, '&');
  const url = parseUrl(plain, BASE);
  if (url === undefined) return undefined;
  const { origin, protocol, pathname, search } = url;
  return {
    // Schemes such as sip have no origin: the scheme takes its place.
    origin: origin === BASE ? undefined : origin === 'null' ? protocol : origin,
    path: (pathname + search).replace(ENCODED, decodeRun).toLowerCase(),
  };
}

/** Reads the usual hrefs in a tenth of the time of the URL parser: this runs for each event. */
function plainHref(href: string): NormalHref | undefined {
  const start = href.charCodeAt(0) === SLASH ? 0 : href.indexOf('/', 'https://'.length);
  if (start === -1) return undefined;
  const origin = start === 0 ? undefined : href.slice(0, start);
  if (origin !== undefined && (!PLAIN_ORIGIN.test(origin) || origin.includes('xn--'))) return undefined;
  const path = start === 0 ? href : href.slice(start);
  // A segment that begins with a dot may mean its parent.
  if (!PLAIN_PATH.test(path) || path.includes('/.')) return undefined;
  return { origin, path: path.toLowerCase() };
}

/**
 * Returns whether two hrefs are of the same resource. A relative href is resolved against the origin of the
 * other.
 */
export function sameHref(one: NormalHref, other: NormalHref): boolean {
  if (one.path !== other.path) return false;
  return one.origin === undefined || other.origin === undefined || one.origin === other.origin;
}

/** Returns a predicate for the hrefs of one resource. Throws a TypeError if the href is not a URL. */
export function matchesHref(option: string, href: unknown): (found: string | undefined) => boolean {
  const target = typeof href === 'string' && href !== '' ? normalHref(href) : undefined;
  if (target === undefined) throw invalidOption(option, href, 'an absolute or relative URL');
  return (found) => {
    if (found === undefined) return false;
    if (found === href) return true;
    const normal = normalHref(found);
    return normal !== undefined && sameHref(target, normal);
  };
}

function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run).replace(DELIMITERS, (delimiter) => encodeURIComponent(delimiter));
  } catch {
    // Not UTF-8.
    return run;
  }
}

/** Returns the same key for all spellings of a contact: a SIP URI in any case, or an href in any form. */
export function contactKey(contact: string): string {
  const normal = normalHref(contact);
  if (normal === undefined) return contact.toLowerCase();
  const { origin = '', path } = normal;
  // The same href may be absolute or relative. A scheme without a host is part of the address.
  return /^https?:/.test(origin) ? path : origin + path;
}
