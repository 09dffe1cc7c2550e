/** Returns whether a value is an error by its shape: one of another window is no instance of this Error. */
export function isError(value: unknown): value is object {
  return value instanceof Error || typeof property(value, 'message') === 'string';
}

/** Returns a property; foreign objects may throw when they are read. */
export function property(value: unknown, name: string): unknown {
  try {
    return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
  } catch {
    return undefined;
  }
}
