/** The entries in which a Map differs from another one. */
export interface Difference {
  readonly set: readonly (readonly [unknown, unknown])[];
  readonly deleted: readonly unknown[];
}

/**
 * Returns the difference between two Maps, by the identity of their values.
 *
 * Returns undefined if the values are not both Maps, or if `patched` would not restore the order of the keys.
 */
export function differenceOf(before: unknown, after: unknown): Difference | undefined {
  if (!(before instanceof Map && after instanceof Map)) return undefined;
  const deleted = [...before.keys()].filter((key) => !after.has(key));
  const set = [...after].filter(([key, value]) => !before.has(key) || before.get(key) !== value);
  const keys = [...patched(before, { set, deleted }).keys()];
  return [...after.keys()].every((key, index) => key === keys[index]) ? { set, deleted } : undefined;
}

/** Returns a new Map with the difference applied. Its other values are the same objects. */
export function patched(
  before: ReadonlyMap<unknown, unknown>,
  difference: Difference,
): Map<unknown, unknown> {
  const after = new Map(before);
  for (const key of difference.deleted) after.delete(key);
  for (const [key, value] of difference.set) after.set(key, value);
  return after;
}
