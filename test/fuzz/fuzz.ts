import { random } from '../support/random/random.ts';
import { mutator } from './mutate.ts';
import type { Decoder } from './sample.ts';
import { sizeOf } from './sizeOf.ts';

/** Errors that say what is wrong with what was read. */
const TYPED = new Set(['DecodeError', 'HttpError', 'SoapFault', 'EwsError']);
/** What may come out of any input, and of a character of it. */
const WEIGHT = 4_000;
const WEIGHT_PER_CHARACTER = 4;

/** An input that brought out what must not come out. */
export interface Finding {
  readonly sample: string;
  /** Which of the inputs of the seed it is. */
  readonly input: number;
  readonly problem: string;
  readonly text: string;
}

/** What came of the inputs. */
export interface FuzzReport {
  readonly decoder: string;
  readonly inputs: number;
  /** How many were read all the same. */
  readonly read: number;
  /** How many were refused, by the name of the error. */
  readonly refused: ReadonlyMap<string, number>;
  readonly characters: number;
  /** How long the slowest took, in milliseconds: a figure, of which no finding is made. */
  readonly slowestMs: number;
  readonly findings: readonly Finding[];
}

/** Which inputs to try. */
export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** The number of the first. @default 0 */
  readonly first?: number;
}

/**
 * Gives a decoder messages that were changed at random, and returns the inputs that it neither reads nor
 * refuses: those that bring out an error that is not its own, or more than the input contains.
 *
 * The time that readers take is counted in steps by the specs of hostile answers.
 */
export function fuzz(decoder: Decoder, { inputs, seed, first = 0 }: FuzzOptions): FuzzReport {
  const mutant = mutator(decoder);
  const refused = new Map<string, number>();
  const findings: Finding[] = [];
  let [read, characters, slowestMs] = [0, 0, 0];

  for (let input = first; input < first + inputs; input += 1) {
    const { sample, text } = mutant(random(seed, input));
    const { name, read: readSample } = decoder.samples[sample]!;
    const attempt = (limit?: number): Attempt =>
      tried(() => readSample(text, random(seed, -input - 2)), limit);
    const found = (problem: string): void => void findings.push({ sample: name, input, problem, text });

    const { ms, value, error } = attempt();
    characters += text.length;
    const tag = tagOf(error);
    if (error === undefined) read += 1;
    else if (TYPED.has(tag)) refused.set(tag, (refused.get(tag) ?? 0) + 1);
    else found(`it threw ${stackOf(attempt(10).error)}`);

    const weight = error instanceof Error ? error.message.length : sizeOf(value);
    const mostWeight = WEIGHT + text.length * WEIGHT_PER_CHARACTER;
    if (weight > mostWeight) found(`${weight} came out of ${text.length} characters`);

    slowestMs = Math.max(slowestMs, ms);
  }
  return { decoder: decoder.name, inputs, read, refused, characters, slowestMs, findings };
}

interface Attempt {
  readonly ms: number;
  readonly value?: unknown;
  readonly error?: unknown;
}

/** Errors without their stacks are made in half of the time, and most inputs end in one. */
function tried(read: () => unknown, stackTraceLimit = 0): Attempt {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = stackTraceLimit;
  const start = performance.now();
  try {
    const value = read();
    return { ms: performance.now() - start, value };
  } catch (error) {
    return { ms: performance.now() - start, error };
  } finally {
    Error.stackTraceLimit = before;
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : typeof error;
}

function tagOf(error: unknown): string {
  return typeof error === 'object' && error !== null && '_tag' in error ? String(error._tag) : '';
}
