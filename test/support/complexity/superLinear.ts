import { countedRegExp } from './countedRegExp.ts';
import { type Pump, pumpsOf } from './pumps.ts';

/** What a text four times as long may take: a little more than four times as many steps. */
const MOST_GROWTH = 6;
/** A pattern that takes more steps than that for each character is none to wait for. */
const MOST_STEPS_PER_CHARACTER = 1000;

/** How the steps of a pattern grow from a pump to one that is four times as long. */
export function growthOf(pattern: RegExp, { beginning, piece, end }: Pump, length: number): number {
  const count = Math.max(8, Math.ceil(length / piece.length));
  const [few, many] = [count, 4 * count].map((repeats) =>
    stepsOf(pattern, beginning + piece.repeat(repeats) + end),
  );
  return many === Infinity ? Infinity : (many ?? 0) / (few ?? 1);
}

/** The steps that it takes to find all matches in a text, as the platform searches; Infinity for too many. */
function stepsOf(pattern: RegExp, text: string): number {
  const maxSteps = MOST_STEPS_PER_CHARACTER * (text.length + 1);
  const counted = countedRegExp(pattern, maxSteps);
  let steps = 0;
  for (let from = 0; from <= text.length;) {
    const match = counted.exec(text, from, pattern.sticky);
    steps += match.steps;
    if (steps > maxSteps) return Infinity;
    if (match.found === undefined) break;
    const [start, end] = match.found;
    from = Math.max(end, start + 1);
  }
  return steps;
}

/** A text that a pattern takes more than linear time for, if there is one. */
export function superLinearPump(pattern: RegExp): Pump | undefined {
  return pumpsOf(pattern).find(
    // A loop of a bounded length looks like the square of it until the text is longer: short texts only choose.
    (pump) => growthOf(pattern, pump, 32) > 4.5 && growthOf(pattern, pump, 500) > MOST_GROWTH,
  );
}
