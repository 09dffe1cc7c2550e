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
  numberOption,
  objectOption,
  type OptionNames,
  typeName,
} from '../options.ts';
import { switchWhen } from '../rx/switchWhen.ts';
import { requestUrl } from './restrictToOrigin.ts';
import { type HttpRequest, type HttpResponse, isHeaderValue, type Middleware } from './transport.ts';

/**
 * Returns a Middleware for requests without credentials: an answer 401 is an {@link HttpError} with the hint.
 *
 * @param hint What is missing: one sentence.
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

/** A token whose end is known. */
export interface IssuedToken {
  readonly token: string;
  /** How long it is good, in seconds from now. @default until the server refuses it */
  readonly expiresInSeconds?: number;
}

/** Returns, resolves to or emits a token for an origin, such as `https://pool.contoso.com`. */
export type TokenSource = (
  origin: string,
) => string | IssuedToken | PromiseLike<string | IssuedToken> | Observable<string | IssuedToken>;

/**
 * A token, or how to get one: asked with the origin that the token is for, once for all requests that need
 * one, and again when the token is about to expire or the server has refused it.
 */
export type TokenProvider = string | TokenSource;

/** Options of {@link withToken}. */
export interface TokenOptions {
  /** The authentication scheme that stands before the token. @default 'Bearer' */
  readonly scheme?: string;
  /** Whether an answer says that its token is no good. @default status 401 */
  readonly refused?: (response: HttpResponse) => boolean;
  /**
   * How long before its end a token is renewed, in seconds; never more than half of its life.
   * @default 60
   */
  readonly renewBeforeSeconds?: number;
  /** Whether a token is sent in clear text, too: by http to another machine. @default false */
  readonly allowInsecureHttp?: boolean;
}

const NAMES: OptionNames<TokenOptions> = {
  scheme: 1,
  refused: 1,
  renewBeforeSeconds: 1,
  allowInsecureHttp: 1,
};

/** A token, with its times in milliseconds of the scheduler's clock. */
interface HeldToken {
  readonly text: string;
  readonly renewAt: number;
  readonly endsAt: number;
}

/** Statuses after which the same request may succeed, whichever server sent them. */
const TRANSIENT = new Set([408, 429, 500, 502, 503, 504]);

/** What is known of the token of one origin. */
interface Held {
  token: HeldToken | undefined;
  acquiring: Observable<string> | undefined;
}

/**
 * Returns a Transport that signs each request with the token of its origin.
 *
 * The provider is asked on the first request to an origin, and its answer is kept. The first request that
 * comes shortly before the token's end asks again: no timer runs for it. When the server refuses a token, all
 * requests that wait get one new token from a single question, and each is repeated once. A token that is a
 * string cannot be renewed: the refusing answer is passed on.
 *
 * What the provider errors with is the error of every request that waits for it, and the next request asks
 * again; but where the old token is still good, that one is used. An `HttpError` of the provider that is not transient
 * becomes a `TokenError`: its status says nothing about the server of the request.
 *
 * A token that cannot be sent in a header is a TypeError, and so is a provider that returns or emits anything but
 * a token: of a string at once, of another as the error of the requests. Neither shows the value. A request errors with an
 * `OriginError` if its URL is not http or https, carries credentials, or has a host that is no DNS name or address.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { headersFrom, withToken, type Transport } from 'rxchange';
 *
 * const server: Transport = ({ url, headers }) => {
 *   console.log(headers?.['authorization']);
 *   return of({ status: 204, url, headers: headersFrom({}), body$: of() });
 * };
 * const signed = withToken((origin) => of(`token-for-${new URL(origin).hostname}`))(server);
 * signed({ method: 'GET', url: 'https://pool.contoso.com/ucwa' }).subscribe();
 * // prints: Bearer token-for-pool.contoso.com
 * ```
 */
