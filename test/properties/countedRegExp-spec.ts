import { expect } from 'chai';
import fc from 'fast-check';
import { caseCount } from '../support/random/caseCount.ts';
import { countedMatches, platformMatches } from '../support/complexity/regExpMatches.ts';

/** Any pattern of the supported syntax, of a few characters. */
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
  it('finds the same matches as a RegExp of the platform', () => {
    fc.assert(
      fc.property(anyPattern, anyFlags, anyText, (source, flags, text) => {
        const pattern = new RegExp(source, flags);
        const matches = countedMatches(pattern, text);
        fc.pre(matches !== undefined);
        expect(matches, String(pattern)).to.deep.equal(platformMatches(pattern, text));
      }),
      { numRuns: caseCount(1000, 5000) },
    );
  });
});
