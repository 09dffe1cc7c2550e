import {
  defer,
  finalize,
  from,
  mergeMap,
  type Observable,
  type ObservableInput,
  of,
  share,
  take,
  tap,
} from 'rxjs';
import { invalidOption, invalidSecret } from './options.ts';
import type { HttpRequest, HttpResponse, Middleware } from './transport.ts';

/**
 * A token, or how to get one: asked with the origin that the token is for, once for all requests that need
 * one, and again when the server has refused the token.
 */
export type TokenProvider = string | ((origin: string) => ObservableInput<string>);

/** Options of {@link withToken}. */
export interface TokenOptions {
  /** The authentication scheme that stands before the token. @default 'Bearer' */
  readonly scheme?: string;
  /** Whether an answer says that its token is no good. @default status 401 */
  readonly refused?: (response: HttpResponse) => boolean;
}

/** What is known of the token of one origin. */
interface Held {
  token: string | undefined;
  acquiring: Observable<string> | undefined;
}

/** What may stand in an Authorization header: visible ASCII, no line break to split a request with. */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * Returns a Transport that signs each request with the token of its origin.
 *
 * The provider is asked on the first request to an origin, and its answer is kept. When the server refuses
 * a token, all requests that wait get one new token from a single question, and each is repeated once. A
 * token that is a string cannot be renewed: the refusing answer is passed on. What the provider errors with
 * is the error of every request that waits for it; the next request asks again.
 *
 * It throws a TypeError for a token that cannot stand in a header, without showing it.
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
  const { scheme = 'Bearer', refused = ({ status }: HttpResponse) => status === 401 } = options;
  if (typeof provider === 'string') checkToken(provider);
  else if (typeof provider !== 'function')
    throw invalidOption('token', typeof provider, 'a string or a function');
  const heldByOrigin = new Map<string, Held>();

  const heldFor = (origin: string): Held => {
    const known = heldByOrigin.get(origin);
    if (known !== undefined) return known;
    const held: Held = { token: typeof provider === 'string' ? provider : undefined, acquiring: undefined };
    heldByOrigin.set(origin, held);
    return held;
  };

  const tokenFor = (origin: string, held: Held): Observable<string> => {
    if (held.token !== undefined) return of(held.token);
    if (held.acquiring !== undefined) return held.acquiring;
    const acquiring = defer(() =>
      typeof provider === 'string' ? of(provider) : from(provider(origin)),
    ).pipe(
      take(1),
      tap((token) => {
        checkToken(token);
        held.token = token;
        // Before the token goes out: who is refused at once with it must ask anew, not wait for this answer.
        held.acquiring = undefined;
      }),
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

    return (request) =>
      defer(() => {
        const { origin } = new URL(request.url);
        const held = heldFor(origin);
        return tokenFor(origin, held).pipe(
          mergeMap((token) =>
            signed(request, token).pipe(
              mergeMap((response) => {
                if (!refused(response) || typeof provider === 'string') return of(response);
                // Only the first of those who were refused with it throws the old token away.
                if (held.token === token) held.token = undefined;
                return tokenFor(origin, held).pipe(mergeMap((renewed) => signed(request, renewed)));
              }),
            ),
          ),
        );
      });
  };
}

function checkToken(token: unknown): void {
  if (typeof token !== 'string' || !TOKEN.test(token)) {
    throw invalidSecret('token', 'visible ASCII characters without spaces or line breaks');
  }
}
