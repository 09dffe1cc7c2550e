import { concat, defer, ignoreElements, map, type Observable, of, share, tap } from 'rxjs';
import { invalidOption } from '../core/options.ts';
import { coalesce } from '../core/rx/coalesce.ts';
import type { CheckpointStore, Json } from '../core/checkpoint/checkpoint.ts';
import { CheckpointError } from './checkpointError.ts';
import { durableFile, type NodeProcess } from './durableFile.ts';

/** What the file begins with: what it is, and the SHA-256 of the rest. */
const HEADER = /^rxchange checkpoints 1 ([0-9a-f]{64})\n/;

/**
 * Creates a {@link CheckpointStore} in a file, on Node: all keys are in one file.
 *
 * The file is replaced as a whole and synchronized to the disk with its folder: after a crash, the old one or
 * the new one is there. Saves during a write share the next write, which contains the latest value of each
 * key; a value that could not be written is written with the next save.
 *
 * Only this user can read or write the file (mode 600). The Observables error with a `CheckpointError` if the
 * file is torn or damaged, or if it is not this user's alone: a symbolic link, not a regular file, of another
 * owner, or open to the group or to others. The file is checked when it is first read, and such a file is
 * neither trusted nor replaced then; the message says what to do. Windows has neither owners nor modes of
 * this kind: there, restrict access to the folder.
 *
 * While a write is under way, its text is in PATH.HEX.new, with a random HEX. If a process is killed then,
 * the first write of the next one removes that file.
 *
 * @param path Its folder must exist, and only this user should have write access to it. Only one store at a
 * time may use the path.
 * @param platform Where Node's own modules come from. @default this process
 * @throws TypeError if the path is empty, or if there are no files, as in browsers.
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
  // Asking at run time keeps bundlers for the browser from looking for Node's modules.
  if (!isNode(process)) throw new TypeError('fileCheckpoints needs Node 20.16 or later: there are no files');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const file = durableFile(path, process);
  let texts: Map<string, string> | undefined;

  const sumOf = (body: string): string => createHash('sha256').update(body).digest('hex');

  // The parser's own error quotes the text, which nobody else need see.
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
        // What is changed later is not saved.
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
