import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { fromEvent, map, merge, type Observable } from 'rxjs';

/** What a command needs of the world, so that it can be run in a spec too. */
export interface Terminal {
  /** Writes one line of results. */
  readonly out: (line: string) => void;
  /** Writes one line about what is going on. */
  readonly err: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Emits the signal's name when the user wants the command to end. */
  readonly interrupted$: Observable<string>;
  /** Asks for something that must not be seen while it is typed. It rejects where nobody can be asked. */
  readonly askSecret: (question: string) => Promise<string>;
}

/** Returns the terminal that the process runs in. */
export function processTerminal(): Terminal {
  return {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    env: process.env,
    interrupted$: merge(
      fromEvent(process, 'SIGINT').pipe(map(() => 'SIGINT')),
      fromEvent(process, 'SIGTERM').pipe(map(() => 'SIGTERM')),
    ),
    askSecret: async (question) => {
      if (!process.stdin.isTTY) throw new Error('there is no terminal to ask on');
      process.stderr.write(question);
      const silent = new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      });
      const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
      try {
        return await reader.question('');
      } finally {
        reader.close();
        process.stderr.write('\n');
      }
    },
  };
}
