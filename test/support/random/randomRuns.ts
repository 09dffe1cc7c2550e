import fc from 'fast-check';
import type { Context } from 'mocha';
import type { ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import { caseCount } from './caseCount.ts';

/**
 * Checks random scenarios in a spec. `PROGRAMS=… SEED=…` sets another number and other scenarios.
 *
 * @param runs The number in `npm run verify`; `npm test` has an eighth of it
 * @param check Runs a scenario, and throws if it breaks a law
 */
export function checkRandomRuns<Scenario>(
  spec: Context,
  runs: number,
  scenario: fc.Arbitrary<Scenario>,
  check: (scenario: Scenario) => void,
): void {
  const numRuns = Number(process.env['PROGRAMS'] ?? caseCount(Math.ceil(runs / 8), runs));
  spec.timeout(60_000 + numRuns * 100);
  fc.assert(fc.property(scenario, check), { numRuns, includeErrorInReport: true });
}

/** Returns the number of resources that may be left on the server according to the ledger. */
export function possibleLeftovers(outcomes: readonly ReleaseOutcome[]): number {
  return outcomes.filter(({ outcome }) => outcome === 'Unknown' || outcome === 'Failed').length;
}
