import { concat, defer, ignoreElements, map, type Observable, of, share, tap } from 'rxjs';
import { invalidOption } from '../core/options.ts';
import { coalesce } from '../core/rx/coalesce.ts';
import type { CheckpointStore, Json } from '../core/checkpoint/checkpoint.ts';
import { CheckpointError, durableFile, type NodeProcess } from './durableFile.ts';

/** The first line of the file: its type, and the SHA-256 of the rest. */
const HEADER = /^rxchange checkpoints 1 ([0-9a-f]{64})\n/;

/**
 * Creates a {@link CheckpointStore} in one file.
 *
 * The file is replaced as a whole and synchronized to the disk with its folder: after a crash, the old or the
 * new file is there. Saves during a write share the next write, which has the latest value of each key. A
 * value that could not be written is written with the next save.
 *
 * Only this user can read or write the file (mode 600). The Observables error with a `CheckpointError` if the
 * file is damaged, or if it is a symbolic link, not a regular file, of another owner, or accessible to other
 * users. It is checked when it is first read; an unsafe file is neither used nor replaced, and the message
 * has advice. On Windows, which has no such modes, restrict access to the folder.
 *
 * During a write, the text is in PATH.HEX.new, with a random HEX. If a process is killed then, the first
 * write of the next one removes that file.
 *
 * @param path A file in an existing folder that only this user can write to. Only one store at a time may use
 * it.
 * @param platform The source of Node's modules. @default this process
 * @throws TypeError if the path is empty, or if the platform is not Node.
 *
 * @example
 * ```ts
 * import { mkdtempSync, rmSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { concat, lastValueFrom } from 'rxjs';
 * import { fileCheckpoints } from 'rxchange/node';
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
  }: {
    readonly process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule' | 'platform' | 'geteuid'>>;
  } = globalThis,
): CheckpointStore {
  if (typeof path !== 'string' || path === '') throw invalidOption('path', path, 'the path of a file');
  if (!isNode(process)) throw new TypeError('fileCheckpoints needs Node 20.16 or later: there are no files');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const file = durableFile(path, process);
  let texts: Map<string, string> | undefined;

  const sumOf = (body: string): string => createHash('sha256').update(body).digest('hex');

  // The error of the parser would quote the text.
  const json = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      throw new CheckpointError('corrupt', path);
    }
  };

  const parse = (text: string): Map<string, string> => {
    const [header, sum] = HEADER.exec(text) ?? [];
    const body = text.slice(header?.length);
    const pairs = sum === sumOf(body) ? json(body) : undefined;
    if (!isPairs(pairs)) throw new CheckpointError('corrupt', path);
    return new Map(pairs);
  };

  const read$ = defer(() => file.read()).pipe(
    map((text) => (text === undefined ? new Map<string, string>() : parse(text))),
    tap((read) => (texts = read)),
    share(),
  );
  const loaded = (): Observable<Map<string, string>> => (texts === undefined ? read$ : of(texts));

  const write = coalesce(() => {
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
          return text === undefined ? undefined : (json(text) as Json);
        }),
      ),
    save: (key, value) =>
      defer(() => {
        // Now, so that later changes of the value are not saved.
        const text = JSON.stringify(value);
        return changed((found) => found.set(key, text));
      }),
    remove: (key) => changed((found) => found.delete(key)),
  };
}

/** Whether it is a list of pairs of texts: a right sum says only that nothing was damaged. */
function isPairs(value: unknown): value is [string, string][] {
  return (
    Array.isArray(value) &&
    value.every(
      (pair: unknown) =>
        Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string'),
    )
  );
}

function isNode(process: Partial<NodeProcess> | undefined): process is NodeProcess {
  return typeof process?.getBuiltinModule === 'function';
}
