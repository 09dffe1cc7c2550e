import { expect } from 'chai';
import { readFileSync } from 'node:fs';

const ROWS = readFileSync('docs/SECURITY.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\|\s*(?:-|threat)/.test(line));

/** The specs that a row names, each with its sentences. */
function namedIn(row: string): { readonly file: string; readonly sentence: string }[] {
  return row
    .split(/(?=`test\/)/)
    .slice(1)
    .flatMap((part) => {
      const [, file = '', rest = ''] = /^`([^`]+)`(.*)$/.exec(part) ?? [];
      return [...rest.matchAll(/"([^"]+)"/g)].map(([, sentence = '']) => ({ file, sentence }));
    });
}

describe('The threats of docs/SECURITY.md', () => {
  it('should be there', () => {
    expect(ROWS).to.have.length.above(20);
  });

  for (const row of ROWS) {
    const [, threat = ''] = row.split('|');
    it(`should each have specs that try it: ${threat.trim()}`, () => {
      const named = namedIn(row);
      expect(named).to.not.have.length(0);
      for (const { file, sentence } of named) {
        const source = readFileSync(file, 'utf8');
        const isThere = ["'", '`'].some((quote) => source.includes(`it(${quote}${sentence}${quote}`));
        expect(isThere, `${file}: ${sentence}`).to.equal(true);
      }
    });
  }
});
