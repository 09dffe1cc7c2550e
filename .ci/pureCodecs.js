// A plugin of esbuild for io-ts and fp-ts: bundlers keep all of their classes, because these are built by functions
// without a note that calling them has no effect.
import { readFile } from 'node:fs/promises';

/** The build of a class, and the creation of a constant, at the top level of a module. */
const CLASS = /\/\*\* @class \*\/ \(/g;
const CONSTANT = /^((?:export )?var \w+ = )((?:new )?\w+\(.*\));$/gm;
/** Adds a getter that this library does not use: it would keep its class. */
const GETTER = /^Object\.defineProperty\(RecursiveType\.prototype[^]*?^\}\);$/m;

/** Marks what has no effect. */
export const pure = {
  name: 'pure',
  setup({ onLoad }) {
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
  },
};