export function withToken(provider: TokenProvider, options: TokenOptions = {}): Middleware {
  const { scheme = 'Bearer', refused = ({ status }: HttpResponse) => status === 401 } = objectOption(
    'options',
    options,
    NAMES,
  );
  const marginSeconds = numberOption('renewBeforeSeconds', options.renewBeforeSeconds ?? 60, { min: 0 });
  if (typeof provider === 'string') checkToken(provider);
  else if (typeof provider !== 'function')
    throw new TypeError(`token must be a string or a function, but it is ${typeName(provider)}`);
  const source: TokenSource = typeof provider === 'string' ? () => of(provider) : provider;
  const heldByOrigin = new Map<string, Held>();

  const heldFor = (origin: string): Held => {
    const known = heldByOrigin.get(origin);
    if (known !== undefined) return known;
    const held: Held = { token: undefined, acquiring: undefined };
    heldByOrigin.set(origin, held);
    return held;
  };

  const tokenFor = (origin: string, held: Held): Observable<string> => {
    const { token: known } = held;
    if (isGood(known)) return of(known.text);
    if (held.acquiring !== undefined) return held.acquiring;
    const acquiring = defer(() => issuedBy(source(origin))).pipe(
      take(1),
      throwIfEmpty(() => invalidOption('token', 'nothing', 'emitted by its provider')),
      map((issued) => {
        held.token = heldToken(issued, marginSeconds);
        return held.token.text;
      }),
      catchError((error: unknown) => {
        const { token: old } = held;
        return old !== undefined && asyncScheduler.now() < old.endsAt
          ? of(old.text)
          : throwError(() => errorOfProvider(error, origin));
      }),
      // Before the token goes out: who needs one because of it must ask anew, this answer has been given.
      tap(() => (held.acquiring = undefined)),
      finalize(() => {
        if (held.acquiring === acquiring) held.acquiring = undefined;
      }),
      share(),
    );
    held.acquiring = acquiring;
    return acquiring;
  };

  return (transport) => {
    const signed = (request: HttpRequest, token: string): Observable<HttpResponse> =>
      transport({ ...request, headers: { ...request.headers, authorization: `${scheme} ${token}` } });

    const sent = (
      request: HttpRequest,
      token: string,
      origin: string,
      held: Held,
    ): Observable<HttpResponse> => {
      if (typeof provider === 'string') return signed(request, token);
      return signed(request, token).pipe(
        switchWhen((response) => {
          if (!refused(response)) return undefined;
          // Only the first of those who were refused with it throws the old token away.
          if (held.token?.text === token) held.token = undefined;
          const again = { ...request, repeats: { count: 1, reason: 'the token was refused' } };
          return tokenFor(origin, held).pipe(mergeMap((renewed) => signed(again, renewed)));
        }),
      );
    };

    return (request) =>
      defer(() => {
        const { href } = requestUrl(request.url, `the URL of ${request.method}`);
        const { origin } = credentialUrlOption('url', href, options.allowInsecureHttp);
        const held = heldFor(origin);
        const { token: known } = held;
        if (isGood(known)) return sent(request, known.text, origin, held);
        return tokenFor(origin, held).pipe(mergeMap((token) => sent(request, token, origin, held)));
      });
  };
}

/** What is not transient must not be read as the answer to the request that the token is for, such as "gone". */
function errorOfProvider(error: unknown, origin: string): unknown {
  const isForeign = error instanceof HttpError && !TRANSIENT.has(error.status);
  return isForeign ? new TokenError(origin, error) : error;
}

/** Whether a token need not be renewed yet. */
function isGood(token: HeldToken | undefined): token is HeldToken {
  return token !== undefined && asyncScheduler.now() < token.renewAt;
}

/** A string is an ObservableInput, too, of its characters. */
function issuedBy(returned: unknown): Observable<unknown> {
  return isObservable(returned) || isPromise(returned) ? from(returned) : of(returned);
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function heldToken(issued: unknown, marginSeconds: number): HeldToken {
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
