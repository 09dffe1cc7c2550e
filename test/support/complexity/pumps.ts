import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { characterTest } from './regExpProgram.ts';

/** A text with a repeated piece between a beginning and an end. */
export interface Pump {
  readonly beginning: string;
  readonly piece: string;
  readonly end: string;
}

/** Pieces that may repeat in a text of any format. */
export const SEPARATORS: readonly string[] = [
  ...['\u2028', '\u2029', '\r\n', '\n', '\r', '\0', '\t ', ' '],
  ...[', ', ',', '; ', ';', '--', '/', '//', '.', '..', '=', '&', '?', '#', '%', '%41', ':', '"', '\\', '@'],
];

/** Characters of every class that a pattern may distinguish, the most likely first. */
const CHARACTERS = [
  ...'a Z 0 _ -'.split(' '),
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  ...['\u0085', '\u00a0', 'é', 'İ', 'ſ', '\u2028', '\u2029', '\u212a', '\uFEFF', '\ud800', '😀'],
];

/**
 * Returns texts that are likely to be the slowest for a pattern.
 *
 * Each starts with a text that matches up to a loop of the pattern. Then a character of each class, two of
 * those in loops, or a part of the pattern repeats. The end matches the rest of the pattern, or all but its
 * last character.
 */
export function pumpsOf({ source, flags }: RegExp): Pump[] {
  const pattern = new RegExpParser().parsePattern(source, 0, source.length, { unicode: flags.includes('u') });
  const characters = [...new Set([...CHARACTERS, ...Array.from(source)])];
  const classes = new Set<string>();
  const loopClasses = new Set<string>();
  const parts = new Set<string>();
  const leads = new Set<string>(['']);
  const rests = new Set<string>();

  /** Returns the shortest text that matches a sequence of elements. */
  const sampleOf = (elements: readonly AST.Element[]): string => elements.map(sampleOfOne).join('');
  const sampleOfOne = (element: AST.Element): string => {
    switch (element.type) {
      case 'Quantifier':
        return sampleOfOne(element.element).repeat(Math.max(1, element.min));
      case 'Assertion':
      case 'CapturingGroup':
      case 'Group':
        return 'alternatives' in element ? sampleOf(element.alternatives[0]?.elements ?? []) : '';
      default:
        return characters.find(characterTest(element.raw, flags)) ?? '';
    }
  };

  const walk = (elements: readonly AST.Element[], before: string, after: string, isLooped: boolean): void => {
    let lead = before;
    elements.forEach((element, index) => {
      const rest = sampleOf(elements.slice(index + 1)) + after;
      const isLoop = element.type === 'Quantifier' && element.max === Infinity;
      const inner = element.type === 'Quantifier' ? element.element : element;
      if (isLoop) {
        leads.add(lead);
        rests.add(rest).add(rest.slice(0, -1));
      }
      if ('alternatives' in inner) {
        for (const alternative of inner.alternatives) {
          parts.add(sampleOf(alternative.elements));
          walk(alternative.elements, lead, rest, isLooped || isLoop);
        }
      } else if (inner.type !== 'Assertion') {
        classes.add(inner.raw);
        if (isLooped || isLoop) loopClasses.add(inner.raw);
      }
      if (inner.type !== 'Assertion') lead += sampleOfOne(element);
    });
    leads.add(lead);
  };
  for (const { elements } of pattern.alternatives) walk(elements, '', '', false);

  const kinds = kindsOf(characters, classes, flags);
  const loopKinds = kindsOf(characters, loopClasses, flags);
  const pairs = loopKinds.flatMap((one) => loopKinds.map((other) => one + other));
  const led = loopKinds.flatMap((kind) => [...leads].map((lead) => kind + lead));
  const pieces = [...new Set([...kinds, ...pairs, ...led, ...parts, ...leads, ...SEPARATORS])];
  const ends = [...new Set(['', '\n', '\0', '@', ...rests])];
  return [...leads].flatMap((beginning) =>
    pieces.filter((piece) => piece !== '').flatMap((piece) => ends.map((end) => ({ beginning, piece, end }))),
  );
}

/** Returns one character for each combination of classes, line terminators and word characters. */
function kindsOf(characters: readonly string[], classes: ReadonlySet<string>, flags: string): string[] {
  const tests = [...classes, '[\\n\\r\\u2028\\u2029]', '\\w'].map((raw) => characterTest(raw, flags));
  const byKind = new Map<string, string>();
  for (const character of characters) {
    const kind = tests.map((test) => Number(test(character))).join('');
    if (!byKind.has(kind)) byKind.set(kind, character);
  }
  return [...byKind.values()];
}
