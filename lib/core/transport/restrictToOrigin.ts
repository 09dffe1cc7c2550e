import { defer, type Observable, throwError } from 'rxjs';
import { HttpError, OriginError } from '../errors.ts';
import { httpUrl, parseUrl } from '../httpUrl.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { numberOption, urlOption } from '../options.ts';
import { switchWhen } from '../rx/switchWhen.ts';
import { describeUrl, originOf } from '../text.ts';
import type { HttpRequest, HttpResponse, Middleware, Transport } from './transport.ts';

/**
 * Returns the URL of a request.
 *
 * @param what The source of the URL, for the error.
 * @throws OriginError without credentials and query, if no request may be sent there.
 */
export function requestUrl(text: string, what: string): URL {
  const url = httpUrl(text);
  if (url === undefined) throw new OriginError(undefined, describeUrl(text), what);
  return url;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Returns a Middleware that sends requests to one origin only. No link or redirect of the server leads
 * elsewhere.
 *
 * A request or redirect to another origin errors with an {@link OriginError} that names both, and nothing is
 * sent. Redirects within the origin are followed by the rules of HTTP: 307 and 308 keep the method. For a
 * request with a body, 301, 302 and 303 are an {@link HttpError}, because they would drop the body. In
 * browsers a redirect is an HttpError, too, because its target is hidden.
 *
 * @param origin A URL whose origin is allowed, such as `https://pool.contoso.com`.
 * @param limits How many redirects are followed. @default 5
 * @throws TypeError that names the argument that cannot be used.
 */
export function restrictToOrigin(
  origin: string,
  { redirects = DEFAULT_LIMITS.redirects }: Pick<Limits, 'redirects'> = {},
): Middleware {
  const allowed = urlOption('origin', origin).origin;
  numberOption('redirects', redirects, { min: 0, integer: true });

  const send = (
    transport: Transport,
    request: HttpRequest,
    what: string,
    left: number,
  ): Observable<HttpResponse> =>
    defer(() => {
      const checked = request.url.startsWith(`${allowed}/`) ? request : normalized(request, allowed);
      if (checked === undefined)
        return throwError(() => new OriginError(allowed, originOf(request.url), what));
      return transport(checked).pipe(
        switchWhen((response) => {
          const next = redirected(request, response);
          if (next === undefined) return undefined;
          if (left === 0)
            return throwError(() => new HttpError(response.status, request, { hint: 'too many redirects' }));
          return send(
            transport,
            next,
            `a redirect of ${request.method} ${new URL(request.url).pathname}`,
            left - 1,
          );
        }),
      );
    });

  return (transport) => (request) => send(transport, request, `the link for ${request.method}`, redirects);
}

/** Returns the request with its URL as all parsers read it, or undefined for another origin. */
function normalized(request: HttpRequest, allowed: string): HttpRequest | undefined {
  const url = httpUrl(request.url);
  return url?.origin === allowed ? { ...request, url: url.href } : undefined;
}

/** Returns the request that a response redirects to, or undefined if it is not a redirect. */
function redirected(request: HttpRequest, response: HttpResponse): HttpRequest | undefined {
  const { status } = response;
  // In browsers, a redirect that was not followed has status 0.
  if (status === 0)
    throw new HttpError(status, request, { hint: 'a redirect whose target the browser hides' });
  if (!REDIRECTS.has(status)) return undefined;
  const location = response.headers.get('location');
  const url = location === undefined ? undefined : parseUrl(location, request.url)?.href;
  if (url === undefined) return undefined;
  const keepsMethod =
    status === 307 || status === 308 || request.method === 'GET' || request.method === 'HEAD';
  if (!keepsMethod) {
    throw new HttpError(status, request, {
      hint: 'a redirect that would drop the request body; use the new address',
    });
  }
  return { ...request, url };
}
