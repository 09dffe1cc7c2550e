import { invalidOption } from '../lib/core/options.ts';

/** Throws a TypeError unless there is at least one name, and each is a string that is not empty. */
export function checkNames(option: string, names: readonly unknown[]): void {
  if (names.length === 0) throw invalidOption(option, names, 'at least one name');
  for (const name of names) {
    if (typeof name !== 'string' || name === '') throw invalidOption(option, name, 'a string, and not empty');
  }
}
