import { expect } from 'chai';
import { countShortLives } from '../../../lib/ews/subscription/progress.ts';

describe('shortLives', () => {
  const cases: readonly [name: string, before: number, lastedMs: number, expected: number][] = [
    ['counts the first end', 0, 0, 1],
    ['counts one more after a short life', 3, 9_999, 4],
    ['begins again after a life of ten seconds', 3, 10_000, 1],
    ['counts one more if the clock was set back', 3, -1, 4],
  ];
  for (const [name, before, lastedMs, expected] of cases) {
    it(name, () => expect(countShortLives(before, lastedMs)).to.equal(expected));
  }
});
