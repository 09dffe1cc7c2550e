import { invalidOption, invalidSecret } from '../core/options.ts';
import type { Middleware } from '../core/transport.ts';
import { type TokenProvider, withToken } from '../core/withToken.ts';
import { CONNECTING_SIDS, type Impersonation } from './envelope.ts';
import { escapeXml } from './xml.ts';

/** User name and password, for servers that take Basic authentication. */
export interface BasicCredentials {
  /** Without a colon, which separates it from the password. */
  readonly username: string;
  readonly password: string;
}

/** Returns what signs requests: with a token, with user name and password, or not at all. */
export function signing(token: TokenProvider | undefined, basic: BasicCredentials | undefined): Middleware {
  if (token !== undefined && basic !== undefined) {
    throw invalidSecret('token', 'left out where basic is given: a request carries one of them');
  }
  if (basic !== undefined) return withToken(encodeBasic(basic), { scheme: 'Basic' });
  return token === undefined ? (transport) => transport : withToken(token);
}

function encodeBasic({ username, password }: BasicCredentials): string {
  if (typeof username !== 'string' || username === '' || /[:\p{Cc}]/u.test(username)) {
    throw invalidSecret('basic.username', 'a text without colon and control characters');
  }
  if (typeof password !== 'string' || /\p{Cc}/u.test(password)) {
    throw invalidSecret('basic.password', 'a text without control characters');
  }
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)));
}

/** Returns the impersonation if it names one user in one way, and throws a TypeError if not. */
export function checkImpersonation(impersonate: Impersonation): Impersonation {
  const known = Object.keys(CONNECTING_SIDS);
  const given = Object.entries<unknown>(impersonate).filter(([, value]) => value !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1 || !known.includes(first[0])) {
    throw invalidOption('impersonate', impersonate, `an object with exactly one of ${known.join(', ')}`);
  }
  const [name, value] = first;
  if (typeof value !== 'string' || value === '') throw invalidOption(`impersonate.${name}`, value, 'a text');
  escapeXml(`impersonate.${name}`, value);
  return impersonate;
}

/** The header that impersonation with OAuth needs; it also leads to the server where the mailbox is. */
export function anchorOf(impersonate: Impersonation | undefined): Record<string, string> {
  if (impersonate === undefined || 'sid' in impersonate) return {};
  const [address] = Object.values(impersonate);
  return address !== undefined && /^[\x21-\x7e]+$/.test(address) ? { 'x-anchormailbox': address } : {};
}
