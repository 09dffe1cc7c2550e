import { expect } from 'chai';
import { LAWS } from './laws.ts';

const PROGRAMS = 2000;
const seed = Number(process.env['SEED'] ?? 1);

describe('the laws', function () {
  this.timeout(360_000);

  for (const { name, attempt } of LAWS) {
    it(name, async () => {
      const { failure, programs } = await attempt(PROGRAMS, seed);
      const { breaches = [], story = '' } = failure ?? {};
      expect(breaches, `${breaches.join('\n')}\n\n${story}\n\n`).to.deep.equal([]);
      expect(programs).to.equal(PROGRAMS);
    });
  }
});
