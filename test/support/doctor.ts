import { expect } from 'chai';
import type { Finding } from '../../lib/cli/doctor/steps.ts';
import { run } from '../../lib/cli/run.ts';
import { specTerminal } from './terminal.ts';

/** The output of `rxchange doctor … --json`. */
export interface Report {
  readonly steps: readonly Finding[];
  readonly code?: string;
}

/** The exit code of a doctor, and its output. */
interface Examination {
  readonly exit: number;
  readonly report: Report;
  readonly text: string;
}

/** Runs a doctor. */
export type Examine = (args: readonly string[], env?: Record<string, string>) => Promise<Examination>;

/** A failure: how it is provoked, the step that finds it, and the text and the advice of that step. */
export type Failure = readonly [
  title: string,
  prepare: () => Promise<readonly [args: readonly string[], env?: Record<string, string>]>,
  step: string,
  text: RegExp,
  advice: RegExp,
];

/** Returns how to run the doctor of a protocol, which prints nothing but its JSON. */
export function doctor(protocol: 'ews' | 'ucwa', waitSeconds: number): Examine {
  return async (args, env = {}) => {
    const terminal = specTerminal(env);
    const exit = await run(terminal, ['doctor', protocol, ...args, '--json', '--wait', String(waitSeconds)]);
    expect(terminal.lines.err).to.deep.equal([]);
    const text = terminal.lines.out.join('\n');
    return { exit, report: JSON.parse(text) as Report, text };
  };
}

/** Specifies that a doctor finds each failure, in the first step that fails. */
export function findsFailures(examine: Examine, failures: readonly Failure[]): void {
  for (const [title, prepare, step, text, advice] of failures) {
    it(`finds ${title}`, async () => {
      const { exit, report } = await examine(...(await prepare()));
      const failed = report.steps.find(({ state }) => state === 'failed');
      expect(failed?.step, JSON.stringify(report)).to.equal(step);
      expect(failed?.text).to.match(text);
      expect(failed?.advice ?? '').to.match(advice);
      expect(exit).to.equal(1);
    }).timeout(20_000);
  }
}

/** Specifies that a doctor rejects these command lines. */
export function rejectsArguments(protocol: 'ews' | 'ucwa', lines: readonly string[]): void {
  for (const line of lines) {
    it(`exits with 2 for the arguments "${line}"`, async () => {
      const args = line.split(' ').filter((arg) => arg !== '');
      expect(await run(specTerminal(), ['doctor', protocol, ...args])).to.equal(2);
    });
  }
}
