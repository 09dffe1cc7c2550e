import { workCounter } from './countedWork.ts';
import { SEPARATORS } from './pumps.ts';
import type { Reader } from './reader.ts';
import { READERS } from './readers.ts';
import { SLOW_READERS } from './slowReaders.ts';

/** Whether the work of a reader grows with its text, or faster. */
export interface ReaderWork {
  readonly reader: string;
  /** A piece that takes more than linear time if it repeats. */
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

/** Reads texts in which a piece repeats, of so many characters. */
function readAll({ read, beginnings }: Reader, piece: string, characters: number): void {
  const text = piece.repeat(Math.ceil(characters / (piece.length || 1)));
  for (const beginning of beginnings) for (const end of ENDS) attempt(read, beginning + text + end);
}

/** That a text is refused is what other specs are about. */
function attempt(read: Reader['read'], text: string): void {
  try {
    read(text);
  } catch {
    // The work until then counts.
  }
}

for (const reader of [...READERS, ...SLOW_READERS]) {
  const workFor = (piece: string, characters: number): number =>
    workOf(() => readAll(reader, piece, characters));
  // What is done once, such as compiling a pattern, belongs to no text.
  const pieces = [...PIECES, ...reader.pieces];
  pieces.forEach((piece) => readAll(reader, piece, 8));
  const least = workFor('', 0);
  /** How the work grows when the text becomes four times as long; less than one for a character is none. */
  const growthOf = (piece: string, length: number): number =>
    (workFor(piece, 4 * length) - least) / Math.max(length, workFor(piece, length) - least);
  const superLinear = pieces.find(
    // Short texts only choose: what has a bound may look like the square until it is reached.
    (piece) => growthOf(piece, 50) > 4.5 && growthOf(piece, 500) > 6,
  );
  const found: ReaderWork = {
    reader: reader.name,
    ...(superLinear === undefined ? {} : { superLinear }),
  };
  process.send?.(found);
}
