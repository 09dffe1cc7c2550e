import { NegotiateError } from './errors.ts';

/** The service that a context signs in to. @inline */
export interface NegotiateTarget {
  /** The name of the service, such as `HTTP@mail.contoso.com`. */
  readonly service: string;
  /** The account, such as `sara@CONTOSO.COM`. @default that of the ticket or of the keytab */
  readonly principal: string | undefined;
  /**
   * The data of `tls-server-end-point` (RFC 5929): these words, a colon, and the hash of the server's
   * certificate. Undefined without TLS.
   */
  readonly channelBinding: Uint8Array | undefined;
}

/** One sign-in. @inline */
export interface NegotiateContext {
  /**
   * Resolves to the next token for the server, in base64, or to an empty text if there is none.
   *
   * It rejects if there is no ticket, and for a token that does not prove the identity of the server.
   *
   * @param token The token of the server, in base64. @default none: it is the first step
   */
  step(token?: string): Promise<string>;
  /** Whether the server has proved its identity, after the last step. @default true */
  readonly isComplete?: boolean;
}

/** Starts a sign-in with a library for Kerberos. */
export type NegotiateAdapter = (target: NegotiateTarget) => NegotiateContext | PromiseLike<NegotiateContext>;

/** The members of the package `kerberos` that are used. */
export interface Kerberos {
  readonly GSS_MECH_OID_SPNEGO: number;
  readonly GSS_C_MUTUAL_FLAG: number;
  readonly GSS_C_SEQUENCE_FLAG: number;
  initializeClient(service: string, options: object): Promise<KerberosClient>;
}

interface KerberosClient {
  readonly contextComplete: boolean;
  step(challenge: string): Promise<string | null | undefined>;
}

/**
 * Returns the adapter for the package `kerberos`, which is loaded with the first sign-in.
 *
 * It passes no channel binding, because the package has no parameter for one.
 */
export function kerberosAdapter(load: () => Promise<Kerberos> = loadKerberos): NegotiateAdapter {
  let loaded: Promise<Kerberos> | undefined;
  return async ({ service, principal }) => {
    const kerberos = await (loaded ??= load()).catch((cause: unknown) => {
      loaded = undefined;
      throw new NegotiateError(service, 'kerberosMissing', cause);
    });
    const client = await kerberos.initializeClient(service, {
      mechOID: kerberos.GSS_MECH_OID_SPNEGO,
      gssFlag: kerberos.GSS_C_MUTUAL_FLAG | kerberos.GSS_C_SEQUENCE_FLAG,
      ...(principal === undefined ? {} : { principal }),
    });
    return {
      step: async (token = '') => (await client.step(token)) ?? '',
      get isComplete() {
        return client.contextComplete;
      },
    };
  };
}

async function loadKerberos(): Promise<Kerberos> {
  // Not a literal, because the package is optional, and so are its types.
  const name: string = 'kerberos';
  const loaded = (await import(name)) as { readonly default: Kerberos };
  return loaded.default;
}
