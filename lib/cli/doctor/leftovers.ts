import type { DrainReport } from '../../core/lifecycle/ledger.ts';
import { describeOutcome } from '../watch.ts';
import type { StepResult } from './steps.ts';

/** Resources that were not removed from the server, in one line each. */
export type Leftovers = readonly string[];

/** Returns what a connection has left on the server when it was closed. */
export function leftBy({ clean, outcomes }: DrainReport): Leftovers {
  return clean ? [] : outcomes.filter(({ outcome }) => outcome !== 'Released').map(describeOutcome);
}

/** Returns the result of the last step: what the steps before have left. */
export function leftoversResult<Facts>(leftovers: Leftovers = []): StepResult<Facts> {
  return leftovers.length === 0
    ? { state: 'ok', text: 'nothing is left on the server' }
    : { state: 'warning', text: leftovers.join('; '), advice: 'the server removes them when they expire' };
}
