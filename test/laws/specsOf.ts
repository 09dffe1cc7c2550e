import { expect } from 'chai';
import { extent, SEED } from '../support/extent.ts';
import { LAWS } from './laws.ts';

const PROGRAMS = extent(100, 2000);

/** Makes a spec of each law of a protocol: in files of their own, the protocols run side by side. */
export function specsOf(protocol: 'UCWA' | 'EWS' | 'both'): void {
  describe(`the laws of ${protocol}`, function () {
    this.timeout(extent(60_000, 900_000));

    for (const { name, attempt } of LAWS.filter((law) => law.name.includes(`${protocol}:`))) {
      it(name, async () => {
        const { failure, programs } = await attempt(PROGRAMS, SEED);
        const { breaches = [], story = '' } = failure ?? {};
        expect(breaches, `${breaches.join('\n')}\n\n${story}\n\n`).to.deep.equal([]);
        expect(programs).to.equal(PROGRAMS);
      });
    }
  });
}
