import { parseUrl } from './httpUrl.ts';
import { invalidOption } from './options.ts';

/** An href in the one form in which two that mean the same resource are equal. */
interface NormalHref {
  /** Absent where the href is relative. */
  readonly origin: string | undefined;
  /** Path and query, in lower case, with nothing percent-encoded that need not be. */
  readonly path: string;
}

const BASE = 'http://relative.invalid';
const ENCODED = /(?:%[0-9a-f]{2})+/gi;
/** A path and query in which a parser of URLs would change nothing. */
const PLAIN_PATH = /^\/(?!\/)[\w\-.~@:,!$*()+=/]*(?:\?[\w\-.~@:,!$*()+=/&]+)?$/;
/** A host by name, which is not read as a number. */
const PLAIN_ORIGIN = /^https?:\/\/(?:[a-z0-9-]+\.)*[a-z]+$/;
const SLASH = 47;
/** Decoded, these would change where a path or a query is divided. */
const DELIMITERS = /[%/?#&=+;]/g;

/**
 * Brings an href into its normal form. A server writes the href of one contact in several ways: absolute
 * or relative, in upper or lower case, with `%40` or `@`, with `&amp;` out of an XML page.
 *
 * @returns undefined for what is no URL, absolute or relative.
 */
export function normalHref(href: string): NormalHref | undefined {
  const found = plainHref(href);
  if (found !== undefined) return found;
  const plain = href.replaceAll(/&amp;/gi, '&');
  const url = parseUrl(plain, BASE);
  if (url === undefined) return undefined;
  const { origin, protocol, pathname, search } = url;
  return {
    // Schemes such as sip have no origin: the scheme itself stands for it.
    origin: origin === BASE ? undefined : origin === 'null' ? protocol : origin,
    path: (pathname + search).replace(ENCODED, decodeRun).toLowerCase(),
  };
}

/** Reads an href as servers mostly write it, in a tenth of the time that the parser takes: every event asks. */
function plainHref(href: string): NormalHref | undefined {
  const start = href.charCodeAt(0) === SLASH ? 0 : href.indexOf('/', 'https://'.length);
  if (start === -1) return undefined;
  const origin = start === 0 ? undefined : href.slice(0, start);
  if (origin !== undefined && (!PLAIN_ORIGIN.test(origin) || origin.includes('xn--'))) return undefined;
  const path = start === 0 ? href : href.slice(start);
  // A step that begins with a dot may stand for the one before.
  if (!PLAIN_PATH.test(path) || path.includes('/.')) return undefined;
  return { origin, path: path.toLowerCase() };
}

/** Whether two hrefs mean the same resource; a relative one is taken to be on the other's server. */
export function sameHref(one: NormalHref, other: NormalHref): boolean {
  if (one.path !== other.path) return false;
  return one.origin === undefined || other.origin === undefined || one.origin === other.origin;
}

/** Returns a predicate for the hrefs that mean the same resource, and throws a TypeError for a bad one. */
export function matchesHref(option: string, href: unknown): (found: string | undefined) => boolean {
  const wanted = typeof href === 'string' && href !== '' ? normalHref(href) : undefined;
  if (wanted === undefined) throw invalidOption(option, href, 'an absolute or relative URL');
  return (found) => {
    if (found === undefined) return false;
    if (found === href) return true;
    const normal = normalHref(found);
    return normal !== undefined && sameHref(wanted, normal);
  };
}

function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run).replace(DELIMITERS, (delimiter) => encodeURIComponent(delimiter));
  } catch {
    // Not UTF-8: it stays as it is.
    return run;
  }
}

/** What all spellings of a contact have in common: a SIP URI in any case, or an href in any of its forms. */
export function contactKey(contact: string): string {
  const normal = normalHref(contact);
  if (normal === undefined) return contact.toLowerCase();
  const { origin = '', path } = normal;
  // A server writes the same href absolute and relative. A scheme without a host belongs to the address.
  return /^https?:/.test(origin) ? path : origin + path;
}
