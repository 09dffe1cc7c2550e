import { expect } from 'chai';
import { countedRegExp } from '../support/complexity/countedRegExp.ts';
import { countedMatches, platformMatches } from '../support/complexity/regExpMatches.ts';

describe('countedRegExp', () => {
  for (const pattern of [/./, /./u, /[^a]+/u, /\p{C}/u, /a(?=.$)/u]) {
    it(`finds the same matches in surrogate pairs: ${String(pattern)}`, () => {
      const text = 'a😀\ud83da';
      expect(countedMatches(pattern, text)).to.deep.equal(platformMatches(pattern, text));
    });
  }

  it('tries only the first index if it is sticky', () => {
    expect(countedRegExp(/b/).exec('ab', 0, true)).to.deep.equal({ found: undefined, steps: 1 });
    expect(countedRegExp(/b/).exec('ab', 1, true)).to.deep.equal({ found: [1, 2], steps: 1 });
  });

  it('counts each tried character', () => {
    expect(countedRegExp(/b/).exec('aaa')).to.deep.equal({ found: undefined, steps: 4 });
  });

  it('throws after the allowed number of steps', () => {
    expect(countedRegExp(/(?:a|a)*b/, 1000).exec('a'.repeat(50))).to.deep.equal({
      found: undefined,
      steps: 1001,
    });
  });

  for (const pattern of [/(?<=a)b/, /(a)\1/, new RegExp('[[a]]', 'v')]) {
    it(`rejects unsupported syntax: ${pattern.source}`, () => {
      expect(() => countedRegExp(pattern)).to.throw(Error);
    });
  }
});
