import { readFileSync } from 'node:fs';

/** Returns the rows of the first table after a heading of a page in docs, without backticks. */
export function tableAfter(page: string, heading: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8');
  const [table = ''] = /^\|(?:.*\n\|)*.*$/m.exec(text.slice(text.indexOf(`\n${heading}\n`))) ?? [];
  return table
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .replaceAll('`', '')
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
