import { expect } from 'chai';
import { follower, newTally, type Tally } from './follower.ts';

describe('follower', () => {
  const cases: readonly [name: string, recorded: readonly (number | 'gap')[], noticed: Partial<Tally>][] = [
    ['no loss if each event is emitted once and in order', [3, 4, 5], { events: 3 }],
    ['missed events as losses', [3, 6], { events: 2, losses: 2 }],
    ['no loss if a gap replaces the missed events', [3, 'gap', 6], { events: 2, gaps: 1 }],
    ['losses after the end of a gap', [3, 'gap', 4, 6], { events: 3, gaps: 1, losses: 1 }],
    ['duplicates, also after a gap', [3, 3, 'gap', 3], { events: 3, gaps: 1, doubles: 2 }],
    ['late events as disorders', [3, 5, 4], { events: 3, losses: 1, disorders: 1 }],
  ];
  for (const [name, recorded, noticed] of cases) {
    it(`counts ${name}`, () => {
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
