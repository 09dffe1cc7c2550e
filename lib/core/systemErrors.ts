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

const TRANSPORT = 'nodeTransport() of rxchange/node';
const UNKNOWN_CA = `its certificate is from an unknown authority: pass that as ca to ${TRANSPORT}, or name its file in NODE_EXTRA_CA_CERTS`;
const SELF_SIGNED = `its certificate is self-signed: if it is yours, pass it as ca to ${TRANSPORT}, or name its file in NODE_EXTRA_CA_CERTS`;
const CLIENT_REFUSED = `the server refuses the client certificate: it must be valid, and from an authority that the server knows`;
const OLD_TLS = 'the server and Node have no version of TLS in common: enable TLS 1.2 on the server';

/** The meanings of the codes of certificates, and their remedies. */
const OF_CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED:
    'its certificate has expired: renew it on the server, or correct the clock of this machine',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: correct the clock of this machine or of the server',
  CERT_REVOKED: 'its certificate was revoked: replace it on the server',
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  ERR_TLS_CERT_ALTNAME_INVALID: `its certificate is for other names: use one of them in the URL, or as servername of ${TRANSPORT}`,
};

/** The meanings of the alerts of a handshake. The request may have been sent with it. */
const OF_HANDSHAKES: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: `the server requires a client certificate: pass cert and key, or pfx, to ${TRANSPORT}`,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: `the server refuses the handshake of TLS: it may require a client certificate, cert and key or pfx of ${TRANSPORT}`,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: CLIENT_REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: CLIENT_REFUSED,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_REFUSED,
  ERR_SSL_UNSUPPORTED_PROTOCOL: OLD_TLS,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: OLD_TLS,
};

/** The reasons in the text of `EPROTO`, and the codes that Node has for them elsewhere. */
const REASONS: readonly (readonly [reason: string, code: string])[] = [
  ['wrong version number', NO_TLS],
  ['unsupported protocol', 'ERR_SSL_UNSUPPORTED_PROTOCOL'],
  ['alert protocol version', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
  ['alert handshake failure', 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'],
  ['alert certificate required', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'],
  ['alert unknown ca', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'],
  ['alert bad certificate', 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE'],
];

/** Codes of errors before a connection was established: no byte of the request was sent. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_PROXY_UNREACHABLE',
  'ERR_PROXY_AUTHENTICATION',
  'ERR_PROXY_REFUSED',
  NO_TLS,
  ...Object.keys(OF_CERTIFICATES),
]);

/**
 * Returns the connection's own code, such as `ECONNRESET`: node-fetch has it on its error, Node's own fetch
 * on a cause.
 *
 * Node uses `EPROTO` for many failures of TLS: only the text of the error has the reason of OpenSSL.
 */
export function codeOf(error: unknown): string | undefined {
  const chain = chainOf(error);
  const found = chain.map((one) => codeWord(property(one, 'code'))).find((code) => code !== undefined);
  if (found !== 'EPROTO') return found;
  const texts = chain.map((one) => String(property(one, 'message')));
  return REASONS.find(([reason]) => texts.some((text) => text.includes(reason)))?.[1] ?? found;
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
  if (code === undefined) return undefined;
  if (code === NO_TLS) return 'the server does not speak https on this port: check the URL';
  const texts = { ...OF_CERTIFICATES, ...OF_HANDSHAKES };
  return Object.hasOwn(texts, code) ? texts[code] : undefined;
}

function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let one = error; isError(one) && chain.length < MOST_CAUSES; one = property(one, 'cause'))
    chain.push(one);
  return chain;
}
