import {
  asyncScheduler,
  catchError,
  defer,
  finalize,
  from,
  isObservable,
  map,
  mergeMap,
  type Observable,
  of,
  share,
  take,
  tap,
  throwError,
  throwIfEmpty,
} from 'rxjs';
import { HttpError, TokenError } from '../errors.ts';
import {
  credentialUrlOption,
  invalidOption,
  invalidSecret,
  invalidType,
  numberOption,
  objectOption,
  type OptionRules,
  typeName,
} from '../options.ts';
import { switchWhen } from '../rx/switchWhen.ts';
import { requestUrl } from '../transport/restrictToOrigin.ts';
import {
  type HttpRequest,
  type HttpResponse,
  isHeaderValue,
  type Middleware,
} from '../transport/transport.ts';

/**
 * Returns a Middleware for requests without credentials: 401 is an {@link HttpError} with a hint.
 *
 * @param hint Advice for the caller: one sentence.
 */
export function unsigned(hint: string): Middleware {
  return (transport) => (request) =>
    transport(request).pipe(
      map((response) => {
        if (response.status === 401) throw new HttpError(401, request, { hint });
        return response;
      }),
    );
}

/** A token with its expiry. @inline */
export interface IssuedToken {
  readonly token: string;
  /** In seconds from now. @default until the server refuses the token */
  readonly expiresInSeconds?: number;
}

/** Returns, resolves to or emits a token for an origin, such as `https://pool.contoso.com`. @inline */
export type TokenSource = (
  origin: string,
) => string | IssuedToken | PromiseLike<string | IssuedToken> | Observable<string | IssuedToken>;

/**
 * A token, or a function that returns one.
 *
 * The function is called with the origin that the token is for: once for all requests that need it, and again
 * when the token is about to expire or the server has refused it.
 */
export type TokenProvider = string | TokenSource;

/** Options of {@link withToken}. @inline */
export interface TokenOptions {
  /** The authentication scheme before the token. @default 'Bearer' */
  readonly scheme?: string;
  /** Returns whether a response refuses the token. @default status 401 */
  readonly refused?: (response: HttpResponse) => boolean;
  /**
   * How long before its expiry a token is renewed, in seconds; at most half of its lifetime.
   * @default 60
   */
  readonly renewBeforeSeconds?: number;
  /** Whether a token may be sent in clear text, by http to another machine. @default false */
  readonly allowInsecureHttp?: boolean;
}

const RULES: OptionRules<TokenOptions> = {
  scheme: 1,
  refused: 1,
  renewBeforeSeconds: { min: 0 },
  allowInsecureHttp: 1,
};

/** A token with its times in milliseconds of the scheduler's clock. */
interface CurrentToken {
  readonly text: string;
  readonly renewAt: number;
  readonly endsAt: number;
}

/** Statuses after which the same request may succeed. */
const TRANSIENT = new Set([408, 429, 500, 502, 503, 504]);

/** The token of one origin. */
interface TokenState {
  token: CurrentToken | undefined;
  acquiring: Observable<string> | undefined;
}

/**
 * Returns a Middleware that signs each request with the token of its origin.
 *
 * The provider is called with the first request to an origin, and its token is reused. Shortly before the
 * token expires, the next request calls it again; there is no timer. If the server refuses a token, all
 * waiting requests share one new token, and each is sent again once. A token that is a string cannot be
 * renewed: the response that refuses it is emitted.
 *
 * If the provider errors, all requests that wait for the token error, and the next request calls it again. A
 * renewal that fails while the old token is valid uses the old one. An `HttpError` of the provider that is
 * not transient becomes a `TokenError`: its status says nothing about the server of the request.
 *
 * A request errors with an `OriginError` if its URL is not http or https, has credentials, or has a host that
 * is neither a DNS name nor an address. It errors with a TypeError, without the value, if the provider
 * returns anything but a token that can be sent in a header.
 *
 * @throws TypeError without the value, for a string that cannot be sent in a header.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { type Transport, withToken } from 'rxchange';
 *
 * const server: Transport = ({ url, headers }) => {
 *   console.log(headers?.['authorization']);
 *   return of({ status: 204, url, headers: new Map(), body$: of() });
 * };
 * const signed = withToken((origin) => of(`token-for-${new URL(origin).hostname}`))(server);
 * signed({ method: 'GET', url: 'https://pool.contoso.com/ucwa' }).subscribe();
 * // prints: Bearer token-for-pool.contoso.com
 * ```
 */
