import fc from 'fast-check';
import type { Figures } from './report.ts';

/** A law: a sentence that is tested with random programs. */
export interface Law {
  /** The number of the law in CONTRIBUTING. */
  readonly number: number;
  /** Such as `law 2, UCWA: unsubscribing mid-acquire does not leak`. */
  readonly name: string;
  /** Tests the law with this many programs, generated from a seed. */
  readonly attempt: (programs: number, seed: number, path?: string) => Promise<Attempt>;
}

/** The result of a test. */
export interface Attempt {
  readonly programs: number;
  readonly figures: Figures;
  /** Undefined if the law holds. */
  readonly failure: Failed | undefined;
}

/** A program that breaks a law. */
export interface Failed {
  readonly seed: number;
  readonly path: string;
  /** The shortest such program that was found, in words. */
  readonly program: string;
  readonly breaches: readonly string[];
  /** The requests and the outcomes, in order. */
  readonly trace: readonly string[];
}

/** The result of one program. */
export interface Trial {
  readonly breaches: readonly string[];
  readonly figures?: Figures;
  readonly trace?: readonly string[];
}

/** The figures before the first program. */
export const NO_FIGURES: Figures = {
  ...{ events: 0, faults: 0, subscriptions: 0, leaks: 0, losses: 0, doubles: 0, uncaught: 0 },
};

/** Returns the sum of two figures. */
export function plus(one: Figures, other: Figures): Figures {
  return {
    events: one.events + other.events,
    faults: one.faults + other.faults,
    subscriptions: one.subscriptions + other.subscriptions,
    leaks: one.leaks + other.leaks,
    losses: one.losses + other.losses,
    doubles: one.doubles + other.doubles,
    uncaught: one.uncaught + other.uncaught,
  };
}

const LONGEST_MS = 300_000;

/** The error of a program that breaks a law, with its breaches. */
class Broken extends Error {
  readonly trial: Trial;

  constructor(trial: Trial) {
    super(trial.breaches.join('\n'));
    this.trial = trial;
  }
}

/**
 * * Creates a law.
 *
 * * @param programs The programs of the test.
 * * @param run Runs a program, and returns the breaches.
 * * @param inWords Describes a program in words.
 */
export function law<Program>(
  number: number,
  sentence: string,
  programs: fc.Arbitrary<Program>,
  run: (program: Program) => Promise<Trial>,
  inWords: (program: Program) => string,
): Law {
  const attempt = async (numRuns: number, seed: number, path?: string): Promise<Attempt> => {
    let figures = NO_FIGURES;
    let tried = 0;
    let isBroken = false;
    const property = fc.asyncProperty(programs, async (program) => {
      const trial = await run(program);
      // Programs that fast-check runs to shrink a failing one do not count.
      if (!isBroken) {
        tried += 1;
        figures = plus(figures, trial.figures ?? NO_FIGURES);
      }
      if (trial.breaches.length === 0) return;
      isBroken = true;
      throw new Broken(trial);
    });
    const details = await fc.check(property, {
      numRuns,
      seed,
      ...(path === undefined ? {} : { path }),
      // If shrinking takes too long, the program is reported before it is the shortest.
      interruptAfterTimeLimit: LONGEST_MS,
    });
    if (!details.failed) return { programs: tried, figures, failure: undefined };
    const { counterexample, counterexamplePath, errorInstance } = details;
    const { breaches, trace = [] }: Trial =
      errorInstance instanceof Broken ? errorInstance.trial : { breaches: [String(errorInstance)] };
    const described = counterexample === null ? 'no program' : inWords(counterexample[0]);
    return {
      programs: tried,
      figures,
      failure: { seed, path: counterexamplePath ?? '', program: described, breaches, trace },
    };
  };
  return { number, name: `law ${number}, ${sentence}`, attempt };
}
