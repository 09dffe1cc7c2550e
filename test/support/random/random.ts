/** A pseudorandom generator. */
export interface Random {
  /** Returns a number from 0 to below 1. */
  readonly next: () => number;
  /** Returns an integer from 0 to below `limit`. */
  readonly below: (limit: number) => number;
  /** Returns true once in `times` calls on average. */
  readonly oneIn: (times: number) => boolean;
  /** Returns one of the values, which must not be empty. */
  readonly pick: <Value>(values: readonly Value[]) => Value;
}

/** Creates the {@link Random} of a seed; each stream of a seed has other numbers. */
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
