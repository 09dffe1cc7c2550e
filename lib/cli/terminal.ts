import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import {
  fromEventPattern,
  merge,
  type Observable,
  asyncScheduler,
  defer,
  finalize,
  mergeMap,
  of,
  tap,
} from 'rxjs';
import { excerpt, UNPRINTABLE } from '../core/text.ts';
import { shownPath } from '../core/transport/requestLog.ts';
import {
  type HttpRequest,
  type HttpResponse,
  type Middleware,
  readText,
} from '../core/transport/transport.ts';

/** The environment of a command, replaceable in specs. */
export interface Terminal {
  /**
   * Writes one line of results.
   *
   * Control characters, including line breaks, are written as `\uXXXX`, which does not change a JSON value.
   */
  readonly out: (line: string) => void;
  /** Writes one line about progress: at most 2000 characters, with U+FFFD in place of control characters. */
  readonly err: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Emits the name of the signal when the user interrupts the command. */
  readonly interrupted$: Observable<string>;
  /** Ends the process immediately. */
  readonly exit: (code: number) => void;
  /** Prompts for a secret without echoing it; rejects without an interactive terminal. */
  readonly askSecret: (question: string) => Promise<string>;
}

/** The parts of a process that a terminal uses. */
export interface Host extends Pick<NodeJS.EventEmitter, 'on' | 'off'>, Pick<NodeJS.Process, 'exit'> {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Terminal['env'];
}

/** The longest line about progress, in characters. */
const LONGEST_LINE = 2000;

/** Returns the terminal of a process. @default host this process */
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
      if (host.stdin.isTTY !== true) throw new Error('standard input is not a terminal');
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
    // By code unit, because JSON has no other escape for supplementary characters.
    Array.from({ length: characters.length }, (_, index) => {
      const unit = characters.charCodeAt(index).toString(16);
      return `\\u${unit.padStart(4, '0')}`;
    }).join(''),
  );
}

/**
 * Returns middleware that prints each exchange as one line: method, path, status and milliseconds.
 *
 * For SOAP it also prints the operation and the response code. Queries are omitted, and texts are limited to
 * 300 characters.
 */
export function printExchanges(terminal: Terminal): Middleware {
  return (transport) => (request) =>
    defer(() => {
      const startedAt = asyncScheduler.now();
      let isPrinted = false;
      const print = (result: string): void => {
        isPrinted = true;
        const path = shownPath(request.url);
        const ms = Math.round(asyncScheduler.now() - startedAt);
        terminal.out(`  → ${request.method} ${path}${operationIn(request)}  ${excerpt(result)}  ${ms} ms`);
      };
      return transport(request).pipe(
        mergeMap((response) => {
          const printStatus = (code: string): void => print(`${response.status}${code}`);
          // The body of a stream has no end to wait for.
          return isStream(request) ? unread(response, printStatus) : read(response, printStatus);
        }),
        tap({
          error: (error: unknown) => {
            print(error instanceof Error ? error.message : String(error));
          },
        }),
        finalize(() => {
          if (!isPrinted) print('cancelled');
        }),
      );
    });
}

function operationIn({ body = '' }: HttpRequest): string {
  const [, name] = /<soap:Body><m:(\w{1,64})/.exec(body) ?? [];
  return name === undefined ? '' : ` ${name}`;
}

function isStream(request: HttpRequest): boolean {
  return operationIn(request) === ' GetStreamingEvents';
}

function unread(response: HttpResponse, printStatus: (code: string) => void): Observable<HttpResponse> {
  printStatus('');
  return of(response);
}

/** Prints the response code of SOAP; other responses pass unread. */
function read(response: HttpResponse, printStatus: (code: string) => void): Observable<HttpResponse> {
  if (response.headers.get('content-type')?.startsWith('text/xml') !== true) {
    return unread(response, printStatus);
  }
  return readText(response, 'SOAP response').pipe(
    mergeMap((text) => {
      const [, code] = /ResponseCode>(\w{1,64})</.exec(text) ?? [];
      printStatus(code === undefined ? '' : ` ${code}`);
      return of({ ...response, body$: of(new TextEncoder().encode(text)) });
    }),
  );
}
