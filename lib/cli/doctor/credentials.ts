import { readFileSync } from 'node:fs';
import { readPassword, readToken, UsageError } from '../arguments.ts';
import type { Terminal } from '../terminal.ts';

/** The user's secret, if there is one. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
}

/** Returns the text of a file. @throws UsageError if it cannot be read */
export function fileOf(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`the file of ${name} cannot be read`, { cause });
  }
}

/** Resolves with the secret that the user gives; without --user and a token, with none. */
export async function credentialsOf(
  terminal: Terminal,
  username: string | undefined,
  passwordFile: string | undefined,
  tokenFile: string | undefined,
): Promise<Credentials> {
  if (username !== undefined) return { username, password: await readPassword(terminal, passwordFile) };
  if (tokenFile === undefined && terminal.env['RXCHANGE_TOKEN'] === undefined) return {};
  return { token: await readToken(terminal, tokenFile) };
}
