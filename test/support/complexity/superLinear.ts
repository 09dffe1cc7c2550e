import { countedRegExp } from './countedRegExp.ts';
import { type Pump, pumpsOf } from './pumps.ts';

/** The largest growth of the steps for a text four times as long: more than 4, because of constant work. */
const MAX_GROWTH = 6;
/** A limit, so that the check does not wait for a very slow pattern. */
const MAX_STEPS_PER_CHARACTER = 1000;

/** Returns the growth of a pattern's steps from a pump to one four times as long. */
export function growthOf(pattern: RegExp, { beginning, piece, end }: Pump, length: number): number {
  const count = Math.max(8, Math.ceil(length / piece.length));
  const [few, many] = [count, 4 * count].map((repeats) =>
    stepsOf(pattern, beginning + piece.repeat(repeats) + end),
  );
  return many === Infinity ? Infinity : (many ?? 0) / (few ?? 1);
}

/** Returns the steps to find all matches in a text, as the platform does; Infinity for too many. */
function stepsOf(pattern: RegExp, text: string): number {
  const maxSteps = MAX_STEPS_PER_CHARACTER * (text.length + 1);
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

/** Returns a text for which a pattern takes more than linear time, if there is one. */
export function superLinearPump(pattern: RegExp): Pump | undefined {
  return pumpsOf(pattern).find(
    // Short texts only preselect, because a bounded loop looks quadratic before it reaches its bound.
    (pump) => growthOf(pattern, pump, 32) > 4.5 && growthOf(pattern, pump, 500) > MAX_GROWTH,
  );
}
