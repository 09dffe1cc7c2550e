import { readFileSync, statSync } from 'node:fs';
import { filesBelow } from '../docs/filesBelow.ts';
import { type Idiom, IDIOMS, TITLE_IDIOMS } from './idioms.ts';
import { longCommentLines, markdownPassages, type Passage, sourcePassages } from './passages.ts';

export interface ProseReport {
  /** How many lines have words. */
  readonly lines: number;
  /** The lines with an idiom: where, which one, and the words around it. */
  readonly offences: readonly string[];
  /** The comment lines that are too long: where. */
  readonly long: readonly string[];
}

/** Returns where an idiom starts in a passage, as indexes of its lines. */
export function idiomsIn(
  { type, lines }: Passage,
  idioms: readonly Idiom[] = type === 'title' ? [...IDIOMS, ...TITLE_IDIOMS] : IDIOMS,
): { readonly line: number; readonly name: string; readonly words: string }[] {
  const texts = lines.map(({ text }) => text.trim());
  const joined = texts.join(' ');
  return idioms.flatMap(({ name, pattern }) =>
    [...joined.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map(({ index, 0: { length } }) => {
      let line = 0;
      for (let end = texts[0]?.length ?? 0; end < index; end += 1 + (texts[line]?.length ?? 0)) line++;
      const words = joined.slice(Math.max(0, index - 30), index + length + 30);
      return { line: lines[line]?.number ?? 0, name, words };
    }),
  );
}

/** The most words of a title. */
const MOST_WORDS = 12;

/** Returns the titles of specs below folders that have more than 12 words: where, and the title. */
export function longTitles(folder: string): string[] {
  return filesBelow(folder)
    .filter((file) => file.endsWith('-spec.ts'))
    .flatMap((file) =>
      sourcePassages(readFileSync(file, 'utf8'), 'titles')
        .filter(({ type }) => type === 'title')
        .map(({ lines }) => ({ text: lines.map((line) => line.text).join(' '), number: lines[0]?.number }))
        .filter(({ text }) => wordsIn(text) > MOST_WORDS)
        .map(({ text, number }) => `${file}:${number ?? 0}: ${text}`),
    );
}

/** Returns how many words a title has. Punctuation is none. */
export function wordsIn(title: string): number {
  return title.split(/\s+/).filter((word) => /[\w$]/.test(word)).length;
}

/** Reads files, and all sources and pages below folders. */
export function checkProse(...paths: readonly string[]): ProseReport {
  const files = paths.flatMap((path) =>
    statSync(path).isFile() ? [path] : filesBelow(path).filter((name) => /\.(?:ts|md)$/.test(name)),
  );
  const reports = files.map((file) => {
    const text = readFileSync(file, 'utf8');
    const isPage = file.endsWith('.md');
    const strings = file.startsWith('test') ? 'titles' : 'messages';
    const passages = isPage ? markdownPassages(text) : sourcePassages(text, strings);
    const found = passages.flatMap((passage) => idiomsIn(passage));
    const byLine = new Map(found.map((one) => [one.line, one]));
    return {
      lines: passages.flatMap(({ lines }) => lines).filter((line) => /[a-z]{3}/.test(line.text)).length,
      offences: [...byLine.values()].map(({ line, name, words }) => `${file}:${line}: ${name}: …${words}…`),
      long: isPage ? [] : longCommentLines(text, passages).map((line) => `${file}:${line}`),
    };
  });
  return {
    lines: reports.reduce((sum, { lines }) => sum + lines, 0),
    offences: reports.flatMap(({ offences }) => offences),
    long: reports.flatMap(({ long }) => long),
  };
}
