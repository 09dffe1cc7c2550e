import type { ServerResponse } from 'node:http';
import { httpServer, type SpecServer } from '../net/httpServer.ts';
import { browserFiles, bundle } from './bundle.ts';

/** The URLs are short, so bundles are shared by all specs of a process. */
const bundles = new Map<string, Promise<string>>();

/** Returns the bundle of `test/browser/pages/NAME.ts`, with rxjs. */
function pageBundle(name: string): Promise<string> {
  const known = bundles.get(name);
  if (known !== undefined) return known;
  const code = bundle(`test/browser/pages/${name}.ts`, { sourcemap: 'inline', plugins: [browserFiles] }).then(
    (built) => built.code,
  );
  bundles.set(name, code);
  return code;
}

/** The functions that the module exports are those that a spec can call. */
function html(name: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<title>${name}</title>
<link rel="icon" href="data:,">
<body>
<script type="module">
import * as exported from './${name}.js';
globalThis.exported = exported;
</script>
`;
}

/**
 * Starts the server of the pages: `/NAME.html` runs `test/browser/pages/NAME.ts`, and `/NAME.js` is its
 * bundle, also for workers.
 */
export function pageServer(): Promise<SpecServer> {
  return httpServer(({ url = '' }, response) => {
    const [, name = '', type] = /^\/(\w+)\.(html|js)(?:\?.*)?$/.exec(url) ?? [];
    if (type === 'html') send(response, 200, 'text/html', html(name));
    else if (type === 'js') {
      pageBundle(name).then(
        (code) => send(response, 200, 'text/javascript', code),
        (error: unknown) => send(response, 500, 'text/plain', String(error)),
      );
    } else send(response, 404, 'text/plain', `no page at ${url}`);
  });
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(text);
}
