import { open } from 'node:fs/promises';
import { isSharedMode } from '../node/durableFile.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usageError.ts';

/** Where a secret can come from. It is never an argument: those can be read by every process of the machine. */
interface SecretSource {
  /** What it is, such as `password`. */
  readonly what: string;
  /** The environment variable that can hold it. */
  readonly variable: string;
  /** The file whose first line holds it, where the user named one. */
  readonly file: string | undefined;
}

/** Resolves with a password: the file's first line, RXCHANGE_PASSWORD, or what the user types. */
export function readPassword(terminal: Terminal, file: string | undefined): Promise<string> {
  return readSecret(terminal, { what: 'password', variable: 'RXCHANGE_PASSWORD', file });
}

/** Resolves with a token: the file's first line, RXCHANGE_TOKEN, or what the user types. */
export function readToken(terminal: Terminal, file: string | undefined): Promise<string> {
  return readSecret(terminal, { what: 'token', variable: 'RXCHANGE_TOKEN', file });
}

async function readSecret(terminal: Terminal, { what, variable, file }: SecretSource): Promise<string> {
  if (file !== undefined) {
    const text = await readOwnFile(what, file);
    return nonEmpty(text.split(/\r?\n/, 1).join(''), `the first line of the ${what} file ${file}`);
  }
  const fromEnvironment = terminal.env[variable];
  if (fromEnvironment !== undefined) return nonEmpty(fromEnvironment, `the environment variable ${variable}`);
  const answer = await terminal.askSecret(`${what}: `).catch((cause: unknown) => {
    throw new UsageError(
      `no ${what}: set ${variable}, name a file with --${what}-file, or run it in a terminal`,
      { cause },
    );
  });
  return nonEmpty(answer, `the ${what}`);
}

/** Opened once, so that the file that is checked is the one that is read. Links and pipes are the user's choice. */
async function readOwnFile(what: string, file: string): Promise<string> {
  const opened = await open(file).catch((cause: unknown) => {
    throw new UsageError(`the ${what} file ${file} cannot be read`, { cause });
  });
  try {
    const { mode } = await opened.stat();
    if (isSharedMode(mode, process.platform)) {
      throw new UsageError(
        `the ${what} file ${file} can be used by others: chmod 600 it, and change the ${what}`,
      );
    }
    return await opened.readFile('utf8').catch((cause: unknown) => {
      throw new UsageError(`the ${what} file ${file} cannot be read`, { cause });
    });
  } finally {
    await opened.close();
  }
}

function nonEmpty(secret: string, where: string): string {
  if (secret === '') throw new UsageError(`${where} is empty`);
  return secret;
}
