import type { Either } from 'fp-ts/lib/Either.js';
import type { Decoder, Errors, ValidationError } from 'io-ts';
import { DecodeError } from './errors.ts';

const SECRET_KEY = /token|password|secret|authorization|cookie|credential/i;
const LONGEST_EXCERPT = 40;

/**
 * Returns a function that turns a value into what the codec says it is, and throws a {@link DecodeError}
 * that tells where it is not, what was expected there, and what was there instead.
 *
 * @param codec An io-ts codec.
 * @param subject What is decoded, for the error, such as `event channel response`.
 *
 * @example
 * ```ts
 * import * as t from 'io-ts';
 * import { decode, DecodeError } from 'rxchange';
 *
 * const contact = decode(t.type({ name: t.string }), 'contact');
 * console.log(contact({ name: 'Sara' }).name);
 * // prints: Sara
 * try {
 *   contact({ name: 7 });
 * } catch (error) {
 *   console.log(error instanceof DecodeError && error.message);
 * }
 * // prints: contact: expected string at /name, but there is 7
 * ```
 */
export function decode<Value>(codec: Decoder<unknown, Value>, subject: string): (value: unknown) => Value {
  return (value) => {
    // fp-ts' own isLeft would bring 27 kB along that no bundler can drop.
    const decoded: Either<Errors, Value> = codec.decode(value);
    if (decoded._tag === 'Left') throw new DecodeError(subject, problemOf(decoded.left, codec.name, value));
    return decoded.right;
  };
}

interface Problem {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

function problemOf(errors: Errors, name: string, value: unknown): Problem {
  // Of a union io-ts reports every branch; the one that got deepest says most.
  const deepest = errors.reduce<ValidationError | undefined>(
    (best, error) => (best === undefined || depth(error) > depth(best) ? error : best),
    undefined,
  );
  if (deepest === undefined) return { path: '', expected: name, actual: excerpt(value, []) };
  const keys = keysOf(deepest);
  return {
    path: keys.map((key) => `/${key}`).join(''),
    expected: deepest.message ?? deepest.context.at(-1)?.type.name ?? name,
    actual: excerpt(deepest.value, keys),
  };
}

function depth(error: ValidationError): number {
  return keysOf(error).length;
}

/**
 * The keys that lead to the value. io-ts also counts the branches of unions and intersections as steps, within
 * codecs of any kind: those do not lead anywhere else.
 */
function keysOf({ context }: ValidationError): string[] {
  return context
    .filter(({ key, actual }, index) => key !== '' && actual !== context[index - 1]?.actual)
    .map(({ key }) => key);
}

/** Shows the shape of a value, never much of its content: messages and tokens can be in there. */
function excerpt(value: unknown, keys: readonly string[]): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    return shorten(`an object with ${Object.keys(value).join(', ') || 'no properties'}`);
  }
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return `a ${typeof value}`;
  if (keys.some((key) => SECRET_KEY.test(key)) || value.length > LONGEST_EXCERPT) {
    return `a string of ${value.length} characters`;
  }
  return JSON.stringify(value);
}

function shorten(text: string): string {
  return text.length > 2 * LONGEST_EXCERPT ? `${text.slice(0, 2 * LONGEST_EXCERPT)}…` : text;
}
