import { invalidSecret, objectOption, type OptionNames } from '../../core/options.ts';
import { challengesOf, offeredSchemes } from '../../core/transport/challenge.ts';
import type { HttpHeaders, Middleware } from '../../core/transport/transport.ts';
import { type TokenProvider, unsigned, withToken } from '../../core/transport/withToken.ts';
import { basicSignIn } from './basic.ts';

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

/** The names of {@link SignInOptions}. */
export const SIGN_IN_NAMES: OptionNames<SignInOptions> = { token: 1, basic: 1 };

/** The scheme by which credentials are sent, as a server offers it. */
type Scheme = 'Basic' | 'Bearer';

/** The credentials of each scheme, in words. */
const CREDENTIALS: Readonly<Record<Scheme, string>> = { Basic: 'password', Bearer: 'token' };

/** What to configure for each scheme that a server can offer. */
const WAYS: readonly (readonly [scheme: string, way: string])[] = [
  ['Basic', 'basic'],
  ['Bearer', 'token'],
  ['NTLM', 'a transport that signs in, such as ntlm(…)'],
];

/**
 * Returns the Middleware that signs requests as the options say; where they say nothing, requests stay as they are.
 *
 * It throws a TypeError, without showing the secret, for what cannot be used.
 */
export function signing({ token, basic }: SignInOptions, allowInsecureHttp = false): Middleware {
  if (token !== undefined && basic !== undefined) {
    throw invalidSecret('token', 'left out where basic is given: a request carries one of them');
  }
  if (basic !== undefined) return basicSignIn(encodeBasic(basic));
  return token === undefined
    ? unsigned('neither token nor basic is configured: give exchange() one, or a transport that signs in')
    : withToken(token, { allowInsecureHttp });
}

/**
 * Returns why credentials are not sent to a server that answered 401, or undefined if it offers their scheme.
 *
 * It is for servers that the caller did not name. A header that is missing offers nothing: the server may have
 * sent none, and a browser hides it from pages of other origins unless the server exposes it.
 */
export function reasonToWithhold({ token, basic }: SignInOptions, headers: HttpHeaders): string | undefined {
  const scheme: Scheme | undefined =
    basic !== undefined ? 'Basic' : token !== undefined ? 'Bearer' : undefined;
  if (scheme !== undefined && challengesOf(headers, scheme).length > 0) return undefined;
  const withheld = scheme === undefined ? '' : `, so the ${CREDENTIALS[scheme]} was not sent`;
  const offered = offeredSchemes(headers);
  if (offered === '') {
    return (
      `was answered 401 without a WWW-Authenticate header that can be read${withheld}: ` +
      'give exchange() the URL; a browser hides this header from pages of other origins'
    );
  }
  const ways = WAYS.filter(([one]) => challengesOf(headers, one).length > 0).map(([, way]) => way);
  return `was answered 401 and offers ${offered}${withheld}: give ${ways.join(' or ') || 'a transport that signs in'}`;
}

function encodeBasic(basic: BasicCredentials): string {
  const { username, password } = objectOption('basic', basic, { username: 1, password: 1 });
  if (typeof username !== 'string' || username === '' || /[:\p{Cc}]/u.test(username)) {
    throw invalidSecret('basic.username', 'a text without colon and control characters');
  }
  if (typeof password !== 'string' || /\p{Cc}/u.test(password)) {
    throw invalidSecret('basic.password', 'a text without control characters');
  }
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)));
}
