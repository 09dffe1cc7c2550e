import { isError, property } from './foreignError.ts';
import { codeWord } from './text.ts';

// Reads the errors of Node's connections. Bundlers for browsers, whose errors say nothing, take
// ./browserErrors.ts.

/** The most errors of a chain of causes that are read. */
const MOST_CAUSES = 4;

/** The properties of system errors with facts about a connection. */
const FACTS = ['syscall', 'code', 'hostname', 'address', 'port'] as const;

/** Facts about the connection of an error, by the names of its properties. */
export type Facts = { readonly [Name in (typeof FACTS)[number]]?: string | number };

/** The code of a TLS handshake with a server that speaks only http. */
const NO_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER';

/** Codes of errors before a connection was established: no byte of the request was sent. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  NO_TLS,
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * Returns the connection's own code, such as `ECONNRESET`: node-fetch has it on its error, Node's own fetch
 * on a cause.
 *
 * Node uses `EPROTO` for many failures of TLS: only the text of the error shows a server without TLS.
 */
export function codeOf(error: unknown): string | undefined {
  const chain = chainOf(error);
  const found = chain.map((one) => codeWord(property(one, 'code'))).find((code) => code !== undefined);
  const isNoTls = chain.some((one) => String(property(one, 'message')).includes('wrong version number'));
  return found === 'EPROTO' && isNoTls ? NO_TLS : found;
}

/** Returns the facts about the connection that an error has as properties, if they are words. */
export function factsOf(error: object): Facts {
  const facts = FACTS.map((name) => {
    const value = property(error, name);
    return [name, name === 'port' && Number.isInteger(value) ? (value as number) : codeWord(value)] as const;
  });
  return Object.fromEntries(facts.filter(([, fact]) => fact !== undefined));
}

/** Returns whether a code means that no connection was established. */
export function isNeverConnected(code: string | undefined): boolean {
  return code !== undefined && NEVER_CONNECTED.has(code);
}

/** Returns what a code of the connection means for the caller, if it has a remedy. */
export function adviceFor(code: string | undefined): string | undefined {
  return code === NO_TLS ? 'the server does not speak https on this port: check the URL' : undefined;
}

function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let one = error; isError(one) && chain.length < MOST_CAUSES; one = property(one, 'cause'))
    chain.push(one);
  return chain;
}
