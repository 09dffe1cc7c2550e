import { defer, of } from 'rxjs';
import { passwordGuard } from '../../core/auth/passwordGuard.ts';
import { DecodeError } from '../../core/errors.ts';
import { functionOption, objectOption, type OptionRules } from '../../core/options.ts';
import { fetchTransport } from '../../core/transport/fetch.ts';
import type { Transport } from '../../core/transport/transport.ts';
import { type Handshake, signedConnections } from '../signedConnections.ts';
import { identityOf, type NtlmCredentials } from './identity.ts';
import { NTLM_V2, type NtlmMessages } from './ntlmV2.ts';

/** The account that signs in, and how. @inline */
export interface NtlmOptions<Challenge = unknown> extends NtlmCredentials {
  /**
   * A library that writes other messages, such as `import * as messages from '@node-ntlm/core'`.
   * @default NTLMv2 with channel binding
   */
  readonly messages?: NtlmMessages<Challenge>;
  /**
   * Returns a transport that uses one connection for successive requests.
   * @default fetchTransport
   */
  readonly connect?: () => Transport;
  /** Whether to sign in by http to another machine: the messages can be read on the way. @default false */
  readonly allowInsecureHttp?: boolean;
}

const RULES: OptionRules<NtlmOptions> = {
  username: 1,
  password: 1,
  domain: 1,
  workstation: 1,
  messages: (name, value) => objectOption(name, value as object),
  connect: functionOption('a function that returns a transport'),
  allowInsecureHttp: 1,
};

const REFUSAL =
  'the server does not accept user name and password, or a proxy that terminates TLS breaks the channel binding';

/**
 * Returns a {@link Transport} that signs in with NTLM.
 *
 * It is for programs, if the server accepts neither tokens nor Basic. The messages follow NTLMv2, with a MIC,
 * the name of the service, and the binding to the TLS connection that Extended Protection requires. A proxy
 * that terminates TLS breaks this binding.
 *
 * NTLM signs in a connection, not a request. Each request has a connection of its own, which is reused when
 * its response was read to its end. A request with a body is sent without the body until the server has sent
 * its challenge. A request with an Authorization is sent as it is.
 *
 * It errors with an `HttpError` if the server does not accept the account. Then the password is not
 * sent to that origin for a minute, so that a wrong one does not lock the account. The 401 of a server that
 * does not offer NTLM is emitted. It errors with a `DecodeError` for a challenge that cannot be read,
 * and if `messages` throws; the cause describes that error without its text. It errors with a TypeError for
 * http to another machine.
 *
 * @see [MS-NTHT] NTLM Over HTTP Protocol
 * @throws TypeError that names the option that cannot be used, without its value.
 *
 * @example
 * ```ts
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ntlm } from 'rxchange/node';
 *
 * const exchange = connectExchange({
 *   server: 'https://mail.contoso.com/EWS/Exchange.asmx',
 *   transport: ntlm({ username: 'CONTOSO\\sara', password: 'hush' }),
 * });
 * console.log(pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }) !== undefined);
 * // prints: true
 * ```
 */
export function ntlm<Challenge>(options: NtlmOptions<Challenge>): Transport {
  const {
    messages = NTLM_V2,
    connect = () => fetchTransport(),
    allowInsecureHttp = false,
    ...credentials
  } = objectOption('options', options as NtlmOptions, RULES);
  const identity = identityOf(credentials);
  const { domain, workstation } = identity;

  const start = (url: URL): Handshake => ({
    first: written('NTLM messages', 'a first message', 'an error of createType1Message', () =>
      messages.createType1Message({ domain, workstation }),
    ),
    respond: ({ token, channelBinding }) =>
      token === undefined
        ? undefined
        : defer(() =>
            of(
              written('NTLM challenge', 'one that can be answered', 'another', () =>
                messages.createType3Message(messages.parseType2Message(`NTLM ${token}`), identity, {
                  ...{ channelBinding, targetName: `HTTP/${url.hostname}` },
                }),
              ),
            ),
          ),
  });

  return signedConnections(
    { name: 'NTLM', start, refusal: REFUSAL, guard: passwordGuard() },
    { connect, allowInsecureHttp },
  );
}

/** Returns the message that a foreign function writes. Its error could quote the password. */
function written(subject: string, expected: string, actual: string, write: () => string): string {
  try {
    return write();
  } catch (cause) {
    throw new DecodeError(subject, { path: '', expected, actual }, { cause });
  }
}
