import { concat, defer, ignoreElements, map, type Observable, of, share, tap } from 'rxjs';
import type { CheckpointStore, Json } from './checkpoint.ts';
import { CheckpointError } from './checkpointError.ts';
import { durableFile, type NodeProcess } from './durableFile.ts';
import { oneAtATime } from './oneAtATime.ts';
import { invalidOption } from './options.ts';

/** What the file begins with: what it is, and the SHA-256 of the rest. */
const HEADER = /^rxchange checkpoints 1 ([0-9a-f]{64})\n/;

/**
 * Creates a {@link CheckpointStore} in a file, on Node. All keys are in the one file, which only this user can
 * read.
 *
 * The file is replaced as a whole, and brought to the disk with its folder: a crash leaves the old one or the
 * new one. Saves that come while one is being written share the next write, in which the latest of each key
 * stands. The Observables error with a `CheckpointError`, and so do those of a file that is torn or
 * damaged: it is neither trusted nor written over. What was saved in vain is written with the next save.
 *
 * @param path Its folder has to be there. One process at a time may use it.
 * @param platform Where Node's own modules come from. @default this process
 * @throws TypeError where the path is none, or where there are no files, as in browsers.
 *
 * @example
 * ```ts
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { concat, lastValueFrom } from 'rxjs';
 * import { fileCheckpoints } from 'rxchange';
 *
 * const folder = mkdtempSync(join(tmpdir(), 'checkpoints-'));
 * const path = join(folder, 'mail');
 * const before = fileCheckpoints(path);
 * // Another process would find the same.
 * const after = fileCheckpoints(path);
 * const saved = await lastValueFrom(
 *   concat(before.save('inbox', { watermark: 'AQAAAA==' }), after.load('inbox')),
 * );
 * console.log(JSON.stringify(saved));
 * // prints: {"watermark":"AQAAAA=="}
 * rmSync(folder, { recursive: true });
 * ```
 */
export function fileCheckpoints(
  path: string,
  {
    process,
  }: { readonly process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule' | 'platform'>> } = globalThis,
): CheckpointStore {
  if (typeof path !== 'string' || path === '') throw invalidOption('path', path, 'the path of a file');
  // Asking at run time keeps bundlers for the browser from looking for Node's modules.
  if (!isNode(process)) throw new TypeError('fileCheckpoints needs Node 20.16 or later: there are no files');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const file = durableFile(path, process);
  let texts: Map<string, string> | undefined;

  const sumOf = (body: string): string => createHash('sha256').update(body).digest('hex');

  const parse = (text: string): Map<string, string> => {
    const [header, sum] = HEADER.exec(text) ?? [];
    const body = text.slice(header?.length);
    if (sum !== sumOf(body)) throw new CheckpointError('corrupt', path);
    return new Map(JSON.parse(body) as [string, string][]);
  };

  const read$ = defer(() => file.read()).pipe(
    map((text) => (text === undefined ? new Map<string, string>() : parse(text))),
    tap((read) => (texts = read)),
    share(),
  );
  const loaded = (): Observable<Map<string, string>> => (texts === undefined ? read$ : of(texts));

  const write = oneAtATime(() => {
    const body = JSON.stringify([...(texts ?? [])]);
    return file.write(`rxchange checkpoints 1 ${sumOf(body)}\n${body}`);
  });

  const changed = (change: (texts: Map<string, string>) => void): Observable<never> =>
    concat(defer(loaded).pipe(tap(change), ignoreElements()), defer(write));

  return {
    load: (key) =>
      defer(loaded).pipe(
        map((found) => {
          const text = found.get(key);
          return text === undefined ? undefined : (JSON.parse(text) as Json);
        }),
      ),
    save: (key, value) =>
      defer(() => {
        // What is changed later is not saved.
        const text = JSON.stringify(value);
        return changed((found) => found.set(key, text));
      }),
    remove: (key) => changed((found) => found.delete(key)),
  };
}

function isNode(process: Partial<NodeProcess> | undefined): process is NodeProcess {
  return typeof process?.getBuiltinModule === 'function';
}
