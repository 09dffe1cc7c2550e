import type { Either } from 'fp-ts/lib/Either.js';
import type { Context, ContextEntry, Decoder, Errors, ValidationError } from 'io-ts';
import { DecodeError } from './errors.ts';
import { codeWord, excerpt } from './text.ts';

const SECRET_KEY = /token|password|secret|authorization|cookie|credential/i;
/** The most characters of a key that are shown, and of a word that is quoted. */
const LONGEST = 40;
/** The most properties of an object that are named. */
const MOST_NAMES = 10;

/**
 * Returns a function that decodes a value with a codec, or throws a {@link DecodeError}.
 *
 * The error has the path of the wrong value, the expected type, and a description of the value: the names of
 * the first ten properties of an object, or the length of a string. It quotes only numbers, booleans and
 * words of at most 40 characters, and none of these at the root or under the name of a secret.
 *
 * @param codec An io-ts codec.
 * @param subject The name of the value, for the error, such as `event channel response`.
 */
export function decode<Value>(codec: Decoder<unknown, Value>, subject: string): (value: unknown) => Value {
  return (value) => decodeNoting(codec, subject, value, undefined);
}

/** The first entry of a context, in which codecs count the members that they drop. */
interface Root extends ContextEntry {
  readonly noteDropped: ((members: number) => void) | undefined;
}

/** Returns a value decoded as by {@link decode}, and counts the members that its codecs drop. */
export function decodeNoting<Value>(
  codec: Decoder<unknown, Value>,
  subject: string,
  value: unknown,
  noteDropped: Root['noteDropped'],
): Value {
  const root: Root = { key: '', type: codec, actual: value, noteDropped };
  const decoded: Either<Errors, Value> = codec.validate(value, [root]);
  if (decoded._tag === 'Left') throw new DecodeError(subject, problemOf(decoded.left, codec.name, value));
  return decoded.right;
}

/** Counts a member that a codec drops. */
export function noteDropped([root]: Context): void {
  (root as Partial<Root> | undefined)?.noteDropped?.(1);
}

interface Problem {
  readonly path: string;
  readonly expected: string;
  readonly actual: string;
}

function problemOf(errors: Errors, name: string, value: unknown): Problem {
  // io-ts reports all branches of a union; the deepest one is the most specific.
  const deepest = errors.reduce<ValidationError | undefined>(
    (best, error) => (best === undefined || depth(error) > depth(best) ? error : best),
    undefined,
  );
  if (deepest === undefined) return { path: '', expected: name, actual: shapeOf(value, []) };
  const keys = keysOf(deepest);
  return {
    path: keys.map((key) => `/${excerpt(key, LONGEST)}`).join(''),
    expected: deepest.message ?? deepest.context.at(-1)?.type.name ?? name,
    actual: shapeOf(deepest.value, keys),
  };
}

function depth(error: ValidationError): number {
  return keysOf(error).length;
}

/**
 * Returns the keys of the path to the value. io-ts also counts the branches of unions and intersections as
 * steps, which have the same value as the step before.
 */
function keysOf({ context }: ValidationError): string[] {
  return context
    .filter(({ key, actual }, index) => key !== '' && actual !== context[index - 1]?.actual)
    .map(({ key }) => key);
}

/** Returns a description of a value without its content, which may be a message or a token. */
function shapeOf(value: unknown, keys: readonly string[]): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return `an object with ${namesOf(value)}`;
  if (value === null) return 'null';
  // A value at the root has no name that could be the name of a secret.
  const isSecret = keys.length === 0 || keys.some((key) => SECRET_KEY.test(key));
  if (typeof value === 'string') {
    const isQuoted = !isSecret && value.length <= LONGEST && codeWord(value) !== undefined;
    return isQuoted ? JSON.stringify(value) : `a string of ${value.length} characters`;
  }
  const isQuoted = !isSecret && (typeof value === 'number' || typeof value === 'boolean');
  return isQuoted ? String(value) : `a ${typeof value}`;
}

function namesOf(value: object): string {
  const names = Object.keys(value);
  if (names.length === 0) return 'no properties';
  const first = names.slice(0, MOST_NAMES).map((name) => excerpt(name, LONGEST));
  return excerpt([...first, ...(names.length > MOST_NAMES ? ['…'] : [])].join(', '), 2 * LONGEST);
}
