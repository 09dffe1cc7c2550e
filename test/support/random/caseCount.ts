/** Whether the long specs run, as `npm run verify` runs them: the file `thorough.ts` is loaded first. */
export const isThorough: boolean = process.env['THOROUGH'] === '1';

/** The seed of everything that is random; `SEED=…` tries another. The long run never repeats what the short one tried. */
export const SEED: number = Number(process.env['SEED'] ?? (isThorough ? 2 : 1));

/** Returns how many random cases a spec tries: a few in `npm test`, many in `npm run verify`. */
export function caseCount(few: number, many: number): number {
  return isThorough ? many : few;
}
