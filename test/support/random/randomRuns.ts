import fc from 'fast-check';
import type { Context } from 'mocha';
import type { ReleaseOutcome } from '../../../lib/core/lifecycle/ledger.ts';
import { caseCount } from './caseCount.ts';

/**
 * Tries random courses of events in a spec, an eighth of them in `npm test`. `PROGRAMS=… SEED=…` tries more, and
 * others.
 *
 * @param courses How many in `npm run verify`.
 * @param check Lets one happen, and throws where it breaks a law.
 */
export function checkRandomRuns<Scenario>(
  spec: Context,
  courses: number,
  scenario: fc.Arbitrary<Scenario>,
  check: (scenario: Scenario) => void,
): void {
  const numRuns = Number(process.env['PROGRAMS'] ?? caseCount(Math.ceil(courses / 8), courses));
  spec.timeout(60_000 + numRuns * 100);
  fc.assert(fc.property(scenario, check), { numRuns, includeErrorInReport: true });
}

/** How many the ledger says may be left on the server. */
export function possibleLeftovers(outcomes: readonly ReleaseOutcome[]): number {
  return outcomes.filter(({ outcome }) => outcome === 'Unknown' || outcome === 'Failed').length;
}
