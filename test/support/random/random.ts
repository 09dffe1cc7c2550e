/** A source of chance that says the same again for the same seed. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  readonly next: () => number;
  /** A whole number from 0 up to, not including, `limit`. */
  readonly below: (limit: number) => number;
  /** Whether something happens that happens once in so many times. */
  readonly oneIn: (times: number) => boolean;
  /** One of several; there must be one. */
  readonly pick: <Value>(values: readonly Value[]) => Value;
}

/** Creates the {@link Random} of a seed; each stream of one seed is another. */
export function random(seed: number, stream = 0): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    oneIn: (times) => below(times) === 0,
    pick: <Value>(values: readonly Value[]) => values[below(values.length)] as Value,
  };
}
