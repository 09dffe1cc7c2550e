import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { type HttpRequest, isHeaderValue, isHttpToken } from '../../core/transport/transport.ts';

/**
 * Returns the headers in the lines of an HTTP message, by lower-case name.
 *
 * Values of one name are joined with a comma. Other lines are skipped. Blanks around the colon and both kinds
 * of line ends are accepted: documented messages contain them. [batch_ref]
 */
export function readHeaderLines(text: string): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (name === '') continue;
    const value = line.slice(colon + 1).trim();
    const known = headers.get(name);
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return Object.fromEntries(headers);
}

/** A batch as it is sent. */
interface WrittenBatch {
  readonly contentType: string;
  readonly body: string;
}

/** The response to one request of a batch. */
export interface PartAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The response to a batch. */
export interface ReadBatch {
  /** In the order of the requests; undefined for a part that is no HTTP response. */
  readonly parts: readonly (PartAnswer | undefined)[];
  /** Whether the closing boundary is present. If not, the last part may be truncated, and others missing. */
  readonly isClosed: boolean;
}

const LINE = '\r\n';
/** Headers that the batch carries for all parts, or that are written for each part. */
const NOT_OF_A_PART = new Set(['authorization', 'host', 'content-length']);

/** Whether a request can be part of a batch: a line break in its head would split it. */
export function isWritable({ method, headers = {} }: HttpRequest): boolean {
  return (
    isHttpToken(method) &&
    Object.entries(headers).every(([name, value]) => isHttpToken(name) && isHeaderValue(value))
  );
}

/**
 * Returns requests as one `multipart/batching` message.
 *
 * The boundary occurs in no part. The batch carries the authorization, not its parts. One page demands a
 * `Content-Transfer-Encoding` in each part; it is not written, since no example has it.
 *
 * @see [MS-UCWA] BatchingRequests
 */
export function writeBatch(requests: readonly HttpRequest[]): WrittenBatch {
  const parts = requests.map(writePart);
  const boundary = boundaryFor(parts);
  const delimited = parts.map(
    (part) =>
      `--${boundary}${LINE}Content-Type: application/http; msgtype=request${LINE}${LINE}${part}${LINE}`,
  );
  return {
    contentType: `multipart/batching;boundary=${boundary}`,
    body: `${delimited.join('')}--${boundary}--${LINE}`,
  };
}

function writePart({ method, url, headers = {}, body }: HttpRequest): string {
  const { host, pathname, search } = new URL(url);
  const own = Object.entries(headers).filter(([name]) => !NOT_OF_A_PART.has(name.toLowerCase()));
  const length =
    body === undefined ? [] : [['content-length', String(new TextEncoder().encode(body).length)]];
  const lines = [['host', host], ...own, ...length].map(([name = '', value = '']) => `${name}: ${value}`);
  return [`${method} ${pathname}${search} HTTP/1.1`, ...lines, '', body ?? ''].join(LINE);
}

function boundaryFor(parts: readonly string[]): string {
  for (let count = 1; ; count += 1) {
    const boundary = `rxchange-${count}`;
    if (!parts.some((part) => part.includes(`--${boundary}`))) return boundary;
  }
}

