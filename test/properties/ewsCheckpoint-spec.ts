import { expect } from 'chai';
import { checkRandomRuns } from '../support/random/randomRuns.ts';
import { type RunResult, run, type Scenario, scenario } from './ewsCheckpoints.ts';

/** Checks the events of all processes, in the order in which they were processed. */
function checkEvents({ way, dialect, upheavals, failures }: Scenario, result: RunResult): void {
  const { seen, savedFrom, events } = result;
  const numbers = new Map<string, number>();
  const isUndisturbed =
    way !== 'streaming' && dialect === 'exchange' && upheavals.length + failures.length === 0;
  let highest = Math.min(savedFrom, events);
  // Before anything is saved, the next process knows nothing of the previous one.
  let isInDoubt = savedFrom === Infinity;
  for (const { from, recorded } of seen) {
    let before = 0;
    let place = from === undefined ? undefined : numbers.get(from);
    for (const one of recorded) {
      if (one === 'gap') {
        if (isUndisturbed) expect(from, 'no gap where something was saved').to.equal(undefined);
        isInDoubt = true;
        continue;
      }
      const { number = place, watermark } = one;
      if (number !== undefined && watermark !== undefined) {
        expect(numbers.get(watermark) ?? number, 'recognisable').to.equal(number);
        numbers.set(watermark, number);
      }
      if (one.number === undefined || number === undefined) continue;
      expect(number, 'in order, and none twice in one life').to.be.above(before);
      if (number > highest + 1) expect(isInDoubt, `lost before ${number}`).to.equal(true);
      if (number > highest) isInDoubt = false;
      if (isUndisturbed && place !== undefined) expect(number, 'behind what was saved').to.equal(place + 1);
      before = number;
      place = number;
      highest = Math.max(highest, number);
    }
  }
  expect(highest, 'the last event was emitted').to.equal(events);
}

/** Checks that the ledger reports every leftover subscription. */
function checkLeft({ dialect }: Scenario, { outcomes, held, left, known, saved }: RunResult): void {
  // If ids are reused after a restart, a saved id may belong to a subscription whose response was lost.
  if (dialect === 'exchange')
    expect(
      held.filter((id) => known.has(id)),
      'whose ids were saved',
    ).to.have.length(1);
  const unknown = outcomes.filter(({ outcome }) => outcome === 'Unknown').length;
  expect(held.length, 'besides the reported leftovers').to.be.within(1, 1 + unknown);
  expect(left).to.be.at.most(unknown);
  expect(outcomes.filter(({ outcome }) => outcome === 'Failed')).to.deep.equal([]);
  expect(saved).to.have.deep.property('held', []);
}

describe('A stream with a checkpoint, whose process is killed at any time,', () => {
  it('reports every loss and leftover, and repeats only recognisable events', function () {
    checkRandomRuns(this, 250, scenario, (tried) => {
      const result = run(tried);
      checkEvents(tried, result);
      checkLeft(tried, result);
    });
  });
});
