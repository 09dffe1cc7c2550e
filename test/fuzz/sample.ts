import type { Random } from '../support/random/random.ts';

/** A message as a server sends it, and what reads it. */
export interface Sample {
  /** Such as `the answer of GetEvents`. */
  readonly name: string;
  readonly text: string;
  /**
   * Reads a text that began as this message, in pieces as chance cuts it. It returns what came out, and
   * throws what the decoder throws.
   */
  readonly read: (text: string, random: Random) => unknown;
}

/** A decoder under fuzzing. */
export interface Decoder {
  readonly name: string;
  readonly samples: readonly Sample[];
  /** What can be put around a piece, over and over, so that it is deep inside. */
  readonly wrappings: readonly (readonly [before: string, after: string])[];
  /** What means something to this decoder, or has meant trouble to others of its kind. */
  readonly words: readonly string[];
}
