import { expect } from 'chai';
import { readFileSync } from 'node:fs';

interface Row {
  readonly threat: string;
  readonly needsSocket: boolean;
  readonly named: readonly { readonly file: string; readonly title: string }[];
}

/** What opens a socket in a spec. */
const OPENS_SOCKET = /\b(?:internet|httpServer|rawServer|createServer|serve)\(/;

function rows(): Row[] {
  const [, ...sections] = readFileSync('docs/SECURITY.md', 'utf8').split(/^## /m);
  return sections.flatMap((section) => {
    const [heading = '', ...lines] = section.split('\n');
    return lines
      .filter((line) => line.includes('`test/'))
      .map((line) => ({
        threat: line.split('|')[1]?.trim() ?? '',
        needsSocket: !heading.includes('without a socket'),
        named: namedIn(line),
      }));
  });
}

/** The specs that a row names, each with its titles. */
function namedIn(line: string): Row['named'] {
  return line
    .replaceAll(String.raw`\|`, '|')
    .split(/(?=`test\/)/)
    .slice(1)
    .flatMap((part) => {
      const [, file = '', rest = ''] = /^`([^`]+)`(.*)$/.exec(part) ?? [];
      return [...rest.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title }));
    });
}

describe('Each threat of docs/SECURITY.md', () => {
  const all = rows();

  it('is found', () => {
    expect(all).to.have.length.above(40);
  });

  for (const { threat, needsSocket, named } of all) {
    it(`names specs that exist: ${threat}`, () => {
      expect(named).to.not.have.length(0);
      for (const { file, title } of named) {
        const source = readFileSync(file, 'utf8');
        const isThere = ["'", '`'].some((quote) => source.includes(`it(${quote}${title}${quote}`));
        expect(isThere, `${file}: ${title}`).to.equal(true);
      }
    });

    if (needsSocket) {
      it(`is tried over real sockets: ${threat}`, () => {
        const sources = named.map(({ file }) => readFileSync(file, 'utf8'));
        expect(sources.some((source) => OPENS_SOCKET.test(source))).to.equal(true);
      });
    }
  }
});
