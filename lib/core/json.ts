import { DecodeError } from './errors.ts';

/**
 * The most values in the JSON of one response, counted by its commas and opening brackets.
 *
 * The presence of 10,000 contacts in one response has 190,000; this many are read in less than a second.
 */
export const MOST_VALUES = 500_000;

const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** The key `__proto__`, or letters that it may be written with. */
const PROTOTYPE = /__proto__|\\u00[567]/;

/**
 * Returns the value of a JSON text from a server, without members named `__proto__`.
 *
 * @param subject The response, for the error.
 * @throws DecodeError if the text is no JSON, or has more than {@link MOST_VALUES} values.
 */
export function parseJson(text: string, subject: string): unknown {
  if (hasTooManyValues(text)) {
    throw new DecodeError(subject, { path: '', expected: `at most ${MOST_VALUES} values`, actual: 'more' });
  }
  try {
    if (!PROTOTYPE.test(text)) return JSON.parse(text);
    // A copy of an object with this key would get its value as the prototype.
    return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value));
  } catch {
    // The parser's own error quotes the text, which can be a message or a token.
    throw new DecodeError(subject, { path: '', expected: 'JSON', actual: 'malformed or incomplete JSON' });
  }
}

/**
 * Returns whether a text can have more than {@link MOST_VALUES} JSON values.
 *
 * Commas and brackets in strings count, too: finding the strings would take longer.
 */
export function hasTooManyValues(text: string): boolean {
  // Each value takes a character.
  if (text.length <= MOST_VALUES) return false;
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === COMMA || code === BRACKET || code === BRACE) count += 1;
    if (count > MOST_VALUES) return true;
  }
  return false;
}
