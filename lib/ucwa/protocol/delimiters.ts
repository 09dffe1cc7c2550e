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
