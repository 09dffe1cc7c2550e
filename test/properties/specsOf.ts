import { expect } from 'chai';
import { caseCount, SEED } from '../support/random/caseCount.ts';
import { LAWS } from './laws.ts';

const PROGRAMS = caseCount(50, 2000);
/** Each program of this law reads one message, so there are more of them. */
const MEMBERS = { number: 14, programs: caseCount(300, 10_000) };

/** Creates a spec of each law of a protocol. One file per protocol, so that they run in parallel. */
export function specsOf(protocol: 'UCWA' | 'EWS' | 'both'): void {
  describe(`the laws of ${protocol}`, function () {
    this.timeout(caseCount(60_000, 900_000));

    for (const { name, number, attempt } of LAWS.filter((law) => law.name.includes(`${protocol}:`))) {
      it(name, async () => {
        const wanted = number === MEMBERS.number ? MEMBERS.programs : PROGRAMS;
        const { failure, programs } = await attempt(wanted, SEED);
        const { breaches = [], program = '' } = failure ?? {};
        expect(breaches, `${breaches.join('\n')}\n\n${program}\n\n`).to.deep.equal([]);
        expect(programs).to.equal(wanted);
      });
    }
  });
}
