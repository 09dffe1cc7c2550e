import { property } from '../core/foreignError.ts';
import { codeWord, prose } from '../core/text.ts';
import type { Json } from '../core/checkpoint/checkpoint.ts';
import type { InspectedError } from './records.ts';

/** How deep a value is copied: events of both protocols have fewer levels. */
const DEEPEST = 8;
/** How many elements of a list are copied. */
const LONGEST_LIST = 100;
/** How many characters of a text are copied. */
const LONGEST_TEXT = 300;
const LONGEST_MESSAGE = 1000;

/**
 * Returns a copy of a value as plain JSON, with long texts and lists cut.
 *
 * A Date becomes its ISO text, a Map an object, and an Error its name and message.
 */
export function plain(value: unknown, depth = 0): Json {
  if (typeof value === 'string') return prose(value, LONGEST_TEXT);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') return null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth === DEEPEST) return '…';
  const inside = (one: unknown): Json => plain(one, depth + 1);
  if (Array.isArray(value)) return value.slice(0, LONGEST_LIST).map(inside);
  if (value instanceof Error) return { ...inspectedError(value) };
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries.slice(0, LONGEST_LIST).map(([name, one]: [unknown, unknown]) => [String(name), inside(one)]),
  );
}

/** Returns the name and the message of an error. */
export function inspectedError(error: unknown): InspectedError {
  const message = property(error, 'message');
  return {
    name: codeWord(property(error, 'name')) ?? typeof error,
    message: typeof message === 'string' ? prose(message, LONGEST_MESSAGE) : '',
  };
}
