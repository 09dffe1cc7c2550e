import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/** Builds all apps into `dist`, and prints the size of the JavaScript of each. */
const folder = import.meta.dirname;
for (const name of readdirSync(folder).filter((one) => existsSync(join(folder, one, 'index.html')))) {
  await build({ root: join(folder, name), logLevel: 'warn' });
  const built = join(folder, 'dist', name, 'assets');
  const scripts = readdirSync(built).filter((file) => file.endsWith('.js'));
  const bytes = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file))).length, 0);
  console.log(`${name.padEnd(16)} ${(bytes / 1000).toFixed(1).padStart(6)} kB gzip`);
}
