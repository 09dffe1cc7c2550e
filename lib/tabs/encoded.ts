import type { Encoded, SentError } from './messages.ts';

/** A class of errors. */
export type ErrorClass = abstract new (...parts: never[]) => Error;

/** Error classes by their names. */
export type ErrorClasses = Readonly<Record<string, ErrorClass>>;

/** A Map with this key is an error: the JSON of a server contains no Map. */
const ERROR = 'rxchange error';

/** Returns a value with its errors as data; without errors, the same value. */
export function encode(value: unknown): Encoded {
  let hasErrors = false;
  const encoded = mapErrors(value, (item) => {
    if (!(item instanceof Error)) return undefined;
    hasErrors = true;
    return new Map([[ERROR, sentError(item)]]);
  });
  return { value: encoded, hasErrors };
}

/** Returns the value that {@link encode} encoded. Errors have their class if it is one of `classes`. */
export function decode({ value, hasErrors }: Encoded, classes: ErrorClasses): unknown {
  if (!hasErrors) return value;
  const restored = (item: unknown): unknown =>
    item instanceof Map && item.has(ERROR)
      ? errorFrom(item.get(ERROR) as SentError, classes, (inner) => mapErrors(inner, restored))
      : undefined;
  return mapErrors(value, restored);
}

/** Returns a value in which `replace` has replaced parts; without such parts, the same value. */
function mapErrors(value: unknown, replace: (item: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (value instanceof Map) return mapEntries([...value], replace, (entries) => new Map(entries)) ?? value;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => mapErrors(item, replace));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isPlain(value)) return value;
  return mapEntries(Object.entries(value), replace, Object.fromEntries) ?? value;
}

/** Returns undefined if no value was replaced. */
function mapEntries<Key, Result>(
  entries: readonly (readonly [Key, unknown])[],
  replace: (item: unknown) => unknown,
  build: (entries: readonly (readonly [Key, unknown])[]) => Result,
): Result | undefined {
  const mapped = entries.map(([key, item]) => [key, mapErrors(item, replace)] as const);
  return mapped.some(([, item], index) => item !== entries[index]?.[1]) ? build(mapped) : undefined;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function sentError(error: Error): SentError {
  const { name, message, stack, cause } = error;
  return {
    ...{ name, message, stack, cause: sentValue(cause) },
    fields: Object.fromEntries(Object.entries(error).map(([key, field]) => [key, sentValue(field)])),
  };
}

/** Returns undefined for a value that cannot be sent, such as a function. */
function sentValue(value: unknown): unknown {
  const encoded = encode(value).value;
  try {
    return structuredClone(encoded);
  } catch {
    return undefined;
  }
}

const BUILT_IN: ErrorClasses = { RangeError, SyntaxError, TypeError };

function errorFrom(
  { name, message, stack, cause, fields }: SentError,
  classes: ErrorClasses,
  restore: (inner: unknown) => unknown,
): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause: restore(cause) });
  const known = { ...BUILT_IN, ...classes };
  // A constructor would compose the message again.
  if (Object.hasOwn(known, name)) Object.setPrototypeOf(error, known[name]?.prototype as object);
  for (const [key, value] of Object.entries({ name, stack }))
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  return Object.assign(error, restore(fields));
}
