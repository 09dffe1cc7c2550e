import { expect } from 'chai';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/ledger.ts';
import { leaksIn } from './chaos.ts';

describe('leaksIn', () => {
  const entry = { resource: 'PullSubscription', at: new Date(0) };
  const released: ReleaseOutcome = { ...entry, outcome: 'Released', id: 'S1', attempts: 1 };
  const unknown: ReleaseOutcome = { ...entry, outcome: 'Unknown', id: undefined, cause: '', hint: '' };
  const cases: readonly [
    name: string,
    held: readonly string[],
    outcomes: ReleaseOutcome[],
    leaks: string[],
  ][] = [
    ['nothing where nothing is held', [], [released, unknown], []],
    ['what is held, and nobody tells of', ['subscription S2'], [released], ['subscription S2']],
    ['nothing where the ledger says that one may be held', ['subscription S2'], [released, unknown], []],
    ['what is held all the same', ['subscription S1'], [released, unknown], ['subscription S1']],
    ['one more than may be held', ['subscription S2', 'subscription S3'], [unknown], ['subscription S3']],
  ];
  for (const [name, held, outcomes, leaks] of cases) {
    it(`should call a leak ${name}`, () => {
      expect(leaksIn(held, { clean: false, outcomes })).to.deep.equal(leaks);
    });
  }
});
