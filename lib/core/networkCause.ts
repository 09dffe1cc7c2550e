import { codeWord } from './text.ts';

/** How many errors of a chain of causes are described: no platform has longer ones, and a chain can be a circle. */
const MOST_CAUSES = 4;

/** What system errors say about a connection, in words. */
const FACTS = ['syscall', 'code', 'hostname', 'address', 'port'] as const;

const WITHHELD = 'its text is withheld, because it can quote the request or the response';

/**
 * Returns what may be kept of an error that a fetch or another foreign function threw, or undefined for no error.
 *
 * Such an error can quote the URL, a header or a body in any spelling, in its message, its stack and its
 * properties. So none of these is kept: the result is a plain Error with the name, the code, the system call, the
 * host, the address and the port of the original, as far as it has them, a message of these words, and a cause that
 * is described in the same way, at most four in all.
 */
export function describedCause(cause: unknown): Error | undefined {
  return described(cause, MOST_CAUSES);
}

/** The code of a TLS handshake with a server that does not speak TLS, such as one for http. */
export const NO_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER';

/**
 * Returns the connection's own code, such as `ECONNRESET`: node-fetch has it on its error, Node's own fetch on a cause.
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
  // The frames of this function would mislead, and those of the original can hold its message.
  error.stack = `${error.name}: ${message}`;
  return Object.assign(error, Object.fromEntries(facts));
}

function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let one = error; isError(one) && chain.length < MOST_CAUSES; one = property(one, 'cause'))
    chain.push(one);
  return chain;
}

/** By its shape: an error of another window or context is no instance of this one's Error. */
function isError(value: unknown): value is object {
  return value instanceof Error || typeof property(value, 'message') === 'string';
}

/** Foreign objects may throw when they are read. */
function property(value: unknown, name: string): unknown {
  try {
    return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
  } catch {
    return undefined;
  }
}
