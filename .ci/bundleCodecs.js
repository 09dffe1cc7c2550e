// Bundles the used part of io-ts and fp-ts into dist/lib/core/codec.js. Bundlers of applications would keep all of
// their classes, because these are built by functions without a note that calling them has no effect.
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';

const FILE = 'dist/lib/core/codec.js';

/** The build of a class, and the creation of a constant, at the top level of a module. */
const CLASS = /\/\*\* @class \*\/ \(/g;
const CONSTANT = /^((?:export )?var \w+ = )((?:new )?\w+\(.*\));$/gm;
/** Adds a getter that this library does not use: it would keep its class. */
const GETTER = /^Object\.defineProperty\(RecursiveType\.prototype[^]*?^\}\);$/m;

/** Marks what has no effect. */
const pure = {
  name: 'pure',
  setup({ onLoad, onResolve }) {
    // io-ts uses these three functions of it, which it re-exports; much of the rest is not marked, either.
    onLoad({ filter: /fp-ts\/es6\/Either\.js$/ }, () => ({
      contents: "export { isLeft, left, right } from './internal';",
    }));
    onLoad({ filter: /io-ts\/es6\/\w+\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8'))
        .replace(CLASS, '/* @__PURE__ */ (')
        .replace(CONSTANT, '$1/* @__PURE__ */ (() => $2)();')
        .replace(GETTER, ''),
    }));
    onResolve({ filter: /^\./ }, ({ importer, path }) =>
      importer.endsWith(FILE) ? { path, external: true } : undefined,
    );
  },
};

await build({
  ...{ entryPoints: [FILE], outfile: FILE, allowOverwrite: true },
  ...{ bundle: true, format: 'esm', target: 'es2022', mainFields: ['module', 'main'], sourcemap: true },
  banner: { js: '// Contains parts of io-ts and fp-ts. MIT License, © Giulio Canti.' },
  plugins: [pure],
});
