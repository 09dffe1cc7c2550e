import { expect } from 'chai';
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { escapeXml } from '../../../lib/ews/protocol/envelope.ts';

function readBack(xml: string): { text: string; attribute: string | undefined } {
  let text = '';
  let attribute: string | undefined;
  const parser = new SaxesParser({ xmlns: false });
  parser.on('text', (part) => (text += part));
  parser.on('opentag', (tag) => (attribute = tag.attributes['a']));
  parser.write(xml).close();
  return { text, attribute };
}

const character = fc.oneof(
  fc.constantFrom('\t', '\n', '\r', ' ', '&', '<', '>', '"', "'", ']]>', '\uFFFD', '\u{1F4EE}'),
  fc
    .string({ unit: 'binary', maxLength: 3 })
    .map((text) => text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/gu, '')),
);

describe('escapeXml', () => {
  it('returns plain text unchanged', () => {
    expect(escapeXml('folders[0].id', 'AAMk/=+')).to.equal('AAMk/=+');
  });

  it('escapes characters that end an element or an attribute', () => {
    expect(escapeXml('x', `<a b="c" d='e'>&`)).to.equal('&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;');
  });

  it('survives a parser, in text and in an attribute', () => {
    fc.assert(
      fc.property(
        fc.array(character).map((parts) => parts.join('')),
        (value) => {
          const escaped = escapeXml('x', value);
          expect(readBack(`<x a="${escaped}">${escaped}</x>`)).to.deep.equal({
            text: value,
            attribute: value,
          });
        },
      ),
    );
  });

  for (const [name, value, shown] of [
    ['a control character', 'a\u0000b', 'U+0000'],
    ['half of a surrogate pair', 'a\uD83D', 'U+D83D'],
    ['a noncharacter', '\uFFFE', 'U+FFFE'],
  ] as const) {
    it(`refuses ${name}, and names the option`, () => {
      expect(() => escapeXml('watermark', value))
        .to.throw(TypeError, `watermark must be`)
        .with.property('message')
        .that.includes(shown);
    });
  }
});
