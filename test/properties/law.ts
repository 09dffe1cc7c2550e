import fc from 'fast-check';
import type { Figures } from './report.ts';

/** A law, as a sentence that is tried. */
export interface Law {
  /** As CONTRIBUTING counts them. */
  readonly number: number;
  /** Such as `law 2, UCWA: unsubscribing mid-acquire does not leak`. */
  readonly name: string;
  /** Tries so many programs of a seed. */
  readonly attempt: (programs: number, seed: number, path?: string) => Promise<Attempt>;
}

/** What came of trying. */
export interface Attempt {
  readonly programs: number;
  readonly figures: Figures;
  /** Undefined where the law held. */
  readonly failure: Failed | undefined;
}

/** A program that breaks a law. */
export interface Failed {
  readonly seed: number;
  readonly path: string;
  /** The shortest such program that was found, as a story. */
  readonly story: string;
  readonly breaches: readonly string[];
  /** What went over the wire and was told, in order. */
  readonly trace: readonly string[];
}

/** What one program of a law came to. */
export interface Trial {
  readonly breaches: readonly string[];
  readonly figures?: Figures;
  readonly trace?: readonly string[];
}

/** Nothing yet. */
export const NO_FIGURES: Figures = {
  ...{ events: 0, faults: 0, subscriptions: 0, leaks: 0, losses: 0, doubles: 0, uncaught: 0 },
};

/** Adds what was counted. */
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

/** What a program must do to break a law: its breaches. */
class Broken extends Error {
  readonly trial: Trial;

  constructor(trial: Trial) {
    super(trial.breaches.join('\n'));
    this.trial = trial;
  }
}

/**
 * Makes a law of a sentence.
 *
 * @param programs Which programs it is tried with.
 * @param run Runs one, and says what broke a law.
 * @param tell Tells one as a story.
 */
export function law<Program>(
  number: number,
  sentence: string,
  programs: fc.Arbitrary<Program>,
  run: (program: Program) => Promise<Trial>,
  tell: (program: Program) => string,
): Law {
  const attempt = async (numRuns: number, seed: number, path?: string): Promise<Attempt> => {
    let figures = NO_FIGURES;
    let tried = 0;
    let isBroken = false;
    const property = fc.asyncProperty(programs, async (program) => {
      const trial = await run(program);
      // What is tried to shorten a program that fails does not count.
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
      // One that breaks a law is told before it is the shortest, if it takes too long to shorten it.
      interruptAfterTimeLimit: LONGEST_MS,
    });
    if (!details.failed) return { programs: tried, figures, failure: undefined };
    const { counterexample, counterexamplePath, errorInstance } = details;
    const { breaches, trace = [] }: Trial =
      errorInstance instanceof Broken ? errorInstance.trial : { breaches: [String(errorInstance)] };
    const story = counterexample === null ? 'no program' : tell(counterexample[0]);
    return {
      programs: tried,
      figures,
      failure: { seed, path: counterexamplePath ?? '', story, breaches, trace },
    };
  };
  return { number, name: `law ${number}, ${sentence}`, attempt };
}
