import type { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { defined } from '../core/defined.ts';
import { NetworkError } from '../core/errors.ts';
import { adviceFor } from '../core/systemErrors.ts';
import { codeWord } from '../core/text.ts';
import type { Proxy } from './proxy.ts';

/** Opens a connection to an origin, and calls back with its socket. Returns how to cancel that. */
export type OpenTunnel = (
  origin: URL,
  callback: (error: NetworkError | null, socket: Duplex) => void,
) => () => void;

/**
 * Returns how to open connections through a proxy with CONNECT.
 *
 * The proxy sees host and port of the server only, and its responses are never those of the server.
 *
 * @param secureContext The authorities that are trusted, for a proxy at an https URL.
 * @see [RFC 9110] CONNECT
 */
export function tunnelThrough(
  { url: proxy, authorization }: Proxy,
  secureContext: SecureContext | undefined,
): OpenTunnel {
  const isSecure = proxy.protocol === 'https:';
  const { request } = isSecure
    ? process.getBuiltinModule('node:https')
    : process.getBuiltinModule('node:http');
  const agent = (): Agent | false =>
    isSecure && new (process.getBuiltinModule('node:https').Agent)(defined({ secureContext }));
  return (origin, callback) => {
    const host = `${origin.hostname}:${origin.port || (origin.protocol === 'https:' ? '443' : '80')}`;
    const refuse = (what: string, code: string, cause?: unknown): void => {
      const identity = { method: 'CONNECT', url: origin.href };
      const text = `no answer, because the proxy ${proxy.origin} ${what}`;
      callback(new NetworkError(text, identity, { code, cause, isUnsent: true }), undefined as never);
    };
    const connecting = request(proxy, {
      ...{ method: 'CONNECT', path: host, agent: agent() },
      headers: { host, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
    });
    connecting
      .once('connect', ({ statusCode = 0 }, socket: Duplex, head: Uint8Array) => {
        connecting.removeAllListeners('error').on('error', () => undefined);
        if (statusCode >= 200 && statusCode < 300) {
          if (head.length > 0) socket.unshift(head);
          callback(null, socket);
          return;
        }
        socket.destroy();
        const [what, code] = refusal(statusCode, authorization !== undefined);
        refuse(what, code);
      })
      .once('error', (cause: Error & { readonly code?: unknown }) => {
        const code = codeWord(cause.code) ?? 'no code';
        const advice = adviceFor(code);
        const what =
          advice === undefined ? `cannot be reached (${code}): check its URL` : `cannot be used: ${advice}`;
        refuse(what, 'ERR_PROXY_UNREACHABLE', cause);
      })
      .end();
    return () => connecting.destroy();
  };
}

/** Returns what a response of a proxy means, with what to do, and the code for it. */
function refusal(status: number, hasCredentials: boolean): readonly [what: string, code: string] {
  // Tinyproxy sends 401 for a wrong password.
  if (status === 407 || status === 401)
    return [
      hasCredentials
        ? `does not accept the user name and password in its URL (${status})`
        : `asks for a user name and a password (${status}): write them into its URL, http://user:password@host:port`,
      'ERR_PROXY_AUTHENTICATION',
    ];
  return status === 403 || status === 405
    ? [`does not allow connections to this host and port (${status}): ask its operator`, 'ERR_PROXY_REFUSED']
    : [
        `cannot connect to this host (${status}): check the host, or list it in NO_PROXY`,
        'ERR_PROXY_REFUSED',
      ];
}

/** Lets an agent open its connections through a proxy. */
export function tunnelled(agent: Agent, origin: URL, open: OpenTunnel): Agent {
  const createConnection = agent.createConnection.bind(agent);
  const destroy = agent.destroy.bind(agent);
  let cancel = (): void => undefined;
  agent.createConnection = (options, callback) => {
    cancel = open(origin, (error, socket) => {
      const isSecure = error === null && origin.protocol === 'https:';
      // Node adds TLS to a socket that it is given.
      callback?.(error, (isSecure && createConnection({ ...options, socket } as typeof options)) || socket);
    });
    return undefined;
  };
  agent.destroy = () => {
    cancel();
    destroy();
  };
  return agent;
}
