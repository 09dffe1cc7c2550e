import { RegExpParser } from '@eslint-community/regexpp';
import { compile, type Program } from './regExpProgram.ts';

/** The match of a {@link CountedRegExp}, if any, and the steps of the search. */
export interface CountedMatch {
  /** The start and the end of the match; undefined if there is none. */
  readonly found: readonly [start: number, end: number] | undefined;
  /** More than `maxSteps` if the search was abandoned. */
  readonly steps: number;
}

/** A regular expression that counts its backtracking steps. */
export interface CountedRegExp {
  /**
   * Searches at each index from the given one, as the platform does.
   *
   * @param isSticky Whether to try only the first index. @default false
   */
  exec(text: string, from?: number, isSticky?: boolean): CountedMatch;
}

/** The starts of iterations, latest first. */
interface Mark {
  readonly slot: number;
  readonly at: number;
  readonly before: Mark | undefined;
}

/**
 * Returns a backtracking matcher that finds the same matches as the platform and counts its steps.
 *
 * @param maxSteps The steps after which a search is abandoned. @default Infinity
 * @throws Error for a pattern with a lookbehind, a back reference, a modifier or the flag `v`
 */
export function countedRegExp({ source, flags }: RegExp, maxSteps: number = Infinity): CountedRegExp {
  if (flags.includes('v')) throw new Error('the step counter does not support the flag v');
  const isUnicode = flags.includes('u');
  const pattern = new RegExpParser().parsePattern(source, 0, source.length, { unicode: isUnicode });
  const program = compile(pattern.alternatives, flags);
  const charAt = (text: string, at: number): string =>
    isUnicode ? String.fromCodePoint(text.codePointAt(at) ?? 0) : text.charAt(at);

  return {
    exec: (text: string, from: number = 0, isSticky: boolean = false): CountedMatch => {
      let steps = 0;
      const endOf = (instructions: Program, start: number): number | undefined => {
        const untried: { readonly next: number; readonly at: number; readonly marks: Mark | undefined }[] =
          [];
        let [next, at, marks]: [number, number, Mark | undefined] = [0, start, undefined];
        for (;;) {
          const instruction = instructions[next];
          if (instruction === undefined) return at;
          steps += 1;
          if (steps > maxSteps) return undefined;
          let fails = false;
          next += 1;
          switch (instruction.op) {
            case 'character': {
              const character = at < text.length ? charAt(text, at) : '';
              fails = character === '' || !instruction.matches(character);
              at += character.length;
              break;
            }
            case 'assert':
              fails = !instruction.holds(text, at);
              break;
            case 'look':
              fails = (endOf(instruction.program, at) === undefined) !== instruction.negate;
              break;
            case 'either':
              untried.push({ next: instruction.second, at, marks });
              next = instruction.first;
              break;
            case 'jump':
              next = instruction.to;
              break;
            case 'begin':
              marks = { slot: instruction.slot, at, before: marks };
              break;
            case 'advance': {
              let mark = marks;
              while (mark !== undefined && mark.slot !== instruction.slot) mark = mark.before;
              fails = mark?.at === at;
            }
          }
          if (!fails) continue;
          const other = untried.pop();
          if (other === undefined) return undefined;
          ({ next, at, marks } = other);
        }
      };

      for (let start = from; start <= text.length; start += charAt(text, start).length || 1) {
        const end = endOf(program, start);
        if (end !== undefined) return { found: [start, end], steps };
        if (isSticky || steps > maxSteps) break;
      }
      return { found: undefined, steps };
    },
  };
}
