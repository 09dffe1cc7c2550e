/** Renders the apps as a server does, and prints their HTML as JSON. The argument is the query of the page. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'vite';
import solid from 'vite-plugin-solid';
import { example } from './vite.base.js';

globalThis.location = { search: process.argv[2] };

const html = {};
for (const name of ['react', 'vue', 'svelte', 'solid']) {
  const root = join(import.meta.dirname, name);
  const vite = await createServer({
    root,
    server: { middlewareMode: true, ws: false, watch: null },
    appType: 'custom',
    logLevel: 'error',
    optimizeDeps: { noDiscovery: true },
    // Solid compiles components differently for servers.
    ...(name === 'solid' ? { ...example(name, solid({ ssr: true })), configFile: false } : {}),
  });
  const entry = existsSync(join(root, 'server.ts')) ? '/server.ts' : '/server.tsx';
  const { render } = await vite.ssrLoadModule(entry);
  html[name] = await render();
  await vite.close();
}
console.log(JSON.stringify(html, undefined, 2));
