import { invalidSecret } from '../core/options.ts';
import type { Middleware } from '../core/transport.ts';
import { type TokenProvider, withToken } from '../core/withToken.ts';

/** User name and password, for servers that take Basic authentication. */
export interface BasicCredentials {
  /** Without a colon, which separates it from the password. */
  readonly username: string;
  readonly password: string;
}

/** The ways to sign in that a request carries by itself. */
export interface SignInOptions {
  /**
   * An OAuth token, or how to get one. Give either this or `basic`, or neither where the transport or the
   * browser signs the requests.
   */
  readonly token?: TokenProvider;
  /** User name and password. */
  readonly basic?: BasicCredentials;
}

/**
 * Returns the Middleware that signs requests as the options say; where they say nothing, requests stay as they are.
 *
 * It throws a TypeError, without showing the secret, for what cannot be used.
 */
export function signing({ token, basic }: SignInOptions): Middleware {
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
