import { spawn } from 'node:child_process';

/** A server in a process of its own. */
export interface ChildServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Runs a script of Node that starts a server on this machine and prints its URL. */
export async function childServer(...command: readonly string[]): Promise<ChildServer> {
  const child = spawn(process.execPath, command, {
    env: { ...process.env, NO_COLOR: '1', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('close', () => reject(new Error(`the server has ended:\n${output}`)));
  });
  return {
    url,
    close: () => {
      child.kill();
      return ended;
    },
  };
}
