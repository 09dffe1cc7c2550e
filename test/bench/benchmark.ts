/** The result of one round: times in milliseconds under `ms`, counts and sizes under their own names. */
export type Measures = Readonly<Record<string, number>>;

/** Does the work once. */
export type Round = () => Measures | Promise<Measures>;

/** Prepares one way of doing the work, in its own process. The returned function is called once per round. */
export type Contender = () => Round | Promise<Round>;

/** The goal of the median of a measure, or of its ratio or difference to another contender. */
export interface Goal {
  readonly measure: string;
  readonly of: string;
  /** The contender to divide by. @default the figure itself, not a ratio */
  readonly per?: string;
  /** The contender to subtract. @default none */
  readonly minus?: string;
  /** The measure of the other contender. @default the same */
  readonly perMeasure?: string;
  /** @default no bound */
  readonly atMost?: number;
  /** @default no bound */
  readonly atLeast?: number;
}

/** A piece of work, and its contenders. */
export interface Benchmark {
  /** The work, in one line. */
  readonly work: string;
  /** The number of measured rounds. @default 15 */
  readonly rounds?: number;
  /** The number of rounds before the measured ones. @default 3 */
  readonly warmUpRounds?: number;
  readonly contenders: Readonly<Record<string, Contender>>;
  readonly goals: readonly Goal[];
}

/** Imports a package that only the benchmarks need, from their own folder. */
export async function peer<Module>(name: string): Promise<Module> {
  return (await import(name)) as Module;
}
