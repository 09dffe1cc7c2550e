import { catchError, defer, from, ignoreElements, type Observable, throwError } from 'rxjs';
import { CheckpointError } from './checkpointError.ts';

/** The part of a Node process that this needs. */
export type NodeProcess = Pick<NodeJS.Process, 'getBuiltinModule' | 'platform'>;

/** A file that is there as a whole or not at all. */
export interface DurableFile {
  /** Emits the text of the file, or undefined where there is none. */
  read(): Observable<string | undefined>;
  /** Replaces the file; completes when it is on the disk. */
  write(text: string): Observable<never>;
}

/**
 * A file whose text outlives a crash at any moment: it is written beside, brought to the disk, and put in the
 * place of the one before. Errors are {@link CheckpointError}s.
 */
export function durableFile(path: string, process: NodeProcess): DurableFile {
  const fs = process.getBuiltinModule('node:fs/promises');
  const folderPath = process.getBuiltinModule('node:path').dirname(path);
  const beside = `${path}.new`;

  const read = async (): Promise<string | undefined> => {
    try {
      return await fs.readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };

  const write = async (text: string): Promise<void> => {
    const file = await fs.open(beside, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(beside, path);
    // The new name is on the disk only with its folder; Windows has no way to say so.
    if (process.platform === 'win32') return;
    const folder = await fs.open(folderPath, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  };

  return {
    read: () =>
      defer(() => from(read())).pipe(
        catchError((cause: unknown) => throwError(() => new CheckpointError('unreadable', path, cause))),
      ),
    write: (text) =>
      defer(() => from(write(text))).pipe(
        ignoreElements(),
        catchError((cause: unknown) => throwError(() => new CheckpointError('unwritable', path, cause))),
      ),
  };
}
