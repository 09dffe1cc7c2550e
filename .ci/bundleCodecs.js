// Bundles the used part of io-ts and fp-ts into dist/lib/core/codec.js. Bundlers of applications would keep all of
// their classes, because these are built by functions without a note that calling them has no effect.
import { build } from 'esbuild';
import { pure } from './pureCodecs.js';

const FILE = 'dist/lib/core/codec.js';

/** The rest of the library imports the built file. */
const external = {
  name: 'external',
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ importer, path }) =>
      importer.endsWith(FILE) ? { path, external: true } : undefined,
    );
  },
};

await build({
  ...{ entryPoints: [FILE], outfile: FILE, allowOverwrite: true },
  ...{ bundle: true, format: 'esm', target: 'es2022', mainFields: ['module', 'main'], sourcemap: true },
  banner: { js: '// Contains parts of io-ts and fp-ts. MIT License, © Giulio Canti.' },
  plugins: [pure, external],
});
