import { random } from '../support/random/random.ts';
import { mutator } from './mutate.ts';
import type { Decoder } from './sample.ts';
import { sizeOf } from './sizeOf.ts';

/** The errors of decoders. */
const TYPED = new Set(['DecodeError', 'HttpError', 'NetworkError', 'SoapFault', 'EwsError']);
/** The allowed size of the output: a constant, and a factor per character of the input. */
const WEIGHT = 4_000;
const WEIGHT_PER_CHARACTER = 4;

/** An input with a forbidden result. */
export interface Finding {
  readonly sample: string;
  /** The number of the input for its seed. */
  readonly input: number;
  readonly problem: string;
  readonly text: string;
}

/** The result of all inputs. */
export interface FuzzReport {
  readonly decoder: string;
  readonly inputs: number;
  /** The number of inputs that were read without an error. */
  readonly read: number;
  /** The number of rejected inputs, by the name of the error. */
  readonly refused: ReadonlyMap<string, number>;
  readonly characters: number;
  /** The time of the slowest input, in milliseconds. It is only reported. */
  readonly slowestMs: number;
  readonly findings: readonly Finding[];
}

/** The inputs to test. */
export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** The number of the first input. @default 0 */
  readonly first?: number;
}

/**
 * Runs a decoder with randomly changed messages, and returns the inputs with a forbidden result: an error of
 * another type, or output that is larger than the input.
 *
 * The specs of hostile texts measure the work of decoders in steps.
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

/** Creating errors without stacks takes half of the time, and most inputs end in an error. */
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
