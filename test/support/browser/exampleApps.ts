import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { filesBelow } from '../docs/filesBelow.ts';
import { httpServer, type SpecServer } from '../net/httpServer.ts';
import { ROOT } from './bundle.ts';

/** The folder of the apps. */
export const EXAMPLES: string = join(ROOT, 'docs/examples');

/** The folders of the apps. */
export const APPS = ['react', 'angular', 'vue', 'svelte', 'solid', 'custom-elements'] as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

const run = promisify(execFile);

/** Builds the package and installs the frameworks, if that is not done. */
export async function installExamples(): Promise<void> {
  const built = modified(join(ROOT, 'dist/node/lib/index.js'));
  if (['lib', 'operators', 'package.json'].some((path) => newest(join(ROOT, path)) > built))
    await run('npm', ['run', 'build'], { cwd: ROOT });
  const installed = modified(join(EXAMPLES, 'node_modules/.package-lock.json'));
  if (modified(join(EXAMPLES, 'package-lock.json')) > installed)
    await run('npm', ['ci', '--silent', '--prefix', EXAMPLES]);
}

/** Runs a script in the folder of the apps, and resolves with its output. */
export async function runInExamples(...command: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, command, { cwd: EXAMPLES });
  return stdout;
}

/**
 * Serves the built apps: `/react/` is the page of the app in `docs/examples/react`.
 *
 * @param pages The HTML of pages that were rendered, by app.
 */
export function exampleServer(pages: Readonly<Record<string, string>> = {}): Promise<SpecServer> {
  return httpServer(({ url = '' }, response) => {
    const path = new URL(url, 'http://localhost').pathname;
    const file = join(EXAMPLES, 'dist', path.endsWith('/') ? `${path}index.html` : path);
    const type = TYPES[extname(file)];
    const html = path.endsWith('/') ? pages[path.slice(1, -1)] : undefined;
    if (html !== undefined) response.writeHead(200, { 'content-type': TYPES['.html'] }).end(html);
    else if (type === undefined || !existsSync(file)) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
  });
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newest(path: string): number {
  const files = statSync(path).isDirectory() ? filesBelow(path) : [path];
  return Math.max(...files.map(modified));
}
