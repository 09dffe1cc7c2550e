import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What others wrote, or a tool. */
const FOREIGN = new Set(['node_modules', 'dist', 'api']);

/**
 * Returns the paths of the files below a folder, sorted; those of packages and builds are left out.
 *
 * It does not follow links: among the packages of the examples is a link to this project.
 */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !FOREIGN.has(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}
