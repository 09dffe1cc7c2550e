import { join } from 'node:path';

/** Returns the configuration of the app in one folder, such as `npx vite react` reads it. */
export function example(name, plugin) {
  return {
    plugins: plugin === undefined ? [] : [plugin],
    // rxchange is a link here, to a folder with an rxjs of its own.
    resolve: { dedupe: ['rxjs'] },
    server: { fs: { allow: [join(import.meta.dirname, '../..')] } },
    build: { outDir: `../dist/${name}`, emptyOutDir: true },
    base: './',
    cacheDir: `../node_modules/.vite/${name}`,
  };
}
