import type { Auth } from '../../core/auth/auth.ts';
import { challengesOf, offeredSchemes } from '../../core/auth/challenge.ts';
import type { HttpHeaders } from '../../core/transport/transport.ts';

/** The credentials of each scheme, in words. */
const CREDENTIALS: Readonly<Record<Auth['scheme'], string>> = { Basic: 'password', Bearer: 'token' };

/** The option to set for each scheme that a server can offer. */
const WAYS: readonly (readonly [scheme: string, way: string])[] = [
  ['Basic', 'auth: basic({ username, password })'],
  ['Bearer', 'auth: bearer(token)'],
  ['NTLM', 'a transport that signs in, such as ntlm(…)'],
];

/**
 * Returns why credentials are not sent to a server that answered 401, or undefined if it offers their scheme.
 *
 * It is for servers that the caller did not name. A header that is missing offers nothing: the server may
 * have sent none, and a browser hides it from pages of other origins unless the server exposes it.
 */
export function reasonToWithhold(auth: Auth | undefined, headers: HttpHeaders): string | undefined {
  if (auth !== undefined && challengesOf(headers, auth.scheme).length > 0) return undefined;
  const withheld = auth === undefined ? '' : `, so the ${CREDENTIALS[auth.scheme]} was not sent`;
  const offered = offeredSchemes(headers);
  if (offered === '') {
    return (
      `was answered 401 without a WWW-Authenticate header that can be read${withheld}: ` +
      'give connectExchange() the URL as server; a browser hides this header from pages of other origins'
    );
  }
  const ways = WAYS.filter(([scheme]) => challengesOf(headers, scheme).length > 0).map(([, way]) => way);
  return `was answered 401 and offers ${offered}${withheld}: give ${ways.join(' or ') || 'a transport that signs in'}`;
}
