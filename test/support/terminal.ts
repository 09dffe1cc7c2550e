import { filter, firstValueFrom, type Observable, ReplaySubject, Subject, timeout } from 'rxjs';
import type { Terminal } from '../../lib/cli/terminal.ts';

/** A terminal that a spec controls. */
export interface SpecTerminal extends Terminal {
  readonly lines: { readonly out: string[]; readonly err: string[] };
  /** Sends a signal, such as that of Ctrl-C. */
  readonly interrupt: (signal?: 'SIGINT' | 'SIGTERM') => void;
  /** The codes with which the process was to exit immediately. */
  readonly exits$: Observable<number>;
  /** Resolves with the first matching line on standard output, past or future. */
  readonly line: (pattern: RegExp) => Promise<string>;
  /** The prompts for secrets. */
  readonly questions: string[];
}

/** Creates a terminal with this answer to every prompt, or without a user. */
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
      return answer === undefined ? Promise.reject(new Error('no user')) : Promise.resolve(answer);
    },
  };
}
