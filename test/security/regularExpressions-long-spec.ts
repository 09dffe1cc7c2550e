import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { superLinearPump } from '../support/complexity/superLinear.ts';

/** The methods of strings that create a regular expression from a string argument. */
const PATTERN_METHODS = new Set(['match', 'matchAll', 'search']);

/** The regular expressions of a source file. */
interface Patterns {
  /** Each pattern in the sources, with its position. */
  readonly literals: readonly { readonly where: string; readonly pattern: RegExp }[];
  /** The position of each expression that is constructed at run time, and is unknown to specs. */
  readonly constructed: readonly string[];
}

/** Returns the regular expressions of the files in a folder. */
function patternsIn(folder: string): Patterns[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => patternsOf(`${folder}/${name}`, readFileSync(`${folder}/${name}`, 'utf8')));
}

function patternsOf(path: string, text: string): Patterns {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const literals: { where: string; pattern: RegExp }[] = [];
  const constructed: string[] = [];
  const named = new Set<string>();
  const isLiteral = (node: ts.Node | undefined): boolean =>
    node !== undefined &&
    (ts.isRegularExpressionLiteral(node) || (ts.isIdentifier(node) && named.has(node.text)));

  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const pattern = new RegExp(node.text.slice(1, end), node.text.slice(end + 1));
      literals.push({ where: `${path} ${node.text}`, pattern });
      const { parent } = node;
      if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) named.add(parent.name.text);
    }
    // A name in a type constructs nothing.
    if (ts.isIdentifier(node) && node.text === 'RegExp' && !ts.isTypeReferenceNode(node.parent)) {
      constructed.push(`${path}: ${node.parent.getText()}`);
    }
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      PATTERN_METHODS.has(node.expression.name.text) &&
      !isLiteral(node.arguments[0])
    ) {
      constructed.push(`${path}: ${node.getText()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { literals, constructed };
}

describe('Regular expressions', () => {
  const all = ['lib', 'operators'].flatMap(patternsIn);
  const literals = all.flatMap((patterns) => patterns.literals);

  it('are found in the sources', () => {
    expect(literals).to.have.length.above(60);
  });

  it('are never constructed at run time', () => {
    expect(all.flatMap((patterns) => patterns.constructed)).to.deep.equal([]);
  });

  for (const code of ['new RegExp(a)', 'RegExp(a, "g")', 'b.match("a")', 'b.matchAll(a)', 'b.search(`a`)']) {
    it(`are found where code constructs them: ${code}`, () => {
      expect(patternsOf('a.ts', code).constructed).to.have.length(1);
    });
  }

  it('are found as literals and by name', () => {
    const { literals, constructed } = patternsOf('a.ts', 'const a: RegExp = /b/g; c.search(a); c.match(/d/)');
    expect(literals.map(({ pattern }) => String(pattern))).to.deep.equal(['/b/g', '/d/']);
    expect(constructed).to.deep.equal([]);
  });

  const slow: readonly (readonly [string, RegExp])[] = [
    ['a rest that no end follows', /[?#].*$/],
    ['blanks in front of an end', /\s+$/],
    ['lines that begin after U+2028', /^[\uFEFF?]?--([^\r\n]*[^\s-])[ \t]*\r?$/m],
    ['values that end in a number', /([?&][^&=]*=)(?!\d{1,9}(?:&|$))[^&]*|([?&])[^&=]+(?=&|$)/g],
    ['blanks that two loops share', /^([\w-]+): *(.*)$/],
    ['a loop in a loop', /^(?:a+)+$/],
    ['alternatives that are the same', /^(?:a|a)*$/],
    ['two loops far from each other', /^a*b?a*c/],
  ];
  for (const [name, pattern] of slow) {
    it(`are detected if they need more than linear time: ${name}`, () => {
      expect(superLinearPump(pattern)).to.not.equal(undefined);
    });
  }

  for (const pattern of [/[?#].*$/s, /^\s+/, /<[\w.-]{1,80}>/, /"[^"]*"/, /(?:%[0-9a-f]{2})+/gi, /\s+a/y]) {
    it(`are measured as linear: ${String(pattern)}`, () => {
      expect(superLinearPump(pattern)).to.equal(undefined);
    });
  }

  for (const { where, pattern } of literals) {
    it(`need steps in proportion to the text: ${where}`, () => {
      expect(superLinearPump(pattern)).to.equal(undefined);
    });
  }
});
