import { filter, firstValueFrom, ReplaySubject, Subject, timeout } from 'rxjs';
import type { Terminal } from '../../lib/cli/terminal.ts';

/** A terminal that a spec holds the other end of. */
export interface SpecTerminal extends Terminal {
  readonly lines: { readonly out: string[]; readonly err: string[] };
  /** Presses Ctrl-C. */
  readonly interrupt: () => void;
  /** Resolves with the first line on standard output, written or yet to come, that matches. */
  readonly line: (pattern: RegExp) => Promise<string>;
  /** What was asked for without showing it. */
  readonly questions: string[];
}

/** Makes a terminal whose user answers every question with `answer`, or where nobody can be asked. */
export function specTerminal(env: Terminal['env'] = {}, answer?: string): SpecTerminal {
  const out$ = new ReplaySubject<string>(Infinity);
  const interrupted$ = new Subject<string>();
  const lines = { out: [] as string[], err: [] as string[] };
  const questions: string[] = [];
  return {
    lines,
    questions,
    env,
    interrupted$,
    interrupt: () => interrupted$.next('SIGINT'),
    line: (pattern) =>
      firstValueFrom(
        out$.pipe(
          filter((line) => pattern.test(line)),
          timeout(5000),
        ),
      ),
    out: (line) => {
      lines.out.push(line);
      out$.next(line);
    },
    err: (line) => lines.err.push(line),
    askSecret: (question) => {
      questions.push(question);
      return answer === undefined ? Promise.reject(new Error('nobody is there')) : Promise.resolve(answer);
    },
  };
}
