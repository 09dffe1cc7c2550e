import { expect } from 'chai';
import { countedRegExp } from '../support/complexity/countedRegExp.ts';
import { countedMatches, platformMatches } from '../support/complexity/regExpMatches.ts';

describe('countedRegExp', () => {
  for (const pattern of [/./, /./u, /[^a]+/u, /\p{C}/u, /a(?=.$)/u]) {
    it(`finds the same in pairs of surrogates: ${String(pattern)}`, () => {
      const text = 'a😀\ud83da';
      expect(countedMatches(pattern, text)).to.deep.equal(platformMatches(pattern, text));
    });
  }

  it('tries the first index alone if it is sticky', () => {
    expect(countedRegExp(/b/).exec('ab', 0, true)).to.deep.equal({ found: undefined, steps: 1 });
    expect(countedRegExp(/b/).exec('ab', 1, true)).to.deep.equal({ found: [1, 2], steps: 1 });
  });

  it('counts each character that is tried', () => {
    expect(countedRegExp(/b/).exec('aaa')).to.deep.equal({ found: undefined, steps: 4 });
  });

  it('gives up after as many steps as it may take', () => {
    expect(countedRegExp(/(?:a|a)*b/, 1000).exec('a'.repeat(50))).to.deep.equal({
      found: undefined,
      steps: 1001,
    });
  });

  for (const pattern of [/(?<=a)b/, /(a)\1/, new RegExp('[[a]]', 'v')]) {
    it(`refuses what it cannot read: ${pattern.source}`, () => {
      expect(() => countedRegExp(pattern)).to.throw(Error);
    });
  }
});
