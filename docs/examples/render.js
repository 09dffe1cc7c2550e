/**
 * Renders the built pages as a server does, and prints the HTML of each and the states of its connections as
 * JSON.
 *
 * The argument is the query of the page.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'vite';
import solid from 'vite-plugin-solid';
import { example } from './vite.base.js';

const folder = import.meta.dirname;
globalThis.location = { search: process.argv[2] };
// The output is JSON alone.
console.log = console.error;

const rendered = {};
for (const name of ['react', 'angular', 'vue', 'svelte', 'solid']) {
  const root = join(folder, name);
  const vite = await createServer({
    root,
    server: { middlewareMode: true, ws: false, watch: null },
    appType: 'custom',
    logLevel: 'error',
    optimizeDeps: { noDiscovery: true },
    // Solid compiles components differently for servers.
    ...(name === 'solid' ? { ...example(name, solid({ ssr: true })), configFile: false } : {}),
  });
  const { ucwa, exchange } = await vite.ssrLoadModule(join(folder, 'shared/connections.ts'));
  const states = new Set();
  for (const { status$ } of [ucwa, exchange]) status$.subscribe(({ state }) => states.add(state));
  const entry = existsSync(join(root, 'server.ts')) ? '/server.ts' : '/server.tsx';
  const { render, renderPage = withApp(render) } = await vite.ssrLoadModule(entry);
  const page = readFileSync(join(folder, 'dist', name, 'index.html'), 'utf8');
  rendered[name] = { html: await renderPage(page), states: [...states] };
  await vite.close();
}
process.stdout.write(JSON.stringify(rendered, undefined, 2));

/** Returns a function that renders an app into its page. */
function withApp(render) {
  return async (page) => page.replace('<div id="app">', `$&${await render()}`);
}
