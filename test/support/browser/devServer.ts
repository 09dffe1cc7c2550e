import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childServer } from './childServer.ts';
import { EXAMPLES } from './exampleApps.ts';

/** Vite's development server for a copy of one app. */
export interface DevServer {
  readonly url: string;
  /** Replaces a text in a file of the copy, such as `shared/streams.ts`. */
  readonly edit: (file: string, from: string, to: string) => void;
  readonly close: () => Promise<void>;
}

/** Starts Vite's development server for a copy of an app, which a spec can edit. */
export async function devServer(app: string): Promise<DevServer> {
  const folder = join(EXAMPLES, 'dist/edited');
  rmSync(folder, { recursive: true, force: true });
  for (const name of [app, 'shared', 'tsconfig.json'])
    cpSync(join(EXAMPLES, name), join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'vite.base.js'), "export * from '../../vite.base.js';\n");

  const vite = join(EXAMPLES, 'node_modules/vite/bin/vite.js');
  const { url, close } = await childServer(vite, join(folder, app), '--host', '127.0.0.1', '--port', '0');
  return {
    url,
    edit: (file, from, to) => {
      const path = join(folder, file);
      const text = readFileSync(path, 'utf8');
      if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
      writeFileSync(path, text.replace(from, to));
    },
    close,
  };
}
