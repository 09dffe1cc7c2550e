/** What is known of an opened file. */
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
 * Returns why a file is not this user's alone, and what to do, or undefined if it is.
 *
 * It must be a regular file that belongs to this user, and nobody else may read or write it.
 */
export function whyNotOwn(
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