/** On one page there are no blanks around the status. [batch_ref] */
const STATUS_LINE = /^HTTP\/\d+(?:\.\d)?[ \t]*(\d{3})(?!\d).*/i;
/** The first characters of JSON and XML. */
const CONTENT = /^[{[<]/;
const OWN_HEADER = /^[\w-]+[ \t]*:/;
const END_OF_HEAD = /\r?\n\r?\n/;
/** The characters of a head that Node accepts, and ten times the lines that servers send. */
const MOST_HEAD = 16_384;
const MOST_LINES = 200;

/**
 * Returns the parts of the response to a batch, in linear time.
 *
 * The boundary may be quoted or bare. If the header names none, or a wrong one, the first line that looks
 * like a delimiter defines it. A preamble, blanks after a boundary, both kinds of line ends, a BOM or `?`
 * before a part or its body, parts without headers and a missing end are accepted. A part whose head has more
 * than 16,384 characters or 200 lines is no HTTP response.
 *
 * @param maxParts The largest number of parts. @default 1000
 * @returns undefined if the text is no multipart message, or has more parts.
 */
export function readBatch(
  contentType: string | undefined,
  text: string,
  maxParts: number = DEFAULT_LIMITS.parts,
): ReadBatch | undefined {
  if (contentType !== undefined && !/^\s*multipart\//i.test(contentType)) return undefined;
  const delimitersOf = (boundary: string | undefined): readonly Delimiter[] | undefined =>
    // The message has one delimiter more than parts.
    boundary === undefined ? undefined : delimitersIn(text, boundary, maxParts + 1);
  const delimiters = delimitersOf(boundaryIn(contentType ?? '')) ?? delimitersOf(inferredBoundary(text));
  if (delimiters === undefined) return undefined;
  const isClosed = delimiters.at(-1)?.closes === true;
  const opening = isClosed ? delimiters.slice(0, -1) : delimiters;
  const texts = opening.map(({ after }, index) => text.slice(after, delimiters[index + 1]?.before));
  // A documented batch ends with another boundary instead of the closing one. [GroupingRequestsInABatch]
  const isEnded = !isClosed && texts.at(-1)?.trim() === '';
  const parts = isEnded ? texts.slice(0, -1) : texts;
  return parts.length > maxParts ? undefined : { parts: parts.map(readPart), isClosed: isClosed || isEnded };
}

function boundaryIn(contentType: string): string | undefined {
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return quoted ?? bare;
}

function readPart(text: string): PartAnswer | undefined {
  const message = httpMessageIn(text).replace(IN_FRONT, '');
  const [, status] = STATUS_LINE.exec(message) ?? [];
  if (status === undefined) return undefined;
  const end = END_OF_HEAD.exec(message.slice(0, MOST_HEAD)) ?? { index: message.length, 0: '' };
  const head = message.slice(0, end.index);
  if (head.length > MOST_HEAD || head.split('\n', MOST_LINES + 1).length > MOST_LINES) return undefined;
  const body = message.slice(end.index + end[0].length);
  const content = body.replace(IN_FRONT, '');
  return {
    status: Number(status),
    headers: readHeaderLines(head.replace(STATUS_LINE, '')),
    body: CONTENT.test(content) ? content : body,
  };
}

/** Returns a part without its own headers, which are not needed. */
function httpMessageIn(text: string): string {
  let start = 0;
  for (let lines = 0; lines < MOST_LINES && start < MOST_HEAD; lines += 1) {
    const end = text.indexOf('\n', start) + 1;
    const line = text.slice(start, end).replace(IN_FRONT, '');
    if (end === 0 || (line !== '' && !OWN_HEADER.test(line))) break;
    start = end;
  }
  return text.slice(start);
}

/** A delimiter line of a multipart message. */
export interface Delimiter {
  /** The end of the content before it, without the line break that belongs to the delimiter. */
  readonly before: number;
  /** The end of the line, and the start of the next content. */
  readonly after: number;
  /** Whether it ends the message. */
  readonly closes: boolean;
}

/** In characters; the standard allows 70. [RFC 2046, 5.1.1] */
const LONGEST_BOUNDARY = 200;
/**
 * Blanks, a BOM, or the `?` that a conversion made of a BOM: documented parts begin with them.
 * [BatchingRequests]
 */
export const IN_FRONT: RegExp = /^[\s\uFEFF?]*/;

/**
 * Returns the delimiters of a boundary, up to the closing one; undefined if there are none, or more than
 * `most`.
 *
 * Blanks after a boundary and both kinds of line ends are accepted. Each character is read once.
 */
export function delimitersIn(text: string, boundary: string, most: number): readonly Delimiter[] | undefined {
  if (boundary.length > LONGEST_BOUNDARY) return undefined;
  const found: Delimiter[] = [];
  let start = IN_FRONT.exec(text)?.[0].length ?? 0;
  for (;;) {
    const delimiter = delimiterAt(text, start, `--${boundary}`);
    if (delimiter !== undefined) found.push(delimiter);
    if (found.length > most) return undefined;
    start = text.indexOf('\n', start) + 1;
    if (delimiter?.closes === true || start === 0) return found.length === 0 ? undefined : found;
  }
}

function delimiterAt(text: string, start: number, dashed: string): Delimiter | undefined {
  if (!text.startsWith(dashed, start)) return undefined;
  const closes = text.startsWith('--', start + dashed.length);
  const after = blanksEnd(text, start + dashed.length + (closes ? 2 : 0));
  const isWhole = after === text.length || text.startsWith('\n', after) || text.startsWith('\r\n', after);
  return isWhole ? { before: lineBreakBefore(text, start), after, closes } : undefined;
}

function blanksEnd(text: string, start: number): number {
  let end = start;
  while (text[end] === ' ' || text[end] === '\t') end += 1;
  return end;
}

function lineBreakBefore(text: string, start: number): number {
  return start - (text.endsWith('\r\n', start) ? 2 : 1);
}

/**
 * Returns the boundary in the first line that looks like a delimiter; undefined if there is none.
 *
 * Each character is read once.
 */
export function inferredBoundary(text: string): string | undefined {
  for (let start = 0, end = 0; end !== -1; start = end + 1) {
    end = text.indexOf('\n', start);
    const boundary = boundaryOf(text.slice(start, end === -1 ? text.length : end));
    if (boundary !== undefined) return boundary;
  }
  return undefined;
}

function boundaryOf(line: string): string | undefined {
  const start = line.startsWith('\uFEFF') || line.startsWith('?') ? 1 : 0;
  if (!line.startsWith('--', start)) return undefined;
  let end = line.endsWith('\r') ? line.length - 1 : line.length;
  while (line[end - 1] === ' ' || line[end - 1] === '\t') end -= 1;
  const boundary = line.slice(start + 2, end);
  // A line that ends with dashes closes a message, or is a ruler in the preamble.
  const isOne = boundary !== '' && boundary.length <= LONGEST_BOUNDARY && boundary.trimEnd() === boundary;
  return isOne && !boundary.endsWith('-') && !boundary.includes('\r') ? boundary : undefined;
}
