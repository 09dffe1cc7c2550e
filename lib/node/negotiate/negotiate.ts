import { catchError, defer, ignoreElements, map, mergeMap, of, throwError } from 'rxjs';
import { challengesOf } from '../../core/auth/challenge.ts';
import { functionOption, invalidOption, objectOption, type OptionRules } from '../../core/options.ts';
import { fetchTransport } from '../../core/transport/fetch.ts';
import type { HttpResponse, Transport } from '../../core/transport/transport.ts';
import { type Handshake, signedConnections } from '../signedConnections.ts';
import { kerberosAdapter, type NegotiateAdapter, type NegotiateContext } from './adapter.ts';
import { NegotiateError, negotiateError } from './errors.ts';

/** How to sign in with Kerberos. @inline */
export interface NegotiateOptions {
  /** The account, such as `sara@CONTOSO.COM`. @default that of the ticket or of the keytab */
  readonly principal?: string;
  /** The name of the service, such as `HTTP@mail.contoso.com`. @default `HTTP@` and the host of the URL */
  readonly service?: string;
  /** Starts each sign-in. @default that of the package `kerberos`, which is loaded then */
  readonly adapter?: NegotiateAdapter;
  /**
   * The transport for servers that offer NTLM and not Negotiate, and if there are no credentials of
   * Kerberos: `ntlm({ username, password })`.
   * @default none: the request errors
   */
  readonly fallback?: Transport;
  /**
   * Returns a transport that uses one connection for successive requests.
   * @default fetchTransport
   */
  readonly connect?: () => Transport;
  /** Whether to sign in by http to another machine: the tokens can be read on the way. @default false */
  readonly allowInsecureHttp?: boolean;
}

const text = (name: string, value: unknown): void => {
  if (typeof value !== 'string' || value === '' || /\p{Cc}/u.test(value))
    throw invalidOption(name, value, 'a text without control characters');
};

const RULES: OptionRules<NegotiateOptions> = {
  principal: text,
  service: text,
  adapter: functionOption('a function that starts a sign-in'),
  fallback: functionOption('a transport, such as ntlm(…)'),
  connect: functionOption('a function that returns a transport'),
  allowInsecureHttp: 1,
};

const REFUSAL =
  'the server does not accept the ticket: its account can lack the permission, or the clocks differ';

/**
 * Returns a {@link Transport} that signs in with Negotiate: SPNEGO with Kerberos.
 *
 * It is for programs. The ticket comes from `kinit`, or from the keytab that the variable
 * `KRB5_CLIENT_KTNAME` names. The optional peer dependency `kerberos` is loaded with the first sign-in,
 * unless an `adapter` is given.
 *
 * Each connection is signed in, and a server that signs in each request gets a ticket for each. The server
 * must prove its identity; otherwise its response is not used. A request with a body is sent without the body
 * until the server has offered Negotiate. A request with an Authorization is sent as it is.
 *
 * It errors with a {@link NegotiateError} that names the reason if there is no valid ticket, and with an
 * `HttpError` if the server does not accept it. The 401 of a server that does not offer Negotiate is
 * emitted. It errors with a TypeError for http to another machine.
 *
 * @see [RFC 4559] SPNEGO-based Kerberos and NTLM HTTP Authentication in Microsoft Windows
 * @throws TypeError that names the option that cannot be used.
 *
 * @example
 * ```ts
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { negotiate } from 'rxchange/node';
 *
 * const exchange = connectExchange({
 *   server: 'https://mail.contoso.com/EWS/Exchange.asmx',
 *   transport: negotiate(),
 * });
 * console.log(pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }) !== undefined);
 * // prints: true
 * ```
 */
export function negotiate(options: NegotiateOptions = {}): Transport {
  const {
    principal,
    service,
    adapter = kerberosAdapter(),
    fallback,
    connect = () => fetchTransport(),
    allowInsecureHttp = false,
  } = objectOption('options', options, RULES);

  const start = (url: URL): Handshake => {
    const name = service ?? `HTTP@${url.hostname}`;
    let context: NegotiateContext | undefined;

    const step = async (token: string | undefined, channelBinding?: Uint8Array): Promise<string> => {
      context ??= await adapter({ service: name, principal, channelBinding });
      return context.step(token);
    };
    const confirm = async (token: string | undefined): Promise<void> => {
      if (token !== undefined) await step(token);
      if (token === undefined || context?.isComplete === false)
        throw new NegotiateError(name, 'serverNotVerified');
    };

    return {
      respond: ({ token, channelBinding }) =>
        // Without a token, the server has refused the last one, or it is the first step.
        token === undefined && context !== undefined
          ? undefined
          : defer(() => step(token, channelBinding)).pipe(
              map((own) => `Negotiate ${own}`),
              catchError((cause: unknown) => throwError(() => negotiateError(name, cause))),
            ),
      confirm: (token) =>
        defer(() => confirm(token)).pipe(
          ignoreElements(),
          catchError((cause: unknown) =>
            throwError(() => new NegotiateError(name, 'serverNotVerified', cause)),
          ),
        ),
    };
  };

  const signed = signedConnections(
    { name: 'Negotiate', start, refusal: REFUSAL },
    { connect, allowInsecureHttp },
  );
  if (fallback === undefined) return signed;
  return (request) =>
    signed(request).pipe(
      catchError((error: unknown) =>
        error instanceof NegotiateError && FALLS_BACK.has(error.reason)
          ? of(undefined)
          : throwError(() => error),
      ),
      mergeMap((response) =>
        response === undefined || offersOnlyNtlm(response) ? fallback(request) : of(response),
      ),
    );
}

/** Reasons after which the server has not got the request. */
const FALLS_BACK: ReadonlySet<NegotiateError['reason']> = new Set([
  'clockSkew',
  'expiredTicket',
  'kdcUnreachable',
  'kerberosMissing',
  'noCredentials',
  'unknownPrincipal',
]);

function offersOnlyNtlm({ status, headers }: HttpResponse): boolean {
  return (
    status === 401 &&
    challengesOf(headers, 'Negotiate').length === 0 &&
    challengesOf(headers, 'NTLM').length > 0
  );
}
