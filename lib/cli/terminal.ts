import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { fromEventPattern, merge, type Observable } from 'rxjs';
import { excerpt, UNPRINTABLE } from '../core/text.ts';

/** What a command needs of the world, so that it can be run in a spec too. */
export interface Terminal {
  /**
   * Writes one line of results. Characters that could change what a terminal shows, line breaks included, are
   * written as `\uXXXX`, which leaves the value of JSON as it is.
   */
  readonly out: (line: string) => void;
  /** Writes one line about progress: at most 2000 characters, with U+FFFD in place of such characters. */
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

/** How many characters a line about progress has at most. */
const LONGEST_LINE = 2000;

/** Returns the terminal that a process runs in. @default this process */
export function processTerminal(host: Host = process): Terminal {
  const signals$ = (name: string): Observable<string> =>
    fromEventPattern(
      (handler) => host.on(name, handler),
      (handler) => host.off(name, handler),
      () => name,
    );
  return {
    out: (line) => host.stdout.write(`${escaped(line)}\n`),
    err: (line) => host.stderr.write(`${excerpt(line, LONGEST_LINE)}\n`),
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

function escaped(line: string): string {
  return line.replace(UNPRINTABLE, (characters) =>
    // By code units: JSON has no other escape for what lies beyond them.
    Array.from({ length: characters.length }, (_, index) => {
      const unit = characters.charCodeAt(index).toString(16);
      return `\\u${unit.padStart(4, '0')}`;
    }).join(''),
  );
}
