/**
 * Returns whether two plain records have equal fields. Arrays are compared by their entries, Dates by their
 * time.
 */
export function sameState(one: unknown, other: unknown): boolean {
  if (!isRecord(one) || !isRecord(other)) return sameField(one, other);
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && sameField(one[key], other[key]))
  );
}

function sameField(one: unknown, other: unknown): boolean {
  if (one instanceof Date && other instanceof Date) return Object.is(one.getTime(), other.getTime());
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((entry, index) => Object.is(entry, other[index]));
  }
  return Object.is(one, other);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
