import type { Agent, AgentOptions } from 'node:http';
import { defined } from '../core/defined.ts';
import { hostOption } from '../core/hosts.ts';
import type { Limits } from '../core/limits.ts';
import { invalidSecret, objectOption, type OptionNames } from '../core/options.ts';
import { transportOver } from '../core/transport/fetch.ts';
import { nodeSend } from '../core/transport/nodeFetch.ts';
import type { Transport } from '../core/transport/transport.ts';
import { type Pem, secureContextOf } from './certificates.ts';
import { type Proxy, proxyAt, proxyOfEnvironment } from './proxy.ts';
import { tunnelled, tunnelThrough } from './tunnel.ts';

/** Options of {@link nodeTransport}. */
export interface NodeTransportOptions {
  /**
   * The URL of an HTTP proxy, with its credentials if it needs any, such as
   * `http://user:password@proxy.contoso.com:3128`; `false` for none.
   * @default the variables `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case
   */
  readonly proxy?: string | false;
  /**
   * The authorities whose certificates are trusted, as PEM.
   *
   * They replace those of Node; `NODE_EXTRA_CA_CERTS` adds to them instead.
   * @default those of Node, and those of the file that the variable `NODE_EXTRA_CA_CERTS` names
   */
  readonly ca?: Pem | readonly Pem[];
  /** The client's certificate, as PEM. @default none */
  readonly cert?: Pem;
  /** The private key of `cert`, as PEM. @default none */
  readonly key?: Pem;
  /** The client's certificate and key as the bytes of a PKCS #12 file (`.pfx`, `.p12`). @default none */
  readonly pfx?: Uint8Array;
  /** The password of `key` or `pfx`. @default none */
  readonly passphrase?: string;
  /**
   * The name in the handshake (SNI), which the certificates of the servers must have.
   * @default the host of the URL
   */
  readonly servername?: string;
  /** `drainBytes` and `drainSeconds` apply. @default 65,536 bytes and 1 second */
  readonly limits?: Limits;
}

const NAMES: OptionNames<NodeTransportOptions> = {
  ...{ proxy: 1, ca: 1, cert: 1, key: 1, pfx: 1, passphrase: 1, servername: 1, limits: 1 },
};

const INSTEAD = {
  rejectUnauthorized:
    'ca, with the certificate of the server or of its authority: all certificates are checked',
};

/**
 * Returns a {@link Transport} with options for proxies and certificates.
 *
 * It is `fetchTransport` otherwise. Connections are opened through the proxy with CONNECT, those to http
 * servers, too: it sees the host and the port only. `NO_PROXY` lists hosts without a proxy, separated by
 * commas; `contoso.com` includes all hosts of that domain.
 *
 * The Observable errors with a `NetworkError` that says what to do, if the proxy cannot be reached,
 * asks for a password or refuses the connection (`code` begins with `ERR_PROXY_`), and for an invalid
 * certificate. Certificates are always checked.
 *
 * @throws TypeError that names the option that cannot be used. Keys, passwords and certificates are not
 * quoted.
 *
 * @example
 * ```ts
 * import { basic, connectExchange } from 'rxchange/ews';
 * import { nodeTransport } from 'rxchange/node';
 *
 * const exchange = connectExchange({
 *   server: 'https://mail.contoso.com/EWS/Exchange.asmx',
 *   auth: basic({ username: 'sara', password: 'hush' }),
 *   transport: nodeTransport({ proxy: 'http://proxy.contoso.com:3128' }),
 * });
 * exchange.status$.subscribe(({ state }) => console.log(state));
 * // prints: idle
 * ```
 */
export function nodeTransport(options: NodeTransportOptions = {}): Transport {
  const { proxy, servername, limits, ca } = objectOption('options', options, NAMES, INSTEAD);
  const secureContext = secureContextOf(options);
  const trusted = secureContextOf(defined({ ca }));
  if (servername !== undefined) hostOption('servername', servername);
  const given = proxyOption(proxy);

  const createAgent = (origin: string, settings: AgentOptions): Agent => {
    const isSecure = origin.startsWith('https:');
    const agent = isSecure
      ? new (process.getBuiltinModule('node:https').Agent)({
          ...settings,
          ...defined({ secureContext, servername }),
        })
      : new (process.getBuiltinModule('node:http').Agent)(settings);
    const through = given ?? proxyOfEnvironment(origin);
    return through ? tunnelled(agent, new URL(origin), tunnelThrough(through, trusted)) : agent;
  };
  return transportOver(nodeSend(globalThis, createAgent), limits);
}

/** The error is without the value, which can contain a password. */
function proxyOption(value: unknown): Proxy | false | undefined {
  if (value === undefined || value === false) return value;
  const proxy = typeof value === 'string' ? proxyAt(value) : undefined;
  if (proxy !== undefined) return proxy;
  throw invalidSecret('proxy', 'the URL of an HTTP proxy, such as http://proxy.contoso.com:3128, or false');
}
