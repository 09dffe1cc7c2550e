import { expect } from 'chai';
import { build as bundleWith, type Plugin } from 'esbuild';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const { browser } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly browser: Readonly<Record<string, string>>;
};

/** Returns the source of a built file. */
function sourceOf(built: string): string {
  return join(ROOT, built.replace(/^\.\/dist\//, './').replace(/\.js$/, '.ts'));
}

/** Replaces files by the `browser` field of package.json, which names built files, like bundlers. */
const browserFiles: Plugin = {
  name: 'browser files',
  setup: (build) => {
    const files = new Map(Object.entries(browser).map(([from, to]) => [sourceOf(from), sourceOf(to)]));
    build.onResolve({ filter: /^\./ }, ({ path, importer }) => {
      const replaced = files.get(join(dirname(importer), path));
      return replaced === undefined ? undefined : { path: replaced };
    });
  },
};

async function bundle(
  entry: string,
  plugins: Plugin[],
): Promise<{ readonly code: string; readonly files: string }> {
  const { outputFiles, metafile } = await bundleWith({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
    external: ['rxjs'],
    write: false,
    metafile: true,
    plugins,
  });
  return {
    code: outputFiles.map(({ text }) => text).join(''),
    files: Object.keys(metafile.inputs).join('\n'),
  };
}

describe('A bundle for browsers', () => {
  for (const entry of [
    'lib/index.ts',
    'lib/ucwa/index.ts',
    'lib/ews/index.ts',
    'lib/testing/index.ts',
    'operators/index.ts',
  ]) {
    it(`of ${entry} contains neither cross-fetch nor a module of Node`, async () => {
      const { code, files } = await bundle(entry, [browserFiles]);
      expect(code).to.not.contain('node:').and.not.contain('getBuiltinModule');
      expect(files).to.not.contain('cross-fetch').and.not.contain('nodeFetch');
      expect(code.length).to.be.greaterThan(1000);
    });
  }

  it('contains cross-fetch if the bundler ignores the field `browser`', async () => {
    const { code, files } = await bundle('lib/index.ts', []);
    expect(code).to.contain('node:');
    expect(files).to.contain('cross-fetch');
  });
});
