import type { IncomingHttpHeaders } from 'node:http';
import { httpUrl, isThisMachine } from '../../core/httpUrl.ts';
import { invalidOption } from '../../core/options.ts';

/** The methods of both protocols. */
const METHODS = 'GET, POST, PUT, PATCH, DELETE';
/** The request headers of both protocols that need the server's permission. */
const REQUEST_HEADERS = [
  ...['Authorization', 'Content-Type', 'X-Ms-RequiresMinResourceVersion'],
  ...['X-AnchorMailbox', 'X-PreferServerAffinity'],
];
/** The response headers of both protocols that a page can read only with the server's permission. */
const RESPONSE_HEADERS = [
  ...['Location', 'Retry-After', 'WWW-Authenticate'],
  ...['X-Ms-diagnostics', 'X-MS-Server-Fqdn', 'X-BackEndOverrideCookie'],
];
/** How long browsers may use a response to a preflight. */
const MAX_AGE_SECONDS = 600;

/** A request, as far as it matters across origins. */
interface CrossOriginRequest {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Returns whether a browser requests permission, which it does without credentials. */
export function isPreflight({ method, headers }: CrossOriginRequest): boolean {
  const { origin, 'access-control-request-method': requested } = headers;
  return method === 'OPTIONS' && origin !== undefined && requested !== undefined;
}

/**
 * Returns the response headers that permit a page to send this request, or none if its origin is not allowed.
 *
 * @param allowedOrigins Origins besides those of this machine, as {@link originOption} returns them.
 * @param responseHeaders Further response headers that the page may read.
 */
export function corsHeaders(
  request: CrossOriginRequest,
  allowedOrigins: readonly string[],
  responseHeaders: readonly string[],
): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !isAllowed(origin, allowedOrigins)) return {};
  const permission = {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    Vary: 'Origin',
  };
  if (isPreflight(request)) {
    return {
      ...permission,
      'Access-Control-Allow-Methods': METHODS,
      'Access-Control-Allow-Headers': REQUEST_HEADERS.join(', '),
      'Access-Control-Max-Age': String(MAX_AGE_SECONDS),
    };
  }
  return {
    ...permission,
    'Access-Control-Expose-Headers': [...RESPONSE_HEADERS, ...responseHeaders].join(', '),
  };
}

/**
 * Returns an origin in the spelling of browsers.
 *
 * @throws TypeError that names the option if the value is not an origin
 */
export function originOption(name: string, value: unknown): string {
  const url = typeof value === 'string' ? httpUrl(value) : undefined;
  if (url === undefined || url.href !== `${url.origin}/`)
    throw invalidOption(name, value, 'an origin, such as https://app.contoso.com');
  return url.origin;
}

function isAllowed(origin: string, allowedOrigins: readonly string[]): boolean {
  if (allowedOrigins.includes(origin)) return true;
  const hostname = /^https?:\/\/(.*?)(?::\d+)?$/.exec(origin)?.[1] ?? '';
  return isThisMachine(hostname) || hostname.endsWith('.localhost');
}
