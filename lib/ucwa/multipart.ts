import type { HttpRequest } from '../core/transport.ts';
import { readHeaderLines } from './headerLines.ts';

/** A batch, as it goes over the wire. */
export interface WrittenBatch {
  readonly contentType: string;
  readonly body: string;
}

/** The answer to one request of a batch. */
export interface PartAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a batch was answered. */
export interface ReadBatch {
  /** In the order of the requests; undefined stands where a part is no HTTP answer. */
  readonly parts: readonly (PartAnswer | undefined)[];
  /** Whether the closing boundary is there: without it the last part may be cut, and others missing. */
  readonly isClosed: boolean;
}

const LINE = '\r\n';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const LINE_BREAKING = /[\r\n\0]/;
/** What the batch says for all of its parts, and what is written anew. */
const NOT_OF_A_PART = new Set(['authorization', 'host', 'content-length']);

/** Whether a request can stand in a batch: one with a line break in its head would become two. */
export function isWritable({ method, headers = {} }: HttpRequest): boolean {
  return (
    TOKEN.test(method) &&
    Object.entries(headers).every(([name, value]) => TOKEN.test(name) && !LINE_BREAKING.test(value))
  );
}

/**
 * Writes requests as one `multipart/batching` message. [BatchingRequests]
 *
 * The boundary is the first of a series that stands in none of the parts. Parts carry no authorization, as
 * documented: the batch does. One page asks for a `Content-Transfer-Encoding` of each part, and no example
 * has it: it is not written.
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

/** A BOM, or the `?` that a conversion made of it, stands in front of documented parts. [BatchingRequests] */
const IN_FRONT = '[\\s\\uFEFF?]*';
/** On one page the blanks around the status are lost. [batch_ref] */
const STATUS_LINE = new RegExp(`^${IN_FRONT}HTTP/\\d+(?:\\.\\d)?[ \\t]*(\\d{3})(?!\\d).*`, 'i');
const BEFORE_CONTENT = new RegExp(`^${IN_FRONT}(?=[{[<])`);
const LEADING = new RegExp(`^${IN_FRONT}`);
const OWN_HEADER = /^[\w-]+[ \t]*:/;
const END_OF_HEAD = /\r?\n\r?\n/;

/**
 * Reads the answer to a batch.
 *
 * The boundary may be quoted or bare; where the header names none, or one that is not there, it is that of
 * the first line that looks like one. A preamble, blanks behind a boundary, line ends of either kind, a BOM
 * or `?` in front of a part or of its body, parts without a header of their own and a missing end are taken.
 *
 * @returns undefined where the text is no multipart message at all.
 */
export function readBatch(contentType: string | undefined, text: string): ReadBatch | undefined {
  if (contentType !== undefined && !/^\s*multipart\//i.test(contentType)) return undefined;
  const named = boundaryIn(contentType ?? '');
  const delimiters =
    (named === undefined ? undefined : delimitersIn(text, named)) ?? inferredDelimiters(text);
  if (delimiters === undefined) return undefined;
  const end = delimiters.findIndex(({ closes }) => closes);
  const isClosed = end !== -1;
  const opening = isClosed ? delimiters.slice(0, end) : delimiters;
  const texts = opening.map(({ after }, index) => text.slice(after, delimiters[index + 1]?.before));
  // A documented batch ends with one more boundary in place of the closing one. [GroupingRequestsInABatch]
  if (!isClosed && texts.at(-1)?.trim() === '')
    return { parts: texts.slice(0, -1).map(readPart), isClosed: true };
  return { parts: texts.map(readPart), isClosed };
}

/** The standard allows 70 characters, and a regular expression of very many cannot be made. [RFC 2046] */
const LONGEST_BOUNDARY = 200;

interface Delimiter {
  readonly before: number;
  readonly after: number;
  readonly closes: boolean;
}

function boundaryIn(contentType: string): string | undefined {
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return quoted ?? bare;
}

function inferredDelimiters(text: string): readonly Delimiter[] | undefined {
  const [, boundary] = /^[\uFEFF?]?--([^\r\n]*[^\s-])[ \t]*\r?$/m.exec(text) ?? [];
  return boundary === undefined ? undefined : delimitersIn(text, boundary);
}

function delimitersIn(text: string, boundary: string): readonly Delimiter[] | undefined {
  if (boundary.length > LONGEST_BOUNDARY) return undefined;
  const escaped = boundary.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  const pattern = new RegExp(`(?:^${IN_FRONT}|\\r?\\n)--${escaped}(--)?[ \\t]*(?=\\r?\\n|$)`, 'g');
  const found = [...text.matchAll(pattern)].map((match) => ({
    before: match.index,
    after: match.index + match[0].length,
    closes: match[1] !== undefined,
  }));
  return found.length === 0 ? undefined : found;
}

function readPart(text: string): PartAnswer | undefined {
  const message = httpMessageIn(text);
  const [, status] = STATUS_LINE.exec(message) ?? [];
  if (status === undefined) return undefined;
  const end = END_OF_HEAD.exec(message) ?? { index: message.length, 0: '' };
  const head = message.slice(0, end.index);
  const body = message.slice(end.index + end[0].length);
  return {
    status: Number(status),
    headers: readHeaderLines(head.replace(STATUS_LINE, '')),
    body: body.replace(BEFORE_CONTENT, ''),
  };
}

/** What is left of a part behind its own header, which says only what is known. */
function httpMessageIn(text: string): string {
  let message = text;
  for (;;) {
    const end = message.indexOf('\n') + 1;
    const line = message.slice(0, end).replace(LEADING, '');
    if (end === 0 || (line !== '' && !OWN_HEADER.test(line))) return message;
    message = message.slice(end);
  }
}
