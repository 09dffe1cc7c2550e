import { describedCause } from '../../core/networkCause.ts';
import { excerpt } from '../../core/text.ts';

/** Why Negotiate cannot sign in. @inline */
type Reason =
  | 'clockSkew'
  | 'expiredTicket'
  | 'kdcUnreachable'
  | 'kerberosMissing'
  | 'noCredentials'
  | 'serverNotVerified'
  | 'unknownPrincipal'
  | 'other';

const ADVICE: Readonly<Record<Reason, string>> = {
  clockSkew: 'the clocks of this machine and of the KDC differ by more than five minutes; set them',
  expiredTicket: 'the ticket has expired; run kinit, or name a keytab in KRB5_CLIENT_KTNAME',
  kdcUnreachable: 'no KDC of the realm can be reached; check krb5.conf and the network',
  kerberosMissing: 'the package kerberos is not installed; run npm install kerberos, or give an adapter',
  noCredentials: 'there are no credentials; run kinit, or name a keytab in KRB5_CLIENT_KTNAME',
  serverNotVerified: 'the server has not proved its identity, so its response is not used',
  unknownPrincipal: 'the KDC does not know the service or the account; check the host name of the URL',
  other: 'Kerberos has failed; see the cause',
};

/** The words of MIT Kerberos and Heimdal for each reason, the first of which counts. */
const WORDS: readonly (readonly [RegExp, Reason])[] = [
  [/clock skew/i, 'clockSkew'],
  [/cannot (?:contact any|find|resolve).{0,40}\bkdc|unable to reach any kdc/i, 'kdcUnreachable'],
  [/not found in kerberos database|unknown principal/i, 'unknownPrincipal'],
  [/expired/i, 'expiredTicket'],
  [
    /no (?:kerberos )?credentials|can't find client principal|no key table|keytab|cache.{0,200}not found/i,
    'noCredentials',
  ],
];

/** Negotiate cannot sign in: there is no valid ticket, or the server is not the one that it claims to be. */
export class NegotiateError extends Error {
  readonly _tag = 'NegotiateError';
  override readonly name: string = 'NegotiateError';
  /**
   * - `clockSkew`: the clocks of this machine and of the KDC differ.
   * - `expiredTicket`: the ticket of the account has expired.
   * - `kdcUnreachable`: no KDC responds. The request is retried.
   * - `kerberosMissing`: the package `kerberos` is not installed.
   * - `noCredentials`: neither a ticket nor a keytab.
   * - `serverNotVerified`: the server has not proved its identity.
   * - `unknownPrincipal`: the KDC does not know the service or the account.
   * - `other`: see `cause`.
   */
  readonly reason: Reason;
  /** Whether the same request can succeed later. */
  readonly isUnreachable: boolean;

  constructor(service: string, reason: Reason, cause?: unknown) {
    const described = describedCause(cause);
    super(`Negotiate for ${excerpt(service)}: ${ADVICE[reason]}`, described && { cause: described });
    this.reason = reason;
    this.isUnreachable = reason === 'kdcUnreachable';
  }
}

/** The most characters of a foreign text that are read. */
const MOST_CHARACTERS = 2000;

/** Returns the error for one of a Kerberos library, whose text is read and not quoted. */
export function negotiateError(service: string, cause: unknown): NegotiateError {
  if (cause instanceof NegotiateError) return cause;
  const text = String((cause as { readonly message?: unknown } | undefined)?.message).slice(
    0,
    MOST_CHARACTERS,
  );
  const reason = WORDS.find(([words]) => words.test(text))?.[1] ?? 'other';
  return new NegotiateError(service, reason, cause);
}
