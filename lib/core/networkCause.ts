import { isError, property } from './foreignError.ts';
import { factsOf } from './systemErrors.ts';
import { codeWord } from './text.ts';

/**
 * The most errors of a chain of causes that are described: no platform has longer chains, and one can be
 * circular.
 */
const MOST_CAUSES = 4;

const WITHHELD = 'its text is withheld, because it can quote the request or the response';

/**
 * Returns a description of an error from a fetch or another foreign function, or undefined for other values.
 *
 * The message, the stack and the properties of such an error can quote the URL, a header or a body, in any
 * spelling. The description is a plain Error with the name, code, system call, host, address and port of the
 * original, a message of these words, and a description of its cause: at most four errors in all.
 */
export function describedCause(cause: unknown, left: number = MOST_CAUSES): Error | undefined {
  if (left === 0 || !isError(cause)) return undefined;
  const facts = factsOf(cause);
  const message = Object.values(facts).join(' ') || WITHHELD;
  const inner = describedCause(property(cause, 'cause'), left - 1);
  const error = new Error(message, inner && { cause: inner });
  error.name = codeWord(property(cause, 'name')) ?? 'Error';
  // The frames of this function would mislead, and those of the original can contain its message.
  error.stack = `${error.name}: ${message}`;
  return Object.assign(error, facts);
}
