import { expect } from 'chai';
import { checkProse, idiomsIn, longTitles, wordsIn } from './support/prose/check.ts';
import { IDIOMS, TITLE_IDIOMS } from './support/prose/idioms.ts';
import { longCommentLines, markdownPassages, sourcePassages } from './support/prose/passages.ts';

/** At most 7 of 1,000 lines of each may have an idiom, and no comment line over 110 columns. */
const PATHS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs', 'lib', 'operators', 'test'];

describe('The prose check', () => {
  for (const { name, pattern, rejects, allows } of [...IDIOMS, ...TITLE_IDIOMS]) {
    it(`rejects the idiom ${name}`, () => {
      expect(rejects).to.match(pattern);
      const all = idiomsIn({ type: 'title', lines: [{ number: 1, text: allows }] });
      expect(all).to.deep.equal([]);
    });
  }

  const found = (text: string): number[] =>
    sourcePassages(text, 'titles').flatMap((passage) => idiomsIn(passage).map(({ line }) => line));

  it('reads comments, not code and strings', () => {
    expect(
      found('const told = "is told"; // no idiom\nconst b = /\\/\\/ told/; const c = `// ${told} told`;'),
    ).to.deep.equal([]);
    expect(found('const a = "//"; // is told')).to.deep.equal([1]);
  });

  it('finds an idiom that crosses a line break', () => {
    expect(found('// One.\n// It is made\n// again.\nlet a;')).to.deep.equal([2]);
    expect(found('/**\n * One.\n * It is made\n * again.\n */\nlet a;')).to.deep.equal([3]);
  });

  it('reads examples and inline code of comments as code', () => {
    expect(found('/**\n * ```ts\n * // is told\n * ```\n * The `told` flag.\n */\nlet a;')).to.deep.equal([]);
  });

  it('reads the titles of specs', () => {
    expect(found("it('should send', () => 'told');")).to.deep.equal([1]);
    expect(found('it(`sends ${a} anew`, () => 0);')).to.deep.equal([1]);
  });

  it('reads the messages of library code', () => {
    const [message, ...others] = sourcePassages("fail('the ledger is told of it', 'told')", 'messages');
    expect(message?.lines[0]?.text).to.equal('the ledger is told of it');
    expect(others).to.deep.equal([]);
  });

  it('reads Markdown without code blocks and headings', () => {
    const text = '# What is told\n\nText.\n\n```ts\ntold\n```\n\n- What is it?\n- What is left ends.\n';
    expect(markdownPassages(text).flatMap((one) => idiomsIn(one).map(({ line }) => line))).to.deep.equal([
      10,
    ]);
  });

  it('finds comment lines over 110 columns', () => {
    const line = (length: number): string => `// ${'a'.repeat(length - 3)}`;
    const long = (text: string): number[] => longCommentLines(text, sourcePassages(text, 'titles'));
    expect(long(`${line(110)}\n${line(111)}\n'${line(120)}'`)).to.deep.equal([2]);
  });
});

describe('The English of', () => {
  for (const path of PATHS) {
    it(`${path} has few idioms, and wraps its comments`, () => {
      const { lines, offences, long } = checkProse(path);
      const rate = Math.round((offences.length / lines) * 1000);
      const message = [`${rate} idioms in 1,000 lines, ${long.length} long lines:`, ...offences, ...long];
      expect(rate <= 7 && long.length === 0, message.join('\n')).to.equal(true);
    });
  }

  it('the titles of specs has at most 12 words in each', () => {
    expect(wordsIn('ends — once, at 12.5 s')).to.equal(5);
    expect(longTitles('test').join('\n')).to.equal('');
  });
});
