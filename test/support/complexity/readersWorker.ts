import { workCounter } from './countedWork.ts';
import { SEPARATORS } from './pumps.ts';
import type { Reader } from './reader.ts';
import { READERS } from './readers.ts';
import { SLOW_READERS } from './slowReaders.ts';

/** The result of one reader. */
export interface ReaderWork {
  readonly reader: string;
  /** A repeated piece that takes more than linear time. */
  readonly superLinear?: string;
}

const WORDS =
  "- --x \u2028-- a 1 + $ \uFEFF é 😀 \ud800 < > <a <a> <a/> </a> <!-- --> ]]> <![CDATA[ & &amp; ' " +
  '[ { } [{ {"a": "a", \\u0041 HTTP/1 a=" sip: ,; ?a=1& ?=1 ==';
const PIECES = [
  ...[
    ...SEPARATORS,
    ...WORDS.split(' '),
    '\u0085',
    '\u00a0',
    ' \t\u00a0',
    '; ,',
    '\r\r\n',
    '\r\n--',
    '--x\r\n',
  ],
  ...['a: b\r\n', 'a=b, ', 'Basic ', '<?xml '],
];
const ENDS = ['', '=1'];

const workOf = workCounter();

/** Reads texts of this length in which a piece repeats. */
function readAll({ read, beginnings }: Reader, piece: string, characters: number): void {
  const text = piece.repeat(Math.ceil(characters / (piece.length || 1)));
  for (const beginning of beginnings) for (const end of ENDS) attempt(read, beginning + text + end);
}

/** Reads a text, which may be invalid. */
function attempt(read: Reader['read'], text: string): void {
  try {
    read(text);
  } catch {
    // The work before the error is counted.
  }
}

for (const reader of [...READERS, ...SLOW_READERS]) {
  const workFor = (piece: string, characters: number): number =>
    workOf(() => readAll(reader, piece, characters));
  // One-time work, such as compiling a pattern, must not be counted.
  const pieces = [...PIECES, ...reader.pieces];
  pieces.forEach((piece) => readAll(reader, piece, 8));
  const least = workFor('', 0);
  /**
   * Returns the growth of the work for a text four times as long; less than one step per character is
   * ignored.
   */
  const growthOf = (piece: string, length: number): number =>
    (workFor(piece, 4 * length) - least) / Math.max(length, workFor(piece, length) - least);
  const superLinear = pieces.find(
    // Short texts only preselect, because bounded work looks quadratic before it reaches its bound.
    (piece) => growthOf(piece, 50) > 4.5 && growthOf(piece, 500) > 6,
  );
  const found: ReaderWork = {
    reader: reader.name,
    ...(superLinear === undefined ? {} : { superLinear }),
  };
  process.send?.(found);
}
