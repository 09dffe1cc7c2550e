import { codeWord } from './text.ts';

/**
 * The most errors of a chain of causes that are described: no platform has longer chains, and one can be
 * circular.
 */
const MOST_CAUSES = 4;

/** The properties of system errors with facts about a connection. */
const FACTS = ['syscall', 'code', 'hostname', 'address', 'port'] as const;

const WITHHELD = 'its text is withheld, because it can quote the request or the response';

/**
 * Returns a description of an error from a fetch or another foreign function, or undefined for other values.
 *
 * The message, the stack and the properties of such an error can quote the URL, a header or a body, in any
 * spelling. The description is a plain Error with the name, code, system call, host, address and port of the
 * original, a message of these words, and a description of its cause: at most four errors in all.
 */
export function describedCause(cause: unknown): Error | undefined {
  return described(cause, MOST_CAUSES);
}

/** The code of a TLS handshake with a server that speaks only http. */
export const NO_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER';

/**
 * Returns the connection's own code, such as `ECONNRESET`: node-fetch has it on its error, Node's own fetch
 * on a cause.
 *
 * Node uses `EPROTO` for many failures of TLS: only the text of the error shows that it is {@link NO_TLS}.
 */
export function codeOf(error: unknown): string | undefined {
  const chain = chainOf(error);
  const found = chain.map((one) => codeWord(property(one, 'code'))).find((code) => code !== undefined);
  const isNoTls = chain.some((one) => String(property(one, 'message')).includes('wrong version number'));
  return found === 'EPROTO' && isNoTls ? NO_TLS : found;
}

function described(cause: unknown, left: number): Error | undefined {
  if (left === 0 || !isError(cause)) return undefined;
  const facts = FACTS.flatMap((name) => {
    const value = property(cause, name);
    const fact = name === 'port' && Number.isInteger(value) ? (value as number) : codeWord(value);
    return fact === undefined ? [] : [[name, fact] as const];
  });
  const message = facts.map(([, fact]) => fact).join(' ') || WITHHELD;
  const inner = described(property(cause, 'cause'), left - 1);
  const error = new Error(message, inner === undefined ? undefined : { cause: inner });
  error.name = codeWord(property(cause, 'name')) ?? 'Error';
  // The frames of this function would mislead, and those of the original can contain its message.
  error.stack = `${error.name}: ${message}`;
  return Object.assign(error, Object.fromEntries(facts));
}

function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let one = error; isError(one) && chain.length < MOST_CAUSES; one = property(one, 'cause'))
    chain.push(one);
  return chain;
}

/** By its shape: an error of another window or context is not an instance of this Error. */
function isError(value: unknown): value is object {
  return value instanceof Error || typeof property(value, 'message') === 'string';
}

/** Returns a property; foreign objects may throw when they are read. */
function property(value: unknown, name: string): unknown {
  try {
    return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
  } catch {
    return undefined;
  }
}
