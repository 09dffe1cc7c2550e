import { spawn } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

  const vite = spawn(
    process.execPath,
    [
      join(EXAMPLES, 'node_modules/vite/bin/vite.js'),
      join(folder, app),
      '--host',
      '127.0.0.1',
      '--port',
      '0',
    ],
    { env: { ...process.env, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => vite.once('close', () => resolve()));
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    };
    vite.stdout.on('data', read);
    vite.stderr.on('data', read);
    vite.once('close', () => reject(new Error(`Vite has ended:\n${output}`)));
  });
  return {
    url,
    edit: (file, from, to) => {
      const path = join(folder, file);
      const text = readFileSync(path, 'utf8');
      if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
      writeFileSync(path, text.replace(from, to));
    },
    close: () => {
      vite.kill();
      return ended;
    },
  };
}
