import { asyncScheduler, defer, tap } from 'rxjs';
import type { HttpHeaders, HttpRequest, Middleware, Transport } from '../core/transport/transport.ts';

/**
 * The response headers that the two protocols and HTTP need, in the spelling of IIS.
 *
 * Microsoft's own batch parser accepts only this spelling of Content-Type.
 */
const NAMES = [
  'Content-Type',
  'Location',
  'Retry-After',
  'Set-Cookie',
  'WWW-Authenticate',
  'X-Ms-diagnostics',
  'X-MS-Server-Fqdn',
  'X-BackEndOverrideCookie',
];

/** Returns the standard headers of a response, and those named in `further`. */
export function standardHeaders(
  headers: HttpHeaders,
  further: readonly string[] = [],
): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of [...NAMES, ...further]) {
    const value = headers.get(name);
    if (value !== undefined) sent[name] = value;
  }
  return sent;
}

/** A request that a simulator received. @inline */
export interface LoggedRequest {
  /** Such as `DELETE`. */
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  /**
   * Names in lower case. `…` replaces the values of Cookie, Authorization and Proxy-Authorization, except for
   * a scheme such as `Bearer`.
   */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The text as sent, except that `…` replaces secrets; undefined if there was no body.
   *
   * - In a form: fields whose names end with `password`, `token`, `secret` or `assertion`, in any case, and
   *   `ms_rtc_renew`.
   * - In JSON: strings of properties with such names.
   * - In a multipart: both, and the same headers of its parts as in `headers`.
   */
  readonly body: string | undefined;
  /** The time it was sent, in milliseconds of the scheduler's clock. */
  readonly time: number;
  /** The status of the response; undefined while there is none. */
  readonly status: number | undefined;
  /** The parts of a batch, in order. @default absent: not a batch, or the batch was rejected */
  readonly parts?: readonly LoggedRequest[];
}

/** The log of the requests that a simulator received. */
interface RequestLog {
  /** The requests in the order of sending. Beyond 64 Mi characters, the oldest are dropped. */
  readonly requests: readonly LoggedRequest[];
  /** Logs every request. */
  readonly middleware: Middleware;
  /** Logs every request as a part of this one. */
  partsOf(whole: HttpRequest): Middleware;
}

interface Entry extends LoggedRequest {
  status: number | undefined;
  parts?: Entry[];
}

/** A limit, so that many or large requests cannot exhaust the memory. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** The cost of an entry besides its texts, so that many small ones are limited too. */
const OVERHEAD_CHARACTERS = 500;

const HEADER =
  /^(cookie:[ \t]*|(?:proxy-)?authorization:[ \t]*(?:(?:basic|bearer|negotiate|ntlm)[ \t]+)?)[^\r\n]*/gim;
const FIELD = /((?:^|[&;])(?:[\w-]*(?:password|token|secret|assertion)|ms_rtc_renew)=)[^&\r\n]*/gim;
const PROPERTY =
  /("(?:[\w-]*(?:password|token|secret|assertion)|ms_rtc_renew)"\s*:\s*)"[^"\\]*(?:\\.[^"\\]*)*"?/gis;

/** Creates an empty log. */
export function requestLog(): RequestLog {
  const requests: Entry[] = [];
  let characters = 0;
  const entries = new WeakMap<HttpRequest, Entry>();

  const keep = (entry: Entry): void => {
    requests.push(entry);
    characters += lengthOf(entry);
    while (characters > MAX_CHARACTERS) characters -= lengthOf(requests.shift() as Entry);
  };

  const logging =
    (transport: Transport, log: (entry: Entry) => void): Transport =>
    (request) =>
      defer(() => {
        const entry = entryOf(request);
        entries.set(request, entry);
        log(entry);
        return transport(request).pipe(tap(({ status }) => (entry.status = status)));
      });

  return {
    requests,
    middleware: (transport) => logging(transport, keep),
    partsOf: (whole) => (transport) => {
      const entry = entries.get(whole);
      return entry === undefined ? transport : logging(transport, (part) => (entry.parts ??= []).push(part));
    },
  };
}

function entryOf({ method, url, headers = {}, body }: HttpRequest): Entry {
  const { pathname, search } = new URL(url);
  const redacted = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), withoutToken(name, value)]),
  );
  return {
    ...{ method, path: `${pathname}${search}`, headers: redacted },
    body: body === undefined ? undefined : withoutSecrets(body, redacted['content-type'] ?? ''),
    ...{ time: asyncScheduler.now(), status: undefined },
  };
}

/** Returns the size of an entry, without the fields that are added later. */
function lengthOf({ path, headers, body = '' }: Entry): number {
  return OVERHEAD_CHARACTERS + path.length + JSON.stringify(headers).length + body.length;
}

function withoutToken(name: string, value: string): string {
  const start = `${name}: `;
  return `${start}${value}`.replace(HEADER, '$1…').slice(start.length);
}

/** Returns a body without secrets; the parts of a batch have their own headers and bodies. */
function withoutSecrets(body: string, contentType: string): string {
  const isMultipart = /^multipart\//i.test(contentType);
  const isForm = /^application\/x-www-form-urlencoded/i.test(contentType);
  let redacted = body;
  if (isMultipart) redacted = redacted.replace(HEADER, '$1…');
  if (isMultipart || isForm) redacted = redacted.replace(FIELD, '$1…');
  if (isMultipart || /json/i.test(contentType)) redacted = redacted.replace(PROPERTY, '$1"…"');
  return redacted;
}
