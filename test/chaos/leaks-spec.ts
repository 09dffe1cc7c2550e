import { expect } from 'chai';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import { leaksIn } from './chaos.ts';

describe('leaksIn', () => {
  const entry = { resource: 'PullSubscription', at: new Date(0) };
  const released: ReleaseOutcome = { ...entry, outcome: 'Released', id: 'S1', attempts: 1 };
  const unknown: ReleaseOutcome = { ...entry, outcome: 'Unknown', id: undefined, cause: '', hint: '' };
  const cases: readonly [
    name: string,
    leftovers: readonly string[],
    outcomes: ReleaseOutcome[],
    leaks: string[],
  ][] = [
    ['nothing for a server without subscriptions', [], [released, unknown], []],
    ['a subscription without an outcome', ['subscription S2'], [released], ['subscription S2']],
    ['nothing if the ledger reports one as unknown', ['subscription S2'], [released, unknown], []],
    [
      'a subscription that was reported as released',
      ['subscription S1'],
      [released, unknown],
      ['subscription S1'],
    ],
    [
      'the subscriptions beyond the unknown outcomes',
      ['subscription S2', 'subscription S3'],
      [unknown],
      ['subscription S3'],
    ],
  ];
  for (const [name, leftovers, outcomes, leaks] of cases) {
    it(`returns ${name}`, () => {
      expect(leaksIn(leftovers, { clean: false, outcomes })).to.deep.equal(leaks);
    });
  }
});
