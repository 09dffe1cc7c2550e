import type { IncomingMessage, IncomingHttpHeaders } from 'node:http';
import { defer, finalize, map, Observable, reduce } from 'rxjs';
import { httpUrl, isThisMachine } from '../../core/httpUrl.ts';
import { invalidOption } from '../../core/options.ts';
import { isAllowedOrigin } from '../origins.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';

/** The rules for the requests that are served. */
interface ServedRules {
  /** The origin of the requests that the transport receives, such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  readonly port: number;
  /** Further hosts, as {@link servedHostOption} returns them. */
  readonly allowedHosts: readonly string[];
  readonly maxBytes: number;
  /** The total size of the bodies being read. */
  readonly bodies: { bytes: number };
}

/** The largest total size of the bodies being read, unless a single body may be larger. */
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;

/** A request that the transport does not receive. */
export class RefusedRequest extends Error {
  readonly _tag = 'RefusedRequest';
  override readonly name: string = 'RefusedRequest';
  /** The status of the response. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Returns an Observable that emits the request for the transport once its body is complete.
 *
 * It errors with a {@link RefusedRequest} if the target or the host is malformed (400), if the host is not
 * this server (421), if the body is larger than `maxBytes` (413; the rest is not read), or if too many other
 * bodies are being read (503).
 */
export function servedRequest(incoming: IncomingMessage, rules: ServedRules): Observable<HttpRequest> {
  return defer(() => {
    const { pathname, search } = targetOf(incoming, rules);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(incoming.headers)) {
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
    }
    return textOf(incoming, rules).pipe(
      map((body) => ({
        method: incoming.method ?? 'GET',
        url: `${rules.origin}${pathname}${search}`,
        headers,
        ...(body === '' ? {} : { body }),
      })),
    );
  });
}

/**
 * Returns a host in the spelling of URLs, with its port if it has one.
 *
 * @throws TypeError that names the option if the value is not a host
 */
export function servedHostOption(name: string, value: unknown): string {
  const url = typeof value === 'string' ? authority(value) : undefined;
  if (url === undefined) throw invalidOption(name, value, 'a host, with a port or without');
  return url.host;
}

/** Returns the requested URL. Both it and the Host header must name this server. */
function targetOf({ url: target = '', headersDistinct }: IncomingMessage, rules: ServedRules): URL {
  const [host = '', ...more] = headersDistinct['host'] ?? [];
  const named = more.length === 0 ? authority(host) : undefined;
  if (named === undefined) throw new RefusedRequest(400, 'The Host header must be one host.');
  // Appended, not resolved: relative to a base, `//host/` would be another host.
  const url = httpUrl(target.startsWith('/') ? `${named.origin}${target}` : target);
  if (url === undefined) throw new RefusedRequest(400, 'The request target must be a path or an http URL.');
  if (isServed(named, rules) && isServed(url, rules)) return url;
  throw new RefusedRequest(
    421,
    `This server is ${rules.origin}. For requests to another host, name that host in allowedHosts.`,
  );
}

/** Returns the URL of a host with or without a port; undefined for any other text. */
function authority(text: string): URL | undefined {
  return /^[^\s/\\?#@]+$/.test(text) ? httpUrl(`http://${text}`) : undefined;
}

function isServed({ protocol, hostname, host, port }: URL, rules: ServedRules): boolean {
  if (protocol !== 'http:') return false;
  if (rules.allowedHosts.includes(hostname) || rules.allowedHosts.includes(host)) return true;
  const isLoopback = isThisMachine(hostname) || hostname.endsWith('.localhost');
  return isLoopback && Number(port === '' ? 80 : port) === rules.port;
}

function textOf(incoming: IncomingMessage, { maxBytes, bodies }: ServedRules): Observable<string> {
  const tooLarge = (): RefusedRequest =>
    new RefusedRequest(413, `The body is larger than ${maxBytes} bytes.`);
  if (Number(incoming.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  let length = 0;
  return chunksOf(incoming).pipe(
    reduce<Buffer, Buffer[]>((chunks, chunk) => {
      length += chunk.length;
      bodies.bytes += chunk.length;
      if (length > maxBytes) throw tooLarge();
      if (bodies.bytes > Math.max(MAX_TOTAL_BYTES, maxBytes))
        throw new RefusedRequest(503, 'Too many large bodies arrive at the same time.');
      chunks.push(chunk);
      return chunks;
    }, []),
    map((chunks) => Buffer.concat(chunks).toString('utf8')),
    finalize(() => (bodies.bytes -= length)),
  );
}

function chunksOf(incoming: IncomingMessage): Observable<Buffer> {
  return new Observable((subscriber) => {
    incoming.on('data', (chunk: Buffer) => subscriber.next(chunk));
    incoming.on('end', () => subscriber.complete());
    incoming.on('error', (error) => subscriber.error(error));
    return () => incoming.pause();
  });
}

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
 * @param allowedOrigins Origins besides those of this machine, as {@link originsOption} returns them.
 * @param responseHeaders Further response headers that the page may read.
 */
export function corsHeaders(
  request: CrossOriginRequest,
  allowedOrigins: readonly string[],
  responseHeaders: readonly string[],
): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !isAllowedOrigin(origin, allowedOrigins)) return {};
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
