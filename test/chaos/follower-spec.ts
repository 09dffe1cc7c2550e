import { expect } from 'chai';
import { follower, newTally, type Tally } from './follower.ts';

describe('follower', () => {
  const cases: readonly [name: string, recorded: readonly (number | 'gap')[], noticed: Partial<Tally>][] = [
    ['nothing where each comes once and in order', [3, 4, 5], { events: 3 }],
    ['what never came', [3, 6], { events: 2, losses: 2 }],
    ['a gap that covers what never came', [3, 'gap', 6], { events: 2, gaps: 1 }],
    ['what is lost behind a gap that was over', [3, 'gap', 4, 6], { events: 3, gaps: 1, losses: 1 }],
    ['what came twice, behind a gap too', [3, 3, 'gap', 3], { events: 3, gaps: 1, doubles: 2 }],
    ['what came late', [3, 5, 4], { events: 3, losses: 1, disorders: 1 }],
  ];
  for (const [name, recorded, noticed] of cases) {
    it(`should notice ${name}`, () => {
      const tally = newTally();
      const followed = follower(tally);
      for (const one of recorded) {
        if (one === 'gap') followed.gap();
        else followed.take(one);
      }
      expect(tally).to.deep.equal({ ...newTally(), ...noticed });
    });
  }
});
