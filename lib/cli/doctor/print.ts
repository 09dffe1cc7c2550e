import type { Terminal } from '../terminal.ts';
import type { Finding } from './steps.ts';

/** Prints findings as they come, or all of them as one JSON object. */
export interface Printer {
  readonly found: (finding: Finding) => void;
  /** Prints the recommended code, and returns the exit code. */
  readonly end: (findings: readonly Finding[], code: string | undefined) => number;
}

/** Creates a printer. */
export function printer(terminal: Terminal, isJson: boolean): Printer {
  return {
    found: (finding) => {
      if (isJson) return;
      for (const line of linesOf(finding)) terminal.out(line);
    },
    end: (findings, code) => {
      if (isJson) terminal.out(JSON.stringify({ steps: findings, ...(code === undefined ? {} : { code }) }));
      else
        terminal.out(
          code === undefined ? 'No notifications work: see the first failed step.' : `Use: ${code}`,
        );
      return code === undefined || findings.some(({ state }) => state === 'failed') ? 1 : 0;
    },
  };
}

/** Returns the lines about a finding: a pure function. */
export function linesOf({ step, state, text, advice }: Finding): readonly string[] {
  const line = `${step.padEnd(12)}${state.padEnd(9)}${text}`;
  return advice === undefined ? [line] : [line, `${' '.repeat(21)}→ ${advice}`];
}
