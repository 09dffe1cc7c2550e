// Builds the inspector page: node docs/inspector/build.js [--small] [FOLDER]
//
// The default folder is dist/inspector. --small takes ten seconds instead of one, for a script that is 4 % smaller.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { pure } from '../../.ci/pureCodecs.js';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '../..');

const { browser } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
const sourceOf = (built) => join(ROOT, built.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts'));
const browserFiles = new Map(Object.entries(browser).map(([from, to]) => [sourceOf(from), sourceOf(to)]));

/** Modules that the playground never calls: it uses neither a network nor batches nor asynchronous iterables. */
const UNUSED = new Map([
  [
    join(ROOT, 'lib/testing/ucwa/routes/xframe.ts'),
    'export const isXframe = () => false; export const xframeResponse = undefined;',
  ],
  [
    join(ROOT, 'lib/testing/ucwa/routes/batch.ts'),
    "export const BATCH_SHAPES = ['plain']; export const respondToBatch = undefined;",
  ],
  [join(ROOT, 'lib/core/transport/fetch.ts'), 'export const fetchTransport = undefined;'],
  [
    join(ROOT, 'node_modules/tslib/tslib.es6.mjs'),
    'export const __asyncGenerator = 0, __asyncValues = 0, __await = 0, __awaiter = 0, __rest = 0;',
  ],
]);

/** Takes the sources for browsers, and what the playground uses of them. */
const forPlayground = {
  name: 'for the playground',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^\./ }, ({ path, importer }) => {
      const replaced = browserFiles.get(join(dirname(importer), path));
      return replaced === undefined ? undefined : { path: replaced };
    });
    // The playground itself writes all XML that it reads.
    onResolve({ filter: /^saxes$/ }, () => ({ path: join(HERE, 'xml.ts') }));
    onLoad({ filter: /(\/fetch\.ts|\/xframe\.ts|routes\/batch\.ts|tslib\.es6\.mjs)$/ }, ({ path }) => {
      const contents = UNUSED.get(path);
      return contents === undefined ? undefined : { contents };
    });
  },
};

const OPTIONS = {
  bundle: true,
  minify: true,
  platform: 'browser',
  // Browsers with light-dark() have all of ES2022.
  target: 'es2022',
  conditions: ['es2015'],
  mainFields: ['module', 'main'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
};

/** The types of `rxchange/inspector/page`. */
const DECLARATION = `import type { Observable } from 'rxjs';
import type { Playground } from '../lib/inspector/playground.js';
import type { InspectorRecord } from '../lib/inspector/records.js';

/** Shows the records of a connection, such as inspect(ucwa), in an element; returns a function that removes them. */
export declare function mountInspector(
  element: HTMLElement,
  records$: Observable<InspectorRecord>,
  controls?: Pick<Playground, 'commands' | 'streams' | 'run'>,
): () => void;
`;

/**
 * Builds the page into a folder: index.html, one script and one style sheet, and mountInspector as a module.
 *
 * @param {string} folder
 * @param {boolean} isSmall whether to spend ten seconds on a smaller script
 */
export async function buildInspector(folder, isSmall = false) {
  await mkdir(folder, { recursive: true });
  const style =
    (await readFile(join(ROOT, 'docs/theme.css'), 'utf8')) +
    (await readFile(join(HERE, 'inspector.css'), 'utf8'));
  const css = await build({
    ...{ stdin: { contents: style, loader: 'css' }, minify: true, write: false, logLevel: 'warning' },
    // The scripts of old browsers do not run, either.
    target: 'chrome123',
  });
  const sheet = css.outputFiles[0].text;
  await Promise.all([
    writeFile(join(folder, 'inspector.css'), sheet),
    copyFile(join(HERE, 'index.html'), join(folder, 'index.html')),
    // A script, not a module: browsers load no module from a disk.
    build({
      ...OPTIONS,
      ...{ entryPoints: [join(HERE, 'main.ts')], format: 'iife', outfile: join(folder, 'inspector.js') },
      plugins: [pure, forPlayground],
    }),
    writeFile(join(folder, 'embed.d.ts'), DECLARATION),
    build({
      ...OPTIONS,
      ...{ entryPoints: [join(HERE, 'embed.ts')], format: 'esm', outfile: join(folder, 'embed.js') },
      define: { STYLE: JSON.stringify(sheet.replaceAll(':root', ':host')) },
    }),
  ]);
  if (!isSmall) return;
  await Promise.all(['inspector.js', 'embed.js'].map((name) => minify(join(folder, name))));
  await checkSize(folder);
}

/** The page has everything in it: rxchange, its simulators, RxJS and Preact. */
const BUDGET = 100_000;

async function checkSize(folder) {
  const names = ['index.html', 'inspector.css', 'inspector.js'];
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const size = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  // To the error stream: `npm pack --silent` prints nothing but the name of its file.
  console.error(`inspector page: ${size} bytes gzipped`);
  if (size > BUDGET) throw new Error(`the inspector page has more than ${BUDGET} bytes: ${size}`);
}

/** esbuild is fast, and terser small. */
async function minify(path) {
  const terser = await import('terser');
  const { code } = await terser.minify(await readFile(path, 'utf8'), {
    ...{ ecma: 2020, module: path.endsWith('embed.js') },
    compress: { ecma: 2020, passes: 2, unsafe_arrows: true },
  });
  await writeFile(path, code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const isSmall = args[0] === '--small';
  await buildInspector(resolve(args[isSmall ? 1 : 0] ?? join(ROOT, 'dist/inspector')), isSmall);
}
