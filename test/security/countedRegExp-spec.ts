import { expect } from 'chai';
import fc from 'fast-check';
import { countedRegExp } from '../support/countedRegExp.ts';

/** Where all matches of a text begin and end, as the platform finds them. */
function platformMatches({ source, flags }: RegExp, text: string): (readonly [number, number])[] {
  return [...text.matchAll(new RegExp(source, `${flags}g`))].map(({ index, 0: { length } }) => [
    index,
    index + length,
  ]);
}

/** The same, as the matcher that counts steps finds them; undefined if that takes too many. */
function countedMatches(pattern: RegExp, text: string): (readonly [number, number])[] | undefined {
  const counted = countedRegExp(pattern, 10_000);
  const matches: (readonly [number, number])[] = [];
  for (let from = 0; from <= text.length;) {
    const { found, steps } = counted.exec(text, from);
    if (steps > 10_000) return undefined;
    if (found === undefined) break;
    const [start, end] = found;
    matches.push(found);
    from = end > start ? end : end + (pattern.unicode && (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  return matches;
}

/** Any pattern of what the matcher reads, of a few characters. */
const { pattern: anyPattern } = fc.letrec<{ atom: string; piece: string; pattern: string }>((tie) => ({
  atom: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('a', 'B', '\\n', '\\u2028', '.', '\\s', '\\d', '\\w', '\\W', '[ab]', '[^a\\n]', '[\\s;]'),
    fc.constantFrom('^', '$', '\\b', '\\B'),
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})`),
    tie('pattern').map((inner) => `(?=${inner})`),
    tie('pattern').map((inner) => `(?!${inner})`),
  ),
  piece: fc
    .tuple(
      tie('atom'),
      fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{0,2}?', '{2,}'),
    )
    .map(([atom, count]) => (/^(?:\^|\$|\\[bB]|\(\?[=!].*)$/s.test(atom) ? atom : atom + count)),
  pattern: fc
    .array(
      fc.array(tie('piece'), { maxLength: 3 }).map((pieces) => pieces.join('')),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((alternatives) => alternatives.join('|')),
}));
const anyText = fc
  .array(fc.constantFrom('a', 'A', 'b', 'aa', '1', ';', ' ', '_', '\n', '\r', '\u2028', 'ſ'), {
    maxLength: 8,
  })
  .map((characters) => characters.join(''));
const anyFlags = fc.subarray(['i', 'm', 's', 'u']).map((flags) => flags.join(''));

describe('countedRegExp', () => {
  it('finds the same as the platform, whatever pattern and text', () => {
    fc.assert(
      fc.property(anyPattern, anyFlags, anyText, (source, flags, text) => {
        const pattern = new RegExp(source, flags);
        const matches = countedMatches(pattern, text);
        fc.pre(matches !== undefined);
        expect(matches, String(pattern)).to.deep.equal(platformMatches(pattern, text));
      }),
      { numRuns: 5000 },
    );
  });

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
