import { open } from 'node:fs/promises';
import { isSharedMode } from '../node/durableFile.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './arguments.ts';

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