export function withToken(provider: TokenProvider, options: TokenOptions = {}): Middleware {
  const {
    scheme = 'Bearer',
    refused = ({ status }: HttpResponse) => status === 401,
    renewBeforeSeconds = 60,
  } = objectOption('options', options, RULES);
  if (typeof provider === 'string') checkToken(provider);
  else if (typeof provider !== 'function') throw invalidType('token', provider, 'a string or a function');
  const source: TokenSource = typeof provider === 'string' ? () => of(provider) : provider;
  const byOrigin = new Map<string, TokenState>();

  const stateFor = (origin: string): TokenState => {
    const known = byOrigin.get(origin);
    if (known !== undefined) return known;
    const state: TokenState = { token: undefined, acquiring: undefined };
    byOrigin.set(origin, state);
    return state;
  };

  const tokenFor = (origin: string, state: TokenState): Observable<string> => {
    const { token: known } = state;
    if (isGood(known)) return of(known.text);
    if (state.acquiring !== undefined) return state.acquiring;
    const acquiring = defer(() => issuedBy(source(origin))).pipe(
      take(1),
      throwIfEmpty(() => invalidOption('token', 'nothing', 'emitted by its provider')),
      map((issued) => {
        state.token = currentToken(issued, renewBeforeSeconds);
        return state.token.text;
      }),
      catchError((error: unknown) => {
        const { token: old } = state;
        return old !== undefined && asyncScheduler.now() < old.endsAt
          ? of(old.text)
          : throwError(() => errorOfProvider(error, origin));
      }),
      // Before emitting: a subscriber that needs a token because of this one needs a new acquisition.
      tap(() => (state.acquiring = undefined)),
      finalize(() => {
        if (state.acquiring === acquiring) state.acquiring = undefined;
      }),
      share(),
    );
    state.acquiring = acquiring;
    return acquiring;
  };

  return (transport) => {
    const signed = (request: HttpRequest, token: string): Observable<HttpResponse> =>
      transport({ ...request, headers: { ...request.headers, authorization: `${scheme} ${token}` } });

    const sent = (
      request: HttpRequest,
      token: string,
      origin: string,
      state: TokenState,
    ): Observable<HttpResponse> => {
      if (typeof provider === 'string') return signed(request, token);
      return signed(request, token).pipe(
        switchWhen((response) => {
          if (!refused(response)) return undefined;
          // Only the first refused request removes the token: another may have replaced it.
          if (state.token?.text === token) state.token = undefined;
          const again = { ...request, repeats: { count: 1, reason: 'the token was refused' } };
          return tokenFor(origin, state).pipe(mergeMap((renewed) => signed(again, renewed)));
        }),
      );
    };

    return (request) =>
      defer(() => {
        const { href } = requestUrl(request.url, `the URL of ${request.method}`);
        const { origin } = credentialUrlOption('url', href, options.allowInsecureHttp);
        const state = stateFor(origin);
        const { token: known } = state;
        if (isGood(known)) return sent(request, known.text, origin, state);
        return tokenFor(origin, state).pipe(mergeMap((token) => sent(request, token, origin, state)));
      });
  };
}

/** Wraps a permanent failure: it must not be read as the response to the request, such as "gone". */
function errorOfProvider(error: unknown, origin: string): unknown {
  const isForeign = error instanceof HttpError && !TRANSIENT.has(error.status);
  return isForeign ? new TokenError(origin, error) : error;
}

/** Returns whether a token need not be renewed yet. */
function isGood(token: CurrentToken | undefined): token is CurrentToken {
  return token !== undefined && asyncScheduler.now() < token.renewAt;
}

/** Not `from` for a string, which is an ObservableInput of its characters. */
function issuedBy(returned: unknown): Observable<unknown> {
  return isObservable(returned) || isPromise(returned) ? from(returned) : of(returned);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function currentToken(issued: unknown, marginSeconds: number): CurrentToken {
  const isObject = typeof issued === 'object' && issued !== null;
  const { token, expiresInSeconds }: { readonly [Name in keyof IssuedToken]?: unknown } = isObject
    ? issued
    : { token: issued };
  if (typeof token !== 'string') {
    const what = isObject ? `${typeName(issued)} whose token is ${typeName(token)}` : typeName(issued);
    throw new TypeError(
      `token must be a string or { token, expiresInSeconds }, but its provider returned ${what}`,
    );
  }
  checkToken(token);
  if (expiresInSeconds === undefined) return { text: token, renewAt: Infinity, endsAt: Infinity };
  const seconds = numberOption('expiresInSeconds', expiresInSeconds, { min: 0 });
  const now = asyncScheduler.now();
  const marginMs = 1000 * Math.min(marginSeconds, seconds / 2);
  return { text: token, renewAt: now + 1000 * seconds - marginMs, endsAt: now + 1000 * seconds };
}

function checkToken(token: unknown): void {
  if (typeof token !== 'string' || token === '' || token.includes(' ') || !isHeaderValue(token)) {
    throw invalidSecret('token', 'visible ASCII characters without spaces or line breaks');
  }
}
