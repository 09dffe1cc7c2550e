import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const LENGTH = 10_000;
/** A pattern that takes its time with the square of the length needs about a second for that. */
const LONGEST_MS = 30;
const ENDS = ['', '\n', '\0', '@'];
const PUMPS = [
  ...Array.from(' \t\n\0aA09-+.,:;=&?#@%/\\|\'"<>()[]{}*$^!_~'),
  ...['%41', 'a.', 'a-', ', ', '; ', '--', '\r\n', '<!--', 'a='],
];

interface Pattern {
  readonly where: string;
  readonly pattern: RegExp;
}

/** Every regular expression that stands in the sources. */
function patterns(): Pattern[] {
  return ['lib', 'operators'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => patternsOf(`${folder}/${name}`)),
  );
}

function patternsOf(path: string): Pattern[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest);
  const found: Pattern[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const pattern = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      found.push({ where: `${path} ${node.text}`, pattern });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Words that stand in the pattern: what leads into its middle. */
function beginningsOf({ source }: RegExp): string[] {
  const plain = source.replaceAll(/\\([^\w])/g, '$1').replaceAll(/s\?:/g, ':');
  const words = plain.match(/[\w:/.=<?!@-]{2,}/g) ?? [];
  return [
    '',
    ...words,
    ...words.map((word) => word.replaceAll(/[?]/g, '')),
    'sip:a@b',
    '/Date(1',
    ';boundary="',
  ];
}

function millisecondsFor(pattern: RegExp, text: string): number {
  const started = performance.now();
  text.replace(pattern, '');
  return performance.now() - started;
}

/** What takes too long, of three measurements each: a busy machine is not the pattern's fault. */
function slowest({ pattern }: Pattern): string | undefined {
  const everywhere = new RegExp(pattern.source, `${pattern.flags.replace('g', '')}g`);
  for (const beginning of beginningsOf(pattern)) {
    for (const pump of PUMPS) {
      for (const end of ENDS) {
        const text = beginning + pump.repeat(LENGTH / pump.length) + end;
        const isSlow = (): boolean => millisecondsFor(everywhere, text) > LONGEST_MS;
        if (isSlow() && isSlow() && isSlow()) return JSON.stringify([beginning, pump, end]);
      }
    }
  }
  return undefined;
}

describe('Regular expressions', () => {
  const all = patterns();

  it('should be found in the sources', () => {
    expect(all).to.have.length.above(60);
  });

  it('should be seen to blow up where they do', () => {
    expect(slowest({ where: 'here', pattern: /[?#].*$/ })).to.equal('["","?","\\n"]');
  });

  for (const one of all) {
    it(`should take time by the length of a text, and not by its square: ${one.where}`, () => {
      expect(slowest(one)).to.equal(undefined);
    });
  }
});
