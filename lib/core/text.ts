import { httpUrl, parseUrl } from './httpUrl.ts';

/** The most characters of a server's text in a message. */
const LONGEST_EXCERPT = 200;
/** The most characters of a URL in a message: its path identifies the resource. */
const LONGEST_URL = 300;

/**
 * Characters that could manipulate a terminal or a log: controls, marks of bidirectional text, line and
 * paragraph separators, and halves of surrogate pairs.
 */
export const UNPRINTABLE: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Returns the start of a server's text for a message: at most 200 characters, all printable.
 *
 * Every message and log line that quotes a server uses this function.
 *
 * @param longest How many characters are returned. @default 200
 */
export function excerpt(text: string, longest: number = LONGEST_EXCERPT): string {
  // Cut first, so that the rest is not read.
  const shown = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return shown.replace(UNPRINTABLE, '\uFFFD');
}

/** The query of a URL in a text. The URL parser would encode the characters that end it here. */
const QUERY = /\?[^\s"'<>]+/g;

/**
 * Returns a sentence of a server as a message may quote it: an {@link excerpt} without the queries of its
 * URLs.
 *
 * A server can quote the URLs that it was sent, and their queries can be secret.
 *
 * @param longest How many characters are returned. @default 200
 */
export function prose(text: string, longest?: number): string {
  // Cut first: the start of a query is matched, too.
  return excerpt(text, longest).replace(QUERY, '?…');
}

/**
 * Returns a server's own error code, or undefined if it is not a word of 1 to 64 letters, digits, `_`, `.`,
 * `:` or `-`.
 */
export function codeWord(code: unknown): string | undefined {
  return typeof code === 'string' && /^[\w.:-]{1,64}$/.test(code) ? code : undefined;
}

/**
 * Returns a URL as a message may quote it: without credentials, query and fragment, which can be secret.
 *
 * It has at most 300 characters. Of a URL that is not http or https only the scheme is left: a password can
 * be anywhere in the rest. A text that is not an absolute URL becomes `an invalid URL`.
 */
export function describeUrl(url: string): string {
  const read = parseUrl(beforeQuery(url));
  if (read === undefined) return 'an invalid URL';
  return excerpt(isWeb(read) ? `${read.origin}${read.pathname}` : read.protocol, LONGEST_URL);
}

/**
 * Returns the origin of a URL as a message may show it.
 *
 * It equals no origin if `httpUrl` does not read the URL, so that it can be compared.
 */
export function originOf(text: string): string {
  const url = httpUrl(text);
  if (url !== undefined) return url.origin;
  const read = parseUrl(text);
  if (read === undefined) return 'an invalid URL';
  const { protocol, host, username, password } = read;
  const origin = excerpt(host === '' ? protocol : `${protocol}//${host}`);
  return username === '' && password === '' ? origin : `${origin} with credentials`;
}

/**
 * Returns whether a URL is http or https: for other schemes, the parser does not separate credentials from
 * the path.
 */
export function isWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

/**
 * Returns the part of a URL or an href before its query and its fragment, whatever characters these contain.
 */
export function beforeQuery(url: string): string {
  // Textually: a parser could spell the query in another way than the text does.
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

/** Returns the media type in a Content-Type header, such as `text/html`, as a message may quote it. */
export function mediaType(contentType: string | undefined): string {
  const [type = ''] = contentType?.split(';', 1) ?? [];
  return excerpt(type.trim(), 60) || 'unknown';
}

/** Returns whether a text begins like a web page, whatever its media type. */
export function isHtml(text: string): boolean {
  return /^\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+)?html\b/i.test(text);
}
