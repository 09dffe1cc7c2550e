import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { certificateFor, type KeyAndCertificate } from '../net/tls.ts';

/** A server that is not ours, in a process of its own. */
export interface Acceptor {
  readonly url: string;
  /** Returns what the server has logged about errors. */
  readonly log: () => string;
  readonly close: () => Promise<void>;
}

/** The configuration of a server: a folder that is removed at the end, and its certificate. */
export interface AcceptorFolder extends KeyAndCertificate {
  readonly path: string;
  /** Writes a file that the server can read, and returns its path. */
  readonly write: (name: string, content: string | Uint8Array) => string;
  readonly remove: () => void;
}

/** Creates a folder with a certificate for `localhost` and this machine's address. */
export function acceptorFolder(): AcceptorFolder {
  const path = mkdtempSync(join(tmpdir(), 'rxchange-acceptor-'));
  // Apache, started as root, reads its files as another user.
  chmodSync(path, 0o755);
  const pair = certificateFor(['127.0.0.1', 'localhost']);
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(path, name), content);
    return join(path, name);
  };
  write('cert.pem', pair.cert);
  write('key.pem', pair.key);
  return { ...pair, path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The interpreter that has the packages of Debian. */
const PYTHON = '/usr/bin/python3';
const MODULES = '/usr/lib/apache2/modules';

/** The packages of Debian that the specs of an acceptor need, by a file of each. */
const PACKAGES: Readonly<Record<string, () => boolean>> = {
  'apache2-bin': () => existsSync('/usr/sbin/apache2'),
  'libapache2-mod-auth-gssapi': () => existsSync(`${MODULES}/mod_auth_gssapi.so`),
  'gss-ntlmssp': () => existsSync('/etc/gss/mech.d/mech.ntlmssp.conf'),
  'python3-gssapi': () => runs(PYTHON, ['-c', 'import gssapi']),
  'krb5-kdc': () => existsSync('/usr/sbin/krb5kdc'),
  'krb5-admin-server': () => existsSync('/usr/sbin/kadmin.local'),
  'krb5-user': () => existsSync('/usr/bin/kinit'),
};

function runs(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, [...args], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Skips all specs of a suite, with the command that installs what is missing. */
export function needs(...packages: readonly string[]): Mocha.Func {
  return function (this: Mocha.Context) {
    const missing = packages.filter((name) => PACKAGES[name]?.() !== true);
    if (missing.length === 0) return;
    // Optional, because not every machine is a Debian: .ci/run installs them.
    console.log(`skipped, because Debian packages are missing: apt-get install ${missing.join(' ')}`);
    this.skip();
  };
}

/** Returns a port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Resolves when something listens on a port, and rejects if the process ends before. */
export async function listening(child: ChildProcess, port: number, log: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server has ended: ${log()}`);
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((later) => setTimeout(later, 20));
  }
}

/** Ends a process that a spec has started. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

/** How Apache signs users in. */
interface ApacheOptions {
  /** The directives of the location `/`. */
  readonly directives: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The server that gets the requests of signed-in users. */
  readonly upstream: string;
}

/** Starts Apache with TLS and `mod_auth_gssapi`. */
export async function apache(folder: AcceptorFolder, options: ApacheOptions): Promise<Acceptor> {
  const port = await freePort();
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'ssl', 'proxy', 'proxy_http'];
  const config = [
    `ServerRoot ${folder.path}`,
    'ServerName localhost',
    `DefaultRuntimeDir ${folder.path}`,
    `PidFile ${folder.path}/httpd-${port}.pid`,
    `Mutex file:${folder.path}`,
    `ErrorLog ${folder.path}/error-${port}.log`,
    `Listen 127.0.0.1:${port}`,
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    ...[...modules, 'auth_gssapi'].map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
    'KeepAliveTimeout 60',
    'SSLEngine on',
    `SSLCertificateFile ${folder.path}/cert.pem`,
    `SSLCertificateKeyFile ${folder.path}/key.pem`,
    '<Location />',
    ...['AuthType GSSAPI', 'AuthName specs', 'Require valid-user', ...options.directives],
    '</Location>',
    `ProxyPass / ${options.upstream}/ flushpackets=on`,
  ];
  const file = folder.write(`httpd-${port}.conf`, `${config.join('\n')}\n`);
  const child = spawn('/usr/sbin/apache2', ['-f', file, '-DFOREGROUND'], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const log = (): string =>
    errors +
    (existsSync(`${folder.path}/error-${port}.log`)
      ? readFileSync(`${folder.path}/error-${port}.log`, 'utf8')
      : '');
  await listening(child, port, log);
  return { url: `https://localhost:${port}`, log, close: () => ended(child) };
}

/** How the server of `gssapiServer.py` signs users in. */
interface GssapiOptions {
  readonly scheme: 'NTLM' | 'Negotiate';
  /** The expected channel binding. @default none is checked */
  readonly binding?: Uint8Array;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a TLS server in Python that checks the channel binding. */
export async function gssapiServer(folder: AcceptorFolder, options: GssapiOptions): Promise<Acceptor> {
  const script = fileURLToPath(new URL('gssapiServer.py', import.meta.url));
  const binding = Buffer.from(options.binding ?? []).toString('hex');
  const files = [`${folder.path}/cert.pem`, `${folder.path}/key.pem`];
  const child = spawn(PYTHON, [script, ...files, options.scheme, binding], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()));
    child.once('exit', () => reject(new Error(`the server has ended: ${errors}`)));
  });
  return { url: `https://localhost:${port}`, log: () => errors, close: () => ended(child) };
}
