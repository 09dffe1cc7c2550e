import { map } from 'rxjs';
import { HttpError } from '../errors.ts';
import { invalidType } from '../options.ts';
import { parseUrl } from '../httpUrl.ts';
import { describeUrl } from '../text.ts';
import type { HttpRequest, HttpResponse, Middleware } from '../transport/transport.ts';
import { type TokenProvider, withToken } from './withToken.ts';

/** Properties of a connection that an {@link Auth} needs. @inline */
export interface AuthContext {
  /** Whether credentials may be sent in clear text. */
  readonly allowInsecureHttp: boolean;
  /** Returns whether a response refuses the credentials. @default status 401 */
  readonly refused?: (response: HttpResponse) => boolean;
}

/** A way to sign requests in, such as {@link bearer}: the option `auth` of a connection. */
export interface Auth {
  /** The authentication scheme that the server must offer. */
  readonly scheme: 'Basic' | 'Bearer';
  /** Returns the Middleware that signs the requests of one connection. */
  readonly sign: (context: AuthContext) => Middleware;
}

/**
 * Returns an {@link Auth} that signs requests with an OAuth token.
 *
 * A token that is a string cannot be renewed. A function is called with the origin that the token is for:
 * once for all requests that need it, and again when the token is about to expire or the server has refused
 * it. The first request throws a TypeError for a function that returns anything but a token; `bearer` throws
 * one for any other value. If a server refuses the token and names where tokens are issued, the error has
 * that URL. Discovery sends a string to each server that it trusts and that needs a token.
 *
 * @param token A token, or a function that returns, resolves to or emits one.
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 *
 * console.log(bearer(() => fetch('/token').then((response) => response.text())).scheme);
 * // prints: Bearer
 * ```
 */
export function bearer(token: TokenProvider): Auth {
  // Called for its checks, so that the caller gets the TypeError.
  withToken(token);
  return {
    scheme: 'Bearer',
    sign: (options) => {
      const sign = withToken(token, options);
      return (transport) => {
        const signed = sign(transport);
        return (request) => signed(request).pipe(map((response) => unlessRefused(response, request)));
      };
    },
  };
}

/** The URL of a token endpoint in a challenge: of OAuth, or of UCWA. */
const TOKEN_URL = /\b(?:authorization_uri|href)="?([^",\s]+)/i;

/** Returns a response, and throws an HttpError for a 401 that names where tokens are issued. */
function unlessRefused(response: HttpResponse, request: HttpRequest): HttpResponse {
  const [, issuer] = TOKEN_URL.exec(response.headers.get('www-authenticate') ?? '') ?? [];
  const url = issuer === undefined ? undefined : parseUrl(issuer, request.url)?.href;
  if (response.status !== 401 || url === undefined) return response;
  throw new HttpError(401, request, {
    hint: `the token was refused; the server accepts those of ${describeUrl(url)}`,
  });
}

/**
 * Returns the value of an option `auth`, if it is one or undefined.
 *
 * @throws TypeError that says what to write, without the value.
 */
export function authOption(auth: Auth | undefined): Auth | undefined {
  const { scheme, sign } = Object(auth) as Partial<Auth>;
  if (auth === undefined || (typeof scheme === 'string' && typeof sign === 'function')) return auth;
  throw invalidType('auth', auth, 'a value such as bearer(token)');
}
