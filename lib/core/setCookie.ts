import { isHeaderValue, isHttpToken } from './headerText.ts';

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

/** A comma that begins another cookie: the one in an Expires date is followed by no name and equals sign. */
const NEXT_COOKIE = /,\s*(?=[\w!#$%&'*+\-.^`|~]+=)/;

/**
 * Reads `Set-Cookie` headers, also several that were joined with commas, as a header by its name comes.
 *
 * What is no cookie is left out, and so are attributes that are not known. Page: RFC 6265, section 5.2.
 *
 * @param now The current time in milliseconds since 1970, for `Max-Age`.
 */
export function readSetCookies(header: string, now: number): Cookie[] {
  return header
    .split(NEXT_COOKIE)
    .map((text) => readCookie(text, now))
    .filter((cookie) => cookie !== undefined);
}

function readCookie(text: string, now: number): Cookie | undefined {
  const [pair = '', ...attributes] = text.split(';').map((part) => part.trim());
  const [name, value] = halves(pair);
  if (value === undefined || !isHttpToken(name) || !isHeaderValue(value)) return undefined;
  const given = new Map(
    attributes.map(halves).map(([attribute, content]) => [attribute.toLowerCase(), content ?? '']),
  );
  const path = given.get('path');
  const domain = given.get('domain')?.replace(/^\./, '').toLowerCase();
  return {
    name,
    value,
    path: path?.startsWith('/') === true ? path : undefined,
    domain: domain === '' ? undefined : domain,
    isSecure: given.has('secure'),
    expiresAt: expiry(given.get('max-age'), given.get('expires'), now),
  };
}

function halves(text: string): [string, string | undefined] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, undefined] : [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}

/** Max-Age stands above Expires where both are there. */
function expiry(maxAge: string | undefined, expires: string | undefined, now: number): number | undefined {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return now + Number(maxAge) * 1000;
  const date = Date.parse(expires ?? '');
  return Number.isNaN(date) ? undefined : date;
}
