import { noop, catchError, map, type Observable, of } from 'rxjs';
import type { RetryPolicy } from '../../core/backoff/withRetry.ts';
import { feature, type Feature } from '../../core/feature.ts';
import type { Limits } from '../../core/limits.ts';
import { typeName } from '../../core/options.ts';
import type { Auth } from '../../core/auth/auth.ts';
import {
  type Middleware,
  type Transport,
  type HttpResponse,
  readText,
} from '../../core/transport/transport.ts';
import { unsigned, type TokenProvider, withToken } from '../../core/auth/withToken.ts';
import { switchWhen } from '../../core/rx/switchWhen.ts';
import { reasonIn } from '../protocol/request.ts';

/**
 * A sign-in at a UCWA server's token endpoint: the option `auth` of a connection.
 *
 * Its secrets appear neither in JSON nor when it is printed.
 *
 * @see [MS-UCWA] AuthenticationInUCWA
 */
export interface SignIn {
  /** The name under which servers offer it, such as `password`. */
  readonly grantType: string;
  /** Whether the browser signs the user in when the token is requested. */
  readonly credentials?: 'include';
  /** Whether a new token keeps the identity of the one that it replaces. @default false */
  readonly renews?: boolean;
  /**
   * Returns the form that requests a token: it contains the secrets.
   *
   * @param renewed The token that the new one replaces, if the sign-in `renews`.
   */
  readonly form: (renewed?: string) => string;
}

/** The sign-in of one connection. */
export interface Signer {
  /** Signs each request with the credentials of its origin. */
  readonly sign: Middleware;
  /** Registers the URL of an origin. It is requested without a token to find the token endpoint. */
  readonly registerOrigin: (url: string) => void;
  /** Forgets refused credentials, and token endpoints. */
  readonly forget: () => void;
}

/** The properties of a connection that its sign-in depends on. */
export interface SignerContext {
  /** Sends requests for tokens. */
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  readonly limits: Required<Limits>;
  /** How long a server may take to name its token endpoint, in seconds. @default 10 */
  readonly timeoutSeconds?: number;
  /** Whether credentials may be sent in clear text. */
  readonly allowInsecureHttp: boolean;
  /**
   * Returns the absolute URL of a token endpoint. Throws if no credentials may be sent there.
   * @default URLs of the server's own origin are allowed
   */
  readonly trusted?: (href: string, base: string, what: string) => string;
}

/** The feature of UCWA's own sign-ins. */
export const SIGN_IN: Feature<(context: SignerContext) => Signer> = /* @__PURE__ */ feature('a sign-in');

/** How a connection signs its requests. @inline */
export type UcwaAuth = Auth | SignIn;

/** The allowed values, for the error. */
const ALLOWED =
  "bearer(token) from 'rxchange', or password(…), windows() or anonymousMeeting(…) from 'rxchange/ucwa'";

/** Returns a function that creates the sign-in of a connection; throws a TypeError for an invalid `auth`. */
export function signerOption(auth: UcwaAuth | undefined): ((context: SignerContext) => Signer) | undefined {
  if (auth === undefined) return undefined;
  if (SIGN_IN.isIn(auth)) return SIGN_IN.read('auth', auth);
  // A secret may have been written here: only its type is shown.
  if (!isBearer(auth)) throw new TypeError(`auth must be ${ALLOWED}, but it is ${nameOf(auth)}`);
  return ({ allowInsecureHttp }) => {
    const sign = auth.sign({ allowInsecureHttp, refused: refusesToken });
    return {
      sign: (transport) => sign(exposeTokenRefusal(transport)),
      registerOrigin: noop,
      forget: noop,
    };
  };
}

/** Signs nothing: the error of a 401 says what is missing. */
export const UNSIGNED: Middleware = /* @__PURE__ */ unsigned(
  'the connection has no auth: give connectUcwa() auth: bearer(token) or password(…), or a transport that signs in',
);

function isBearer(auth: unknown): auth is Auth {
  const { scheme, sign } = Object(auth) as Partial<Auth>;
  return scheme === 'Bearer' && typeof sign === 'function';
}

function nameOf(auth: unknown): string {
  const { scheme } = Object(auth) as Partial<Auth>;
  return scheme === 'Basic' ? 'basic(…)' : typeName(auth);
}

const CHALLENGE = 'www-authenticate';
const MAX_REFUSAL_BYTES = 65_536;

/** Returns whether a response refuses its token, after {@link exposeTokenRefusal}. */
export function refusesToken({ status, headers }: HttpResponse): boolean {
  return status === 401 || (status === 403 && headers.get(CHALLENGE) !== undefined);
}

/**
 * Returns a Transport whose responses show a refused token in their headers.
 *
 * A 403 may show it only in its body, by the subcode `InvalidToken`.
 *
 * @see [MS-UCWA] ErrorsAndInformationalMessages
 */
export const exposeTokenRefusal: Middleware = (transport) => (request) =>
  transport(request).pipe(
    switchWhen((response) =>
      response.status === 403 && !refusesToken(response) ? revealed(response) : undefined,
    ),
  );

/**
 * Returns the middleware that signs requests to UCWA with a token.
 *
 * It requests a new token when the headers or the body of a response refuse the current one.
 */
export function withUcwaToken(token: TokenProvider, allowInsecureHttp = false): Middleware {
  const sign = withToken(token, { refused: refusesToken, allowInsecureHttp });
  return (transport) => sign(exposeTokenRefusal(transport));
}

function revealed(response: HttpResponse): Observable<HttpResponse> {
  return readText(response, 'error', MAX_REFUSAL_BYTES).pipe(
    catchError(() => of('')),
    map((text) => {
      const body$ = of(new TextEncoder().encode(text));
      if (reasonIn(text)?.subcode !== 'InvalidToken') return { ...response, body$ };
      const { headers } = response;
      const get = (name: string): string | undefined =>
        name.toLowerCase() === CHALLENGE ? 'Bearer error="invalid_token"' : headers.get(name);
      return { ...response, headers: { get }, body$ };
    }),
  );
}
