import { invalidOption, invalidSecret } from '../../core/options.ts';

/** The identity in NTLM messages. @inline */
export interface NtlmIdentity {
  readonly username: string;
  readonly password: string;
  readonly domain: string;
  readonly workstation: string;
}

/** User name and password of a Windows account. @inline */
export interface NtlmCredentials {
  /** Such as `sara`, `CONTOSO\sara` or `sara@contoso.com`. */
  readonly username: string;
  readonly password: string;
  /** @default the part before the backslash of `username`, or none */
  readonly domain?: string;
  /** The name of this machine, for the server's log. @default none */
  readonly workstation?: string;
}

/** Returns the identity of an account. @throws TypeError that names the option, without its value */
export function identityOf(credentials: NtlmCredentials): NtlmIdentity {
  const { username, password, workstation = '' } = credentials;
  for (const [name, value] of Object.entries({ username, password, workstation })) {
    if (!isText(value)) throw invalidSecret(name, 'a text without control characters');
  }
  if (username === '') throw invalidOption('username', username, 'the name of an account');
  const [, before = '', after = username] = /^([^\\]*)\\(.*)$/.exec(username) ?? [];
  const { domain = before } = credentials;
  if (!isText(domain)) throw invalidSecret('domain', 'a text without control characters');
  return { username: after, password, domain, workstation };
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && !/\p{Cc}/u.test(value);
}
