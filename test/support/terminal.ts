import { filter, firstValueFrom, type Observable, ReplaySubject, Subject, timeout } from 'rxjs';
import type { Terminal } from '../../lib/cli/terminal.ts';

/** A terminal that a spec holds the other end of. */
export interface SpecTerminal extends Terminal {
  readonly lines: { readonly out: string[]; readonly err: string[] };
  /** Presses Ctrl-C. */
  readonly interrupt: (signal?: 'SIGINT' | 'SIGTERM') => void;
  /** The codes that the process was to exit with at once. */
  readonly exits$: Observable<number>;
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
  const exits$ = new ReplaySubject<number>(Infinity);
  const questions: string[] = [];
  return {
    lines,
    questions,
    env,
    interrupted$,
    exits$,
    exit: (code) => exits$.next(code),
    interrupt: (signal = 'SIGINT') => interrupted$.next(signal),
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
