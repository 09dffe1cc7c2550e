import ts from 'typescript';

/**
 * A run of text in which an expression may cross a line break: a paragraph, a list item, a title, a message.
 */
export interface Passage {
  readonly type: 'comment' | 'markdown' | 'message' | 'title';
  readonly lines: readonly ProseLine[];
}

export interface ProseLine {
  readonly number: number;
  /** Without markers of comments and lists. Inline code is blanked. */
  readonly text: string;
}

/** Returns the sentences of a Markdown page, without its code blocks and headings. */
export function markdownPassages(text: string): Passage[] {
  const lines = text.split('\n').map((line, index) => ({ number: index + 1, text: line }));
  return paragraphs('markdown', lines);
}

/**
 * Returns the comments of a source file, with the titles of its specs or with the messages of its library
 * code.
 */
export function sourcePassages(text: string, strings: 'titles' | 'messages'): Passage[] {
  const file = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
  const literals: { pos: number; end: number }[] = [];
  const passages: Passage[] = [];
  const lineAt = (position: number): number => file.getLineAndCharacterOfPosition(position).line + 1;

  const add = (type: Passage['type'], node: ts.Node): void => {
    const first = lineAt(node.getStart(file));
    const lines = textOf(node).split('\n');
    passages.push({ type, lines: lines.map((line, index) => ({ number: first + index, text: line })) });
  };

  const visit = (node: ts.Node): void => {
    if (isLiteral(node)) literals.push({ pos: node.getStart(file), end: node.end });
    if (strings === 'titles' && ts.isCallExpression(node)) {
      const [title] = node.arguments;
      if (/^(describe|it)\b/.test(node.expression.getText(file)) && title !== undefined && isText(title)) {
        add('title', title);
      }
    }
    if (strings === 'messages' && isText(node) && isSentence(textOf(node))) add('message', node);
    ts.forEachChild(node, visit);
  };
  visit(file);

  for (const block of commentsOutside(literals, text)) {
    const first = lineAt(block.start);
    const lines = block.text.split('\n').map((line, index) => ({
      number: first + index,
      text: line.replace(/^\s*(?:\/\*\*?|\*\/|\*|\/\/)\s?/, '').replace(/\s*\*\/\s*$/, ''),
    }));
    passages.push(...paragraphs('comment', lines));
  }
  return passages;
}

/** The width of a comment. Prettier does not wrap them. */
const COLUMNS = 110;

/** Returns the numbers of the lines with a comment that are too long, unless a URL makes them so. */
export function longCommentLines(text: string, passages: readonly Passage[]): number[] {
  const lines = text.split('\n');
  const isLong = (number: number): boolean => {
    const line = lines[number - 1] ?? '';
    return line.length > COLUMNS && !line.includes('https://');
  };
  const numbers = passages
    .filter(({ type }) => type === 'comment')
    .flatMap((passage) => passage.lines.map(({ number }) => number));
  return [...new Set(numbers)].filter(isLong);
}

function isLiteral(node: ts.Node): boolean {
  return (
    ts.isStringLiteral(node) ||
    ts.isNoSubstitutionTemplateLiteral(node) ||
    ts.isRegularExpressionLiteral(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddleOrTemplateTail(node)
  );
}

type Text = ts.StringLiteral | ts.NoSubstitutionTemplateLiteral | ts.TemplateExpression;

function isText(node: ts.Node): node is Text {
  return (
    ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)
  );
}

function textOf(node: ts.Node): string {
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `_${literal.text}`).join('');
  }
  return ts.isStringLiteralLike(node) ? node.text : '';
}

/** Whether a string is English, and not XML or a list of names. */
function isSentence(text: string): boolean {
  return /[a-z]{2,}[,;:]?(?: [\w'’_]+[,;:]?){3}/.test(text) && !/<\/?\w|^\w+(?:\.\w+)+$/.test(text);
}

function commentsOutside(
  literals: readonly { pos: number; end: number }[],
  text: string,
): { start: number; text: string }[] {
  const sorted = [...literals].sort((a, b) => a.pos - b.pos);
  const found: { start: number; end: number; text: string }[] = [];
  let next = 0;
  const comment = /\/\/.*|\/\*[^]*?\*\//g;
  for (let match = comment.exec(text); match !== null; match = comment.exec(text)) {
    while ((sorted[next]?.end ?? Infinity) <= match.index) next++;
    const literal = sorted[next];
    if (literal !== undefined && literal.pos <= match.index) {
      comment.lastIndex = literal.end;
      continue;
    }
    const previous = found.at(-1);
    const between = previous === undefined ? '' : text.slice(previous.end, match.index);
    const end = match.index + match[0].length;
    // Line comments below one another are one text.
    if (previous?.text.startsWith('//') === true && match[0].startsWith('//') && /^\n[ \t]*$/.test(between)) {
      previous.text += between + match[0];
      previous.end = end;
    } else found.push({ start: match.index, end, text: match[0] });
  }
  return found;
}

/** Starts a passage at each empty line, list item, table row and tag. Leaves out code blocks and headings. */
function paragraphs(type: Passage['type'], lines: readonly ProseLine[]): Passage[] {
  const passages: ProseLine[][] = [];
  let isCode = false;
  let current: ProseLine[] | undefined;
  for (const { number, text } of lines) {
    if (/^\s*```/.test(text)) isCode = !isCode;
    if (isCode || /^\s*(?:```|#+ |$)/.test(text)) {
      current = undefined;
      continue;
    }
    if (current === undefined || /^\s*(?:[-*] |\d+\. |\||@\w)/.test(text)) passages.push((current = []));
    current.push({ number, text: blanked(text) });
  }
  return passages.map((passage) => ({ type, lines: passage }));
}

const blanked = (text: string): string =>
  text
    .replace(/^\s*(?:[-*]|\d+\.) /, '')
    .replace(/^\s*@(?:param|template) \S+ (?:- )?/, '')
    .replace(/^\s*@\w+ /, '')
    .replace(/`[^`]*`/g, '`_`')
    .replace(/\{@link [^}]*\}/g, '`_`')
    .replace(/\]\([^)]*\)/g, ']');
