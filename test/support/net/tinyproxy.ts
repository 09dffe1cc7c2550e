import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A running tinyproxy, which is an HTTP proxy of Debian. */
export interface Tinyproxy {
  /** Such as `127.0.0.1:40001`. */
  readonly host: string;
  /** Returns its log. */
  log(): string;
  close(): Promise<void>;
}

/** Returns whether tinyproxy is installed. */
export function hasTinyproxy({ PATH = '' }: NodeJS.ProcessEnv = process.env): boolean {
  return [...PATH.split(delimiter), '/usr/sbin'].some((folder) => existsSync(join(folder, 'tinyproxy')));
}

/**
 * Starts tinyproxy on a free port of this machine.
 *
 * @param directives Lines of its configuration, such as `BasicAuth user password`.
 */
export async function tinyproxy(...directives: readonly string[]): Promise<Tinyproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'rxchange-proxy-'));
  const [config, log] = [join(folder, 'tinyproxy.conf'), join(folder, 'log')];
  const port = await freePort();
  const own = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 600', `LogFile "${log}"`, 'LogLevel Connect'];
  writeFileSync(config, [...own, ...directives, ''].join('\n'));
  const process = spawn('tinyproxy', ['-d', '-c', config], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => process.once('exit', () => resolve()));
  await listening(port, process);
  return {
    host: `127.0.0.1:${port}`,
    log: () => readFileSync(log, 'utf8'),
    close: async () => {
      process.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when the port accepts connections; rejects if the process ends before. */
async function listening(port: number, process: ChildProcess): Promise<void> {
  for (;;) {
    if (process.exitCode !== null) throw new Error(`tinyproxy has exited with code ${process.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
