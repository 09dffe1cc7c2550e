import type { Random } from '../support/random/random.ts';
import type { Decoder } from './sample.ts';

/** The tokens of JSON, of XML and of an HTTP message. */
const PIECE = /<[^<>]*>|"(?:[^"\\]|\\.)*"|\r?\n|[\w.+-]+|[ \t]+|[^]/g;
const OPENING = /^(?:[{[]|<[^/?!][^]*[^/]>|<\w>)$/;
const CLOSING = /^(?:[}\]]|<\/[^]*>)$/;
/** Texts that are difficult for any decoder. */
const WORDS: readonly string[] = [
  ...[
    '',
    ' ',
    '\0',
    '\uFEFF',
    '\uFFFD',
    '\uD800',
    '\u2028',
    '\r\n',
    '\r\n\r\n',
    '&',
    '<',
    '>',
    '"',
    "'",
    '\\',
  ],
  ...[
    '-1',
    '0',
    '1e999',
    '99999999999999999999',
    'NaN',
    'true',
    'null',
    'undefined',
    '%',
    '%00',
    '../',
    '//',
  ],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'x'.repeat(300)],
];
/** The longest inflated text. The rest is cut off. */
const BLOWN_UP = 200_000;
const LONGEST = 250_000;

/** The changes of a message's tokens. */
type Mutation = (pieces: string[], random: Random, decoder: Pieces) => void;

/** A decoder with tokenized samples. */
interface Pieces {
  readonly decoder: Decoder;
  readonly samples: readonly (readonly string[])[];
}

const MUTATIONS: readonly Mutation[] = [
  // Removes a part.
  (pieces, random) => pieces.splice(...someOf(pieces, random)),
  // Repeats a part, here or elsewhere.
  (pieces, random) => {
    const [start, count] = someOf(pieces, random);
    const some = pieces.slice(start, start + count);
    pieces.splice(random.oneIn(2) ? start : random.below(pieces.length), 0, ...some);
  },
  // Swaps two parts.
  (pieces, { below }) => {
    const one = below(pieces.length);
    const other = alike(pieces, one, below(pieces.length));
    [pieces[one], pieces[other]] = [pieces[other] ?? '', pieces[one] ?? ''];
  },
  // Replaces a part by one of another sample of the same decoder.
  (pieces, random, { samples }) => {
    const [start, count] = someOf(pieces, random);
    const found = random.pick(samples);
    const same = alike([pieces[start] ?? '', ...found], 0, 1 + random.below(found.length)) - 1;
    pieces.splice(start, count, ...found.slice(same, same + span(found, same)));
  },
  // Replaces a part by a difficult word.
  (pieces, random, { decoder }) => {
    pieces.splice(...someOf(pieces, random), random.pick(random.oneIn(2) ? WORDS : decoder.words));
  },
  // The same inside quotes or a tag.
  (pieces, { below, pick, oneIn }, { decoder }) => {
    const at = below(pieces.length);
    const piece = pieces[at] ?? '';
    const inside = 1 + below(Math.max(1, piece.length - 1));
    const word = pick(oneIn(2) ? WORDS : decoder.words).replaceAll('"', '');
    pieces[at] = piece.slice(0, inside) + word + piece.slice(inside + below(3));
  },
  // Truncates the message.
  (pieces, { below }) => {
    const at = below(pieces.length);
    const piece = pieces[at] ?? '';
    pieces.splice(at, pieces.length, piece.slice(0, below(piece.length + 1)));
  },
  // Continues with another message.
  (pieces, { below, pick }, { samples }) => {
    const other = pick(samples);
    pieces.splice(below(pieces.length), pieces.length, ...other.slice(below(other.length)));
  },
  // Starts with another message, so that there are two.
  (pieces, { pick }, { samples }) => {
    pieces.unshift(...pick(samples));
  },
  // Changes a character.
  (pieces, { below }) => {
    const at = below(pieces.length);
    const piece = pieces[at] ?? '';
    const inside = below(piece.length);
    const changed = String.fromCharCode(piece.charCodeAt(inside) ^ (1 << below(8)));
    pieces[at] = piece.slice(0, inside) + changed + piece.slice(inside + 1);
  },
  // Nests a part deeply.
  (pieces, random, { decoder }) => {
    const [before, after] = random.pick(decoder.wrappings);
    const times = 1 + random.below(random.oneIn(20) ? 8_000 : 80);
    const [start, count] = someOf(pieces, random);
    const inner = pieces.slice(start, start + count);
    pieces.splice(start, count, before.repeat(times), ...inner, after.repeat(times));
  },
];

/** Returns the position and length of a part that belongs together, or of a few random tokens. */
function someOf(pieces: readonly string[], { below, oneIn }: Random): [start: number, count: number] {
  const start = below(pieces.length);
  return [start, oneIn(4) ? 1 + below(6) : span(pieces, start)];
}

/** Returns the number of tokens from the start of an object, list or element to its end, and otherwise 1. */
function span(pieces: readonly string[], start: number): number {
  let depth = 0;
  for (let at = start; at < pieces.length; at += 1) {
    const piece = pieces[at] ?? '';
    if (OPENING.test(piece)) depth += 1;
    else if (CLOSING.test(piece)) depth -= 1;
    if (depth <= 0) return at - start + 1;
  }
  return 1;
}

/** Returns the next token from a position on that starts like another one. */
function alike(pieces: readonly string[], one: number, from: number): number {
  const first = pieces[one]?.[0];
  const found = pieces.findIndex((piece, at) => at >= from && piece.startsWith(first ?? ''));
  return found === -1 ? from : found;
}

/** Inflates a part so much that a decoder that reads it twice per character is detected. */
function blowUp(pieces: string[], { below, pick, oneIn }: Random, { decoder }: Pieces): void {
  const at = below(pieces.length);
  if (oneIn(3)) {
    const [before, after] = pick(decoder.wrappings);
    const times = Math.floor(below(BLOWN_UP) / (before.length + after.length));
    pieces.splice(at, 0, before.repeat(times), oneIn(2) ? after.repeat(times) : '');
    return;
  }
  const piece = oneIn(2) ? pick(decoder.words) : pieces.slice(at, at + 1 + below(3)).join('');
  const inside = below(piece.length + 1);
  const middle = piece.slice(inside, inside + 1 + below(2)) || ' ';
  const repeated = (oneIn(2) ? middle : piece || ' ').slice(0, 1_000);
  const times = Math.floor(below(BLOWN_UP) / repeated.length);
  pieces[at] =
    `${piece.slice(0, inside)}${repeated.repeat(times)}${pick(['', '\n', '!', piece.slice(inside)])}`;
}

/** A changed message. */
export interface Mutant {
  /** The sample of the message. */
  readonly sample: number;
  readonly text: string;
}

/** Returns a function that changes a random sample a little. */
export function mutator(decoder: Decoder): (random: Random) => Mutant {
  const samples = decoder.samples.map(({ text }) => text.match(PIECE) ?? ['']);
  const inPieces: Pieces = { decoder, samples };
  return (random) => {
    const sample = random.below(samples.length);
    const pieces = [...(samples[sample] ?? [])];
    do random.pick(MUTATIONS)(pieces, random, inPieces);
    while (pieces.length > 0 && random.oneIn(2));
    if (pieces.length > 0 && random.oneIn(500)) blowUp(pieces, random, inPieces);
    return { sample, text: pieces.join('').slice(0, LONGEST) };
  };
}
