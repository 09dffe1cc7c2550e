import { catchError, defer, from, ignoreElements, type Observable, throwError } from 'rxjs';
import { excerpt } from '../core/text.ts';

/** The most characters of the path in the message. */
const LONGEST_PATH = 300;

/** A file with checkpoints cannot be read, trusted or written. */
export class CheckpointError extends Error {
  readonly _tag = 'CheckpointError';
  override readonly name: string = 'CheckpointError';
  /**
   * - `corrupt`: the content differs from the saved one.
   * - `unsafe`: another user could have written the file, or can read it. The message has advice.
   * - `unreadable`, `unwritable`: the system refuses the access; see `cause`.
   */
  readonly problem: 'corrupt' | 'unsafe' | 'unreadable' | 'unwritable';
  /** The path of the file. */
  readonly path: string;

  constructor(
    problem: CheckpointError['problem'],
    path: string,
    options: {
      readonly cause?: unknown;
      /** Why the file is unsafe, and advice. */
      readonly reason?: string;
    } = {},
  ) {
    super(messageFor(problem, excerpt(path, LONGEST_PATH), options.reason), { cause: options.cause });
    this.problem = problem;
    this.path = path;
  }
}

function messageFor(problem: CheckpointError['problem'], path: string, reason = 'it is not safe'): string {
  switch (problem) {
    case 'corrupt':
      return `The checkpoints in ${path} are torn or damaged, and are not used. Move the file away to start afresh.`;
    case 'unsafe':
      return `The checkpoints in ${path} are not used: ${reason}. Or move the file away to start afresh.`;
    default:
      return `The checkpoints in ${path} cannot be ${problem === 'unreadable' ? 'read' : 'written'}: see the cause.`;
  }
}

/** The status of an open file. */
interface FileStatus {
  readonly mode: number;
  readonly uid: number;
  isFile(): boolean;
}

/**
 * Returns whether other users than the owner have a permission on a file of this mode.
 *
 * Windows has no modes: there, a file is as private as its folder.
 */
export function isSharedMode(mode: number, platform: NodeJS.Platform): boolean {
  return platform !== 'win32' && (mode & 0o077) !== 0;
}

/**
 * Returns why a file is unsafe, with advice, or undefined if it is safe.
 *
 * A safe file is a regular file that belongs to this user, and that no other user can read or write.
 */
function unsafeReason(
  file: FileStatus,
  process: Pick<NodeJS.Process, 'platform' | 'geteuid'>,
): string | undefined {
  if (!file.isFile()) return 'it is not a regular file';
  const user = process.geteuid?.();
  if (user !== undefined && file.uid !== user)
    return `it belongs to user ${file.uid}, not to user ${user}. If you trust it, change its owner`;
  if (!isSharedMode(file.mode, process.platform)) return undefined;
  const mode = (file.mode & 0o777).toString(8);
  return `other users can read or write it (mode ${mode}). If you trust it, run chmod 600 on it`;
}

/** The members of a Node process that are used. */
export type NodeProcess = Pick<NodeJS.Process, 'getBuiltinModule' | 'platform' | 'geteuid'>;

/** A file that exists as a whole or not at all. */
interface DurableFile {
  /** Emits the text of the file, or undefined if it does not exist. */
  read(): Observable<string | undefined>;
  /** Replaces the file; completes when it is on the disk. */
  write(text: string): Observable<never>;
}

/** The largest file, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Returns a private file whose text survives a crash at any time.
 *
 * The text is written to a temporary file in the same folder, synchronized to the disk, and renamed. The
 * temporary file has a random name, PATH.HEX.new, and must be new, so that no link of another user is
 * followed. It is removed if writing fails; files that killed processes have left are removed before the
 * first write.
 *
 * The file is checked when it is read: that errors if another user could have written it or can read it.
 * Errors are {@link CheckpointError}s.
 */
export function durableFile(path: string, process: NodeProcess): DurableFile {
  const fs = process.getBuiltinModule('node:fs/promises');
  const names = process.getBuiltinModule('node:path');
  const { randomBytes } = process.getBuiltinModule('node:crypto');
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const isWindows = process.platform === 'win32';
  const folderPath = names.dirname(path);
  const name = names.basename(path);
  let swept: Promise<void> | undefined;

  const unsafe = (reason: string): CheckpointError => new CheckpointError('unsafe', path, { reason });

  const open = async () => {
    try {
      // Opening a pipe without blocking does not wait for a writer.
      return await fs.open(path, isWindows ? 'r' : O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      // EMLINK on FreeBSD.
      if (code === 'ELOOP' || code === 'EMLINK')
        throw unsafe('it is a symbolic link. Pass the path it leads to');
      throw error;
    }
  };

  const read = async (): Promise<string | undefined> => {
    // Opened once, so that the checked file is the one that is read.
    const file = await open();
    if (file === undefined) return undefined;
    try {
      const stats = await file.stat();
      const reason = unsafeReason(stats, process);
      if (reason !== undefined) throw unsafe(reason);
      // A larger one was not written here.
      if (stats.size > MAX_BYTES) throw new CheckpointError('corrupt', path);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  };

  const isTemporary = (other: string): boolean =>
    other.startsWith(name) && /^\.[\da-f]{24}\.new$/.test(other.slice(name.length));

  const sweep = async (): Promise<void> => {
    for (const entry of await fs.readdir(folderPath, { withFileTypes: true })) {
      if (entry.isFile() && isTemporary(entry.name)) await remove(names.join(folderPath, entry.name));
    }
  };

  /** Removes a file; one that cannot be removed does no harm. */
  const remove = (temporary: string): Promise<void> =>
    fs.rm(temporary, { force: true }).catch(() => undefined);

  const write = async (text: string): Promise<void> => {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > MAX_BYTES) throw new Error(`They are larger than ${MAX_BYTES} bytes.`);
    // A folder that cannot be listed may be writable.
    await (swept ??= sweep().catch(() => undefined));
    const temporary = `${path}.${randomBytes(12).toString('hex')}.new`;
    const file = await fs.open(temporary, 'wx', 0o600);
    try {
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await fs.rename(temporary, path);
    } catch (error) {
      await remove(temporary);
      throw error;
    }
    // The new name is on the disk only when the folder is synchronized, which Windows does not support.
    if (isWindows) return;
    const folder = await fs.open(folderPath, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  };

  const failedAs = (problem: 'unreadable' | 'unwritable', cause: unknown): Observable<never> =>
    throwError(() =>
      cause instanceof CheckpointError ? cause : new CheckpointError(problem, path, { cause }),
    );

  return {
    read: () => defer(() => from(read())).pipe(catchError((cause: unknown) => failedAs('unreadable', cause))),
    write: (text) =>
      defer(() => from(write(text))).pipe(
        ignoreElements(),
        catchError((cause: unknown) => failedAs('unwritable', cause)),
      ),
  };
}
