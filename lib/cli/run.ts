import { readFile } from 'node:fs/promises';
import { demo } from './demo.ts';
import { DOCTOR_EWS_HELP, doctorEws } from './doctor/doctorEws.ts';
import { INSPECT_HELP, inspectPlayground, inspectServer } from './inspect.ts';
import { simulate, SIMULATE_HELP } from './simulate.ts';
import { DOCTOR_UCWA_HELP, doctorUcwa } from './doctor/doctorUcwa.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './arguments.ts';
import { describeError } from './watch.ts';
import { WATCH_EWS_HELP, watchEws } from './watchEws.ts';
import { WATCH_UCWA_HELP, watchUcwa } from './watchUcwa.ts';

const HELP = `rxchange: server-side subscriptions as RxJS Observables

Usage:
  rxchange demo                 subscribe and unsubscribe on two simulated servers
  rxchange inspect …            open a page that shows what the library does
  rxchange watch ews …          print the events of mailboxes as JSON lines until Ctrl-C
  rxchange watch ucwa …         print the presence of contacts as JSON lines until Ctrl-C
  rxchange doctor ews|ucwa …    check step by step whether notifications work, and say what to do
  rxchange simulate ews|ucwa …  run a simulated server on this machine until Ctrl-C
  rxchange COMMAND --help       show the options of a command
  rxchange --version            show the version

Events are printed to standard output, release outcomes and errors to standard error.`;

interface Command {
  readonly help: string;
  readonly run: (terminal: Terminal, args: readonly string[]) => Promise<number>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['demo', { help: HELP, run: demo }],
  ['inspect', { help: INSPECT_HELP, run: inspectPlayground }],
  ['inspect ews', { help: INSPECT_HELP, run: (terminal, args) => inspectServer(terminal, 'ews', args) }],
  ['inspect ucwa', { help: INSPECT_HELP, run: (terminal, args) => inspectServer(terminal, 'ucwa', args) }],
  ['watch ews', { help: WATCH_EWS_HELP, run: watchEws }],
  ['watch ucwa', { help: WATCH_UCWA_HELP, run: watchUcwa }],
  ['doctor ews', { help: DOCTOR_EWS_HELP, run: doctorEws }],
  ['doctor ucwa', { help: DOCTOR_UCWA_HELP, run: doctorUcwa }],
  ['simulate ews', { help: SIMULATE_HELP, run: (terminal, args) => simulate(terminal, 'ews', args) }],
  ['simulate ucwa', { help: SIMULATE_HELP, run: (terminal, args) => simulate(terminal, 'ucwa', args) }],
]);

/** Runs a command line; resolves with the exit code: 0, 1 after a failure, 2 after a usage error. */
export async function run(terminal: Terminal, args: readonly string[]): Promise<number> {
  const words = args.slice(0, 2).join(' ');
  const name = COMMANDS.has(words) ? words : (args[0] ?? '');
  const command = COMMANDS.get(name);
  const rest = args.slice(name.split(' ').length);
  if (hasOption(args, '--help', '-h')) {
    writeLines(terminal.out, command?.help ?? HELP);
    return 0;
  }
  if (command === undefined) {
    if (hasOption(args, '--version')) {
      terminal.out(await version());
      return 0;
    }
    if (args.length === 0) writeLines(terminal.err, HELP);
    else terminal.err(`rxchange: ${problemOf(args)}; see rxchange --help`);
    return 2;
  }
  try {
    return await command.run(terminal, rest);
  } catch (error) {
    // The library's message about an invalid option helps the user of the command, too.
    const isUsage = error instanceof UsageError || error instanceof TypeError;
    terminal.err(
      isUsage
        ? `rxchange ${name}: ${error.message}; see rxchange ${name} --help`
        : `rxchange ${name}: ${describeError(error)}`,
    );
    return isUsage ? 2 : 1;
  }
}

function problemOf([first = '', second = '']: readonly string[]): string {
  const protocols = [...COMMANDS.keys()].flatMap((name) => (name.startsWith(`${first} `) ? [name] : []));
  if (protocols.length === 0) return `unknown command "${first}"`;
  const problem =
    second === '' || second.startsWith('-') ? 'needs a protocol' : `does not know the protocol "${second}"`;
  return `${first} ${problem}: ${protocols.join(' or ')}`;
}

function writeLines(write: (line: string) => void, text: string): void {
  for (const line of text.split('\n')) write(line);
}

function hasOption(args: readonly string[], ...options: readonly string[]): boolean {
  return args.some((arg) => options.includes(arg));
}

/** Returns the version in package.json, which is next to lib in the sources, one level up in the build. */
async function version(): Promise<string> {
  for (const path of ['../../package.json', '../../../package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => undefined);
    if (text !== undefined) return (JSON.parse(text) as { version: string }).version;
  }
  return 'unknown';
}
