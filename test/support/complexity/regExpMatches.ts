import { countedRegExp } from './countedRegExp.ts';

/** Returns the start and the end of each match in a text, as the platform finds them. */
export function platformMatches({ source, flags }: RegExp, text: string): (readonly [number, number])[] {
  return [...text.matchAll(new RegExp(source, `${flags}g`))].map(({ index, 0: { length } }) => [
    index,
    index + length,
  ]);
}

/** The same, as the matcher that counts steps finds them; undefined if that takes too many. */
export function countedMatches(pattern: RegExp, text: string): (readonly [number, number])[] | undefined {
  const counted = countedRegExp(pattern, 10_000);
  const matches: (readonly [number, number])[] = [];
  for (let from = 0; from <= text.length;) {
    const { found, steps } = counted.exec(text, from);
    if (steps > 10_000) return undefined;
    if (found === undefined) break;
    const [start, end] = found;
    matches.push(found);
    from = end > start ? end : end + (pattern.unicode && (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  return matches;
}
