import type { Random } from '../support/random/random.ts';

/** A message as a server sends it, and its decoder. */
export interface Sample {
  /** Such as `the answer of GetEvents`. */
  readonly name: string;
  readonly text: string;
  /**
   * Decodes a changed text of this message in random chunks. Returns the output, or throws the decoder's
   * error.
   */
  readonly read: (text: string, random: Random) => unknown;
}

/** A decoder to test. */
export interface Decoder {
  readonly name: string;
  readonly samples: readonly Sample[];
  /** The pairs that can nest a token deeply. */
  readonly wrappings: readonly (readonly [before: string, after: string])[];
  /** The words that have a meaning for this decoder, or are difficult for similar ones. */
  readonly words: readonly string[];
}
