import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Benchmark, Contender } from './benchmark.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUILT = `${ROOT}dist`;
const run = promisify(execFile);
const KIBIBYTE = 1024;

/** Builds the library as it is published. */
function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT });
}

/** Bundles and minifies the imports of this module, without rxjs. */
function gzippedKiB(source: string, name: string, options: readonly string[] = []): number {
  const bundles = `${ROOT}test/bench/node_modules/.cache`;
  mkdirSync(bundles, { recursive: true });
  const [entry, bundle] = [`${bundles}/${name}.js`, `${bundles}/${name}.min.js`];
  writeFileSync(entry, source);
  execFileSync(`${ROOT}node_modules/.bin/esbuild`, [
    entry,
    ...[
      '--bundle',
      '--minify',
      '--format=esm',
      '--external:rxjs',
      `--outfile=${bundle}`,
      '--log-level=error',
    ],
    ...options,
  ]);
  return gzipSync(readFileSync(bundle)).length / KIBIBYTE;
}

/** Returns how long a new process takes to import this, without its start. */
async function importMs(specifier: string): Promise<number> {
  const script =
    `const begin = performance.now(); import(${JSON.stringify(specifier)})` +
    '.then(() => console.log(performance.now() - begin))';
  const { stdout } = await run(process.execPath, ['-e', script], { cwd: `${ROOT}test/bench` });
  return Number(stdout);
}

function contender(prepare: () => { readonly kib: number; readonly specifier: string }): Contender {
  return () => {
    const { kib, specifier } = prepare();
    return async () => ({ 'gzip KiB': kib, 'import ms': await importMs(specifier) });
  };
}

function entry(path: string): Contender {
  return contender(() => {
    build();
    const name = path.replaceAll('/', '-');
    return {
      kib: gzippedKiB(`export * from ${JSON.stringify(`${BUILT}/${path}`)}`, name, ['--platform=browser']),
      specifier: pathToFileURL(`${BUILT}/node/${path}`).href,
    };
  });
}

export const benchmark: Benchmark = {
  work: 'what has to be loaded: bundled, minified and gzipped without rxjs; the time that Node takes to import it',
  contenders: {
    'rxchange/ucwa': entry('lib/ucwa/index.js'),
    'rxchange/ews': entry('lib/ews/index.js'),
    'rxchange/operators': entry('operators/index.js'),
    'rxjs alone': contender(() => ({ kib: NaN, specifier: 'rxjs' })),
    'ews-javascript-api': contender(() => ({
      kib: gzippedKiB("export * from 'ews-javascript-api'", 'ews-javascript-api', [
        '--platform=node',
        // Measured only if it is installed.
        '--external:deasync',
      ]),
      specifier: 'ews-javascript-api',
    })),
  },
  goals: [
    { measure: 'gzip KiB', of: 'rxchange/ucwa', atMost: 14 },
    { measure: 'import ms', of: 'rxchange/ucwa', atMost: 60 },
    { measure: 'import ms', of: 'rxchange/ews', atMost: 60 },
  ],
};
