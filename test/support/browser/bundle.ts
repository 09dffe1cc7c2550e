import { build, type BuildOptions, type Plugin } from 'esbuild';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the project. */
export const ROOT: string = join(import.meta.dirname, '../../..');

const { browser } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly browser: Readonly<Record<string, string>>;
};

/** Returns the source of a built file. */
function sourceOf(built: string): string {
  return join(ROOT, built.replace(/^\.\/dist\//, './').replace(/\.js$/, '.ts'));
}

/** Replaces files by the `browser` field of package.json, which names built files, like bundlers. */
export const browserFiles: Plugin = {
  name: 'browser files',
  setup: (builder) => {
    const files = new Map(Object.entries(browser).map(([from, to]) => [sourceOf(from), sourceOf(to)]));
    builder.onResolve({ filter: /^\./ }, ({ path, importer }) => {
      const replaced = files.get(join(dirname(importer), path));
      return replaced === undefined ? undefined : { path: replaced };
    });
  },
};

/** A bundle for browsers. */
export interface Bundle {
  readonly code: string;
  /** The paths of its sources, one a line. */
  readonly files: string;
}

/** Bundles a source file, such as `lib/index.ts`, as an ES module for browsers. */
export async function bundle(entry: string, options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(ROOT, entry)],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'silent',
    ...options,
    write: false,
    metafile: true,
  });
  return {
    code: outputFiles.map(({ text }) => text).join(''),
    files: Object.keys(metafile.inputs).join('\n'),
  };
}
