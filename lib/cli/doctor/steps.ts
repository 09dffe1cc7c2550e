/** The result of one step of the doctor. */
export interface StepResult<Facts> {
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  /** The finding, in one sentence without secrets. */
  readonly text: string;
  /** What to do, unless the state is `ok`. */
  readonly advice?: string;
  /** Facts for later steps. */
  readonly facts?: Partial<Facts>;
}

/** A step of the doctor. */
export interface Step<Facts> {
  readonly name: string;
  /** The names of earlier steps; if one of them has failed or was skipped, this step is skipped. */
  readonly needs: readonly string[];
  readonly run: (facts: Facts) => Promise<StepResult<Facts>>;
}

/** A step that is over, as it is printed. */
export interface Finding {
  readonly step: string;
  readonly state: StepResult<unknown>['state'];
  readonly text: string;
  readonly advice?: string;
}

/** The findings of all steps, and the facts that they have gathered. */
export interface Diagnosis<Facts> {
  readonly findings: readonly Finding[];
  readonly facts: Facts;
}

/**
 * Runs the steps one after the other.
 *
 * A step that rejects has failed, with the message of its error.
 *
 * @param found Called with each finding.
 */
export async function runSteps<Facts>(
  steps: readonly Step<Facts>[],
  initial: Facts,
  found: (finding: Finding) => void,
): Promise<Diagnosis<Facts>> {
  const findings: Finding[] = [];
  let facts = initial;
  for (const { name, needs, run } of steps) {
    const missing = needs.find(
      (need) => !findings.some(({ step, state }) => step === need && isUsable(state)),
    );
    const { facts: more, ...result } =
      missing === undefined
        ? await run(facts).catch((error: unknown) => failureOf<Facts>(error))
        : skipped<Facts>(`it needs ${missing}`);
    facts = { ...facts, ...more };
    const finding = { step: name, ...result };
    findings.push(finding);
    found(finding);
  }
  return { findings, facts };
}

/** Returns the result of a step that has nothing to do. */
export function skipped<Facts>(reason: string): StepResult<Facts> {
  return { state: 'skipped', text: reason };
}

/** Returns the result of a step that has failed with an error. */
export function failureOf<Facts>(error: unknown, advice?: string): StepResult<Facts> {
  const text = error instanceof Error ? error.message : String(error);
  return { state: 'failed', text, ...(advice === undefined ? {} : { advice }) };
}

function isUsable(state: Finding['state']): boolean {
  return state === 'ok' || state === 'warning';
}
