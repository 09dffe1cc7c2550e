import { expect } from 'chai';
import { chaos, PROTOCOLS } from './chaos.ts';
import { caseCount, SEED } from '../support/random/caseCount.ts';
import { FAULT_KINDS } from './proxy.ts';

/** The number of faults per protocol. */
const FAULTS = caseCount(30, 120);

describe('A faulty network', () => {
  for (const protocol of PROTOCOLS) {
    it(`causes no unreported loss and no leak in ${protocol}`, async () => {
      let waitsFor: readonly string[] = [];
      const { injected, tally, outcomes, leaks } = await chaos(
        {
          ...{ protocol, seed: SEED, subscriptions: 20 },
          weather: { oneIn: 12, delayMs: 20, silenceMs: 20 },
          isOver: (faults) => faults >= FAULTS,
        },
        (disagreements) => (waitsFor = disagreements),
      );
      expect(waitsFor).to.deep.equal([]);
      expect(leaks).to.deep.equal([]);
      expect(tally).to.include({ losses: 0, doubles: 0, disorders: 0 });
      expect(tally.events).to.be.greaterThan(20);
      expect(outcomes.get('Failed')).to.equal(undefined);
      expect(outcomes.get('Released')).to.be.greaterThan(10);
      const faults = FAULT_KINDS.filter((kind) => (injected.get(kind) ?? 0) > 0);
      expect(faults).to.have.length.greaterThan(4);
    });
  }
});
