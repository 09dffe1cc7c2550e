import { expect } from 'chai';
import fc from 'fast-check';
import { diffMembers } from '../../../lib/ucwa/presence/contactsSubscription.ts';

describe('diffMembers', () => {
  const cases: readonly (readonly [string, string, string, number, object | undefined])[] = [
    ['nothing where all is as wanted', 'ab', 'ba', 9, undefined],
    ['nothing for nobody', '', '', 9, undefined],
    ['those who are missing', 'a', 'abc', 9, { add: ['b', 'c'], drop: [] }],
    ['no more than fit into one request', '', 'abc', 2, { add: ['a', 'b'], drop: [] }],
    ['those who are no longer wanted first', 'ab', 'bc', 9, { add: [], drop: ['a'] }],
  ];
  for (const [name, has, wanted, most, difference] of cases) {
    it(`is ${name}`, () => {
      expect(diffMembers(new Set(has), new Set(wanted), most)).to.deep.equal(difference);
    });
  }

  it('leads from any list to any other step by step', () => {
    const keys = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd', 'e', 'f', 'g'));
    fc.assert(
      fc.property(keys, keys, fc.integer({ min: 1, max: 4 }), (from, to, most) => {
        const has = new Set(from);
        const wanted = new Set(to);
        for (let steps = 0; ; steps += 1) {
          const next = diffMembers(has, wanted, most);
          if (next === undefined) break;
          expect(next.add.length).to.be.at.most(most);
          next.drop.forEach((key) => has.delete(key));
          next.add.forEach((key) => has.add(key));
          expect(steps).to.be.lessThan(12);
        }
        expect([...has].sort()).to.deep.equal([...to].sort());
      }),
    );
  });
});
