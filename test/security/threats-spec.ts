import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';

interface Row {
  readonly threat: string;
  readonly needsSocket: boolean;
  readonly files: readonly string[];
}

/** Calls that open a socket. */
const OPENS_SOCKET = /\b(?:internet|httpServer|rawServer|createServer|serve)\(/;

/** The specs of the tools in this folder. */
const OF_TOOLS = ['threats-spec.ts', 'countedRegExp-spec.ts'];

const PAGE = readFileSync('docs/SECURITY.md', 'utf8');

function rows(): Row[] {
  const [, ...sections] = PAGE.split(/^## /m);
  return sections.flatMap((section) => {
    const [heading = '', ...lines] = section.split('\n');
    return lines
      .filter((line) => line.includes('`test/'))
      .map((line) => ({
        threat: line.split('|')[1]?.trim() ?? '',
        needsSocket: !heading.includes('without a socket'),
        files: [...line.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file),
      }));
  });
}

describe('Each threat of docs/SECURITY.md', () => {
  const all = rows();

  it('is found', () => {
    expect(all).to.have.length.above(40);
  });

  for (const { threat, needsSocket, files } of all) {
    it(`has spec files: ${threat}`, () => {
      for (const file of files) expect(readFileSync(file, 'utf8'), file).to.match(/\bit\(/);
    });

    if (needsSocket) {
      it(`is tested over real sockets: ${threat}`, () => {
        const sources = files.map((file) => readFileSync(file, 'utf8'));
        expect(sources.some((source) => OPENS_SOCKET.test(source))).to.equal(true);
      });
    }
  }
});

describe('Each spec of test/security', () => {
  for (const file of readdirSync('test/security').filter((name) => name.endsWith('-spec.ts'))) {
    if (OF_TOOLS.includes(file)) continue;
    it(`is named in docs/SECURITY.md: ${file}`, () => {
      expect(PAGE).to.include(`\`test/security/${file}\``);
    });
  }
});
