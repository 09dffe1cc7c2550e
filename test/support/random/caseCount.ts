/** Whether this is `npm run verify`, which loads `thorough.ts` first. */
export const isThorough: boolean = process.env['THOROUGH'] === '1';

/**
 * The seed of all random cases; `SEED=…` sets another. The thorough run has other cases than the short one.
 */
export const SEED: number = Number(process.env['SEED'] ?? (isThorough ? 2 : 1));

/** Returns the number of random cases of a spec: `few` in `npm test`, `many` in `npm run verify`. */
export function caseCount(few: number, many: number): number {
  return isThorough ? many : few;
}
