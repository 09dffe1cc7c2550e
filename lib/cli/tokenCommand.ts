import { spawn } from 'node:child_process';
import { asyncScheduler } from 'rxjs';
import { type Auth, bearer } from '../core/auth/auth.ts';
import type { IssuedToken } from '../core/auth/withToken.ts';

/** More than any token has. */
const MOST_BYTES = 65_536;

/**
 * Returns an {@link Auth} whose tokens are the first line that a command prints.
 *
 * The command runs in a shell before the first request, again shortly before its token expires if that is a
 * JWT, and again after the server has refused a token. It may talk to the user: it has the terminal's input,
 * and its errors are shown. Its output is not.
 */
export function tokenCommand(command: string): Auth {
  return bearer(async () => issued(await firstLineOf(command)));
}

/** Resolves with the first line; rejects without the output, which can contain the token. */
function firstLineOf(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['inherit', 'pipe', 'inherit'] });
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) chunks.push(chunk);
    });
    child.on('error', () => reject(new Error('the token command cannot be started')));
    child.on('close', (code, signal) => {
      const [line = ''] = Buffer.concat(chunks).toString().split(/\r?\n/, 1);
      if (code !== 0)
        reject(new Error(`the token command has failed (${code === null ? signal : `exit code ${code}`})`));
      else if (line.trim() === '') reject(new Error('the token command has printed no token'));
      else resolve(line.trim());
    });
  });
}

/** Returns the token with its expiry, if it is a JWT that has one. */
export function issued(token: string): IssuedToken {
  const exp = expiryOf(token);
  if (exp === undefined) return { token };
  return { token, expiresInSeconds: Math.max(0, exp - asyncScheduler.now() / 1000) };
}

/** Returns the claim `exp`, in seconds of the epoch. [RFC 7519] */
function expiryOf(token: string): number | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      exp?: unknown;
    };
    return typeof exp === 'number' ? exp : undefined;
  } catch {
    return undefined;
  }
}
