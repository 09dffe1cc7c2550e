import { expect } from 'chai';
import { delimitersIn, inferredBoundary } from '../../../lib/ucwa/protocol/delimiters.ts';

describe('delimitersIn', () => {
  it('finds the start and end of the content between delimiters', () => {
    const text = 'x\r\n--b \r\none\r\n--b\ntwo\n--b--\r\nend\r\n--b';
    const found = delimitersIn(text, 'b', 3) ?? [];
    expect(found.map(({ closes }) => closes)).to.deep.equal([false, false, true]);
    expect(text.slice(found[0]?.after, found[1]?.before)).to.equal('\r\none');
    expect(text.slice(found[1]?.after, found[2]?.before)).to.equal('\ntwo');
  });

  it('finds none if there are more than allowed', () => {
    expect(delimitersIn('--b\n--b\n--b', 'b', 3)).to.have.length(3);
    expect(delimitersIn('--b\n--b\n--b', 'b', 2)).to.equal(undefined);
  });

  const none: readonly [name: string, text: string][] = [
    ['another boundary', '--bb\n'],
    ['a longer line', '--b c\n'],
    ['text before it', 'a--b\n'],
    ['a blank before it', 'a\n --b\n'],
    ['a line separator before it', 'a\u2028--b\n'],
    ['a paragraph separator before it', 'a\u2029--b\n'],
    ['a carriage return before it', 'a\r--b\n'],
    ['a line separator after it', '--b\u2028'],
    ['a carriage return after it', '--b\r'],
    ['three dashes after it', '--b---\n'],
    ['nothing', ''],
  ];
  for (const [name, text] of none) {
    it(`finds none in ${name}`, () => expect(delimitersIn(text, 'b', 9)).to.equal(undefined));
  }
});

describe('inferredBoundary', () => {
  const cases: readonly [name: string, text: string, boundary: string | undefined][] = [
    ['the first line', '--b\r\n', 'b'],
    ['the only line', '--b', 'b'],
    ['a line after a preamble', 'Hello\n--b\n--c\n', 'b'],
    ['a line after a BOM', '\uFEFF--b\n', 'b'],
    ['a line after a question mark', '?--b\n', 'b'],
    ['a line with blanks at its end', '--b \t\r\n', 'b'],
    ['a line with blanks inside', '--a b\n', 'a b'],
    ['a line that closes', '--b--\n', undefined],
    ['a rule of dashes', '------\n', undefined],
    ['a line after U+2028', 'Hello\u2028--b\u2028\n', undefined],
    ['a line with U+2028 inside', '--a\u2028b\n', 'a\u2028b'],
    ['a line with a carriage return inside', '--a\rb\n', undefined],
    ['a line that is too long', `--${'b'.repeat(201)}\n--c\n`, 'c'],
    ['nothing', '', undefined],
  ];
  for (const [name, text, boundary] of cases) {
    it(`reads ${name}`, () => expect(inferredBoundary(text)).to.equal(boundary));
  }
});
