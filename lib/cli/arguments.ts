import { parseArgs, type ParseArgsConfig } from 'node:util';
import { open } from 'node:fs/promises';
import { isSharedMode } from '../node/durableFile.ts';
import type { Terminal } from './terminal.ts';

/** The options of a command. */
type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

type Parsed<Config extends OptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Config; strict: true; allowPositionals: false }>
>['values'];

/** Returns the options of a command line. @throws UsageError for unknown or invalid arguments */
export function parseOptions<Config extends OptionsConfig>(
  args: readonly string[],
  options: Config,
): Parsed<Config> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    // Node's first sentence names the argument; the rest is about positionals, which no command has.
    const [message] = (cause as Error).message.split('. ', 1);
    throw new UsageError(message, { cause });
  }
}

/** Returns a required option. @throws UsageError if it is missing */
export function required(value: string | undefined, name: string): string {
  if (value === undefined) throw new UsageError(`${name} is missing`);
  return value;
}

/** Returns the value of a numeric option. @throws UsageError if it is not a number */
export function numberArgument(value: string | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || Number.isNaN(number))
    throw new UsageError(`${name} must be a number, but it is ${JSON.stringify(value)}`);
  return number;
}

/** An error in the command line; the message says what to change. */
export class UsageError extends Error {
  readonly _tag = 'UsageError';
  override readonly name: string = 'UsageError';
}

/** The sources of a secret. It is never an argument, which every process of the machine can read. */
interface SecretSource {
  /** Such as `password`. */
  readonly name: string;
  /** The environment variable. */
  readonly variable: string;
  /** The file whose first line is the secret, if the user named one. */
  readonly file: string | undefined;
}

/** Resolves with a password: the first line of the file, RXCHANGE_PASSWORD, or the user's input. */
export function readPassword(terminal: Terminal, file: string | undefined): Promise<string> {
  return readSecret(terminal, { name: 'password', variable: 'RXCHANGE_PASSWORD', file });
}

/** Resolves with a token: the first line of the file, RXCHANGE_TOKEN, or the user's input. */
export function readToken(terminal: Terminal, file: string | undefined): Promise<string> {
  return readSecret(terminal, { name: 'token', variable: 'RXCHANGE_TOKEN', file });
}

async function readSecret(terminal: Terminal, { name, variable, file }: SecretSource): Promise<string> {
  if (file !== undefined) {
    const text = await readPrivateFile(name, file);
    return nonEmpty(text.split(/\r?\n/, 1).join(''), `the first line of the ${name} file ${file}`);
  }
  const fromEnvironment = terminal.env[variable];
  if (fromEnvironment !== undefined) return nonEmpty(fromEnvironment, `the environment variable ${variable}`);
  const answer = await terminal.askSecret(`${name}: `).catch((cause: unknown) => {
    throw new UsageError(
      `no ${name}: set ${variable}, use --${name}-file, or run the command in a terminal`,
      { cause },
    );
  });
  return nonEmpty(answer, `the ${name}`);
}

/** Opens the file once, so that the checked file is the one that is read. Links and pipes are allowed. */
async function readPrivateFile(name: string, file: string): Promise<string> {
  const opened = await open(file).catch((cause: unknown) => {
    throw new UsageError(`the ${name} file ${file} cannot be read`, { cause });
  });
  try {
    const { mode } = await opened.stat();
    if (isSharedMode(mode, process.platform)) {
      throw new UsageError(
        `the ${name} file ${file} is accessible to other users: run chmod 600 on it, and change the ${name}`,
      );
    }
    return await opened.readFile('utf8').catch((cause: unknown) => {
      throw new UsageError(`the ${name} file ${file} cannot be read`, { cause });
    });
  } finally {
    await opened.close();
  }
}

function nonEmpty(secret: string, source: string): string {
  if (secret === '') throw new UsageError(`${source} is empty`);
  return secret;
}
