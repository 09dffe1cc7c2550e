import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PageFile } from '../inspector/playground/relay.ts';
import { UsageError } from './arguments.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The folders with the built page: of the two builds in `dist`, and of a checkout. */
const BUILT = ['../../inspector', '../../../inspector', '../../dist/inspector'];

/**
 * Resolves with the files of the inspector page, by name.
 *
 * In a checkout the page is built first, so that it is never older than its sources.
 *
 * @param folder The folder of a built page. @default that of the package
 */
export async function inspectorPage(folder?: string): Promise<ReadonlyMap<string, PageFile>> {
  if (folder !== undefined) return filesIn(folder);
  const build = await buildOfCheckout();
  if (build !== undefined) {
    const temporary = await mkdtemp(join(tmpdir(), 'rxchange-inspector-'));
    try {
      await build(temporary);
      return await filesIn(temporary);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  for (const path of BUILT) {
    const files = await filesIn(fileURLToPath(new URL(path, import.meta.url))).catch(() => undefined);
    if (files !== undefined) return files;
  }
  throw new UsageError(NOT_BUILT);
}

const NOT_BUILT = 'the page is not built: run npm run build first, or install rxchange again';

async function filesIn(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const names = await readdir(folder).catch((): string[] => []);
  if (!names.includes('index.html')) throw new UsageError(NOT_BUILT);
  const types = names.map((name) => [name, TYPES[extname(name)]] as const);
  const files = types.flatMap(([name, type]) => (type === undefined ? [] : { name, type }));
  return new Map(
    await Promise.all(
      files.map(
        async ({ name, type }) => [name, { type, body: await readFile(join(folder, name)) }] as const,
      ),
    ),
  );
}

async function buildOfCheckout(): Promise<((folder: string) => Promise<void>) | undefined> {
  // In a package there is no build script.
  const script = new URL('../../docs/inspector/build.js', import.meta.url).href;
  const module: unknown = await import(script).catch(() => undefined);
  return (module as { readonly buildInspector?: (folder: string) => Promise<void> } | undefined)
    ?.buildInspector;
}
