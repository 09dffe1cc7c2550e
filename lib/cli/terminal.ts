import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { fromEventPattern, merge, type Observable } from 'rxjs';

/** What a command needs of the world, so that it can be run in a spec too. */
export interface Terminal {
  /** Writes one line of results. */
  readonly out: (line: string) => void;
  /** Writes one line about what is going on. */
  readonly err: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Emits the signal's name when the user wants the command to end. */
  readonly interrupted$: Observable<string>;
  /** Ends the process at once, whatever is under way. */
  readonly exit: (code: number) => void;
  /** Asks for something that must not be seen while it is typed. It rejects where nobody can be asked. */
  readonly askSecret: (question: string) => Promise<string>;
}

/** What of a process a terminal is made of. */
export interface Host extends Pick<NodeJS.EventEmitter, 'on' | 'off'>, Pick<NodeJS.Process, 'exit'> {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Terminal['env'];
}

/** Returns the terminal that a process runs in. @default this process */
export function processTerminal(host: Host = process): Terminal {
  const signals$ = (name: string): Observable<string> =>
    fromEventPattern(
      (handler) => host.on(name, handler),
      (handler) => host.off(name, handler),
      () => name,
    );
  return {
    out: (line) => host.stdout.write(`${line}\n`),
    err: (line) => host.stderr.write(`${line}\n`),
    env: host.env,
    exit: (code) => host.exit(code),
    interrupted$: merge(signals$('SIGINT'), signals$('SIGTERM')),
    askSecret: async (question) => {
      if (host.stdin.isTTY !== true) throw new Error('there is no terminal to ask on');
      host.stderr.write(question);
      const silent = new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      });
      const reader = createInterface({ input: host.stdin, output: silent, terminal: true });
      try {
        return await reader.question('');
      } finally {
        reader.close();
        host.stderr.write('\n');
      }
    },
  };
}
