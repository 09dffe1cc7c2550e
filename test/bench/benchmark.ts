/** What one round came to: times in milliseconds under `ms`, counts and sizes under their own names. */
export type Measures = Readonly<Record<string, number>>;

/** Does the work once. */
export type Round = () => Measures | Promise<Measures>;

/** Prepares one way of doing the work, in a process of its own; what it returns is called once a round. */
export type Contender = () => Round | Promise<Round>;

/** What is wanted of the median of a measure, or of its ratio or difference to another. */
export interface Goal {
  readonly measure: string;
  readonly of: string;
  /** The contender that it is divided by. @default the figure itself, not a ratio */
  readonly per?: string;
  /** The contender that is subtracted. @default none */
  readonly minus?: string;
  /** The measure of the other one. @default the same */
  readonly perMeasure?: string;
  /** @default no bound */
  readonly atMost?: number;
  /** @default no bound */
  readonly atLeast?: number;
}

/** One piece of work, and who does it. */
export interface Benchmark {
  /** What is done, in one line. */
  readonly work: string;
  /** How many rounds are measured. @default 15 */
  readonly rounds?: number;
  /** How many rounds go before those. @default 3 */
  readonly warmUpRounds?: number;
  readonly contenders: Readonly<Record<string, Contender>>;
  readonly goals: readonly Goal[];
}

/** Imports what only the benchmarks need; it is installed in their own folder. */
export async function peer<Module>(name: string): Promise<Module> {
  return (await import(name)) as Module;
}
