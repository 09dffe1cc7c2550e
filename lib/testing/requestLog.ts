import { asyncScheduler, defer, tap } from 'rxjs';
import type { HttpHeaders, HttpRequest, Middleware, Transport } from '../core/transport/transport.ts';

/**
 * The headers that the two protocols and HTTP itself need, spelled as IIS does: a response tells values by
 * name, not the names. Microsoft's own reader of batches knows only this spelling of Content-Type.
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

/** Returns the headers of a response that are sent; `further` names are sent as well. */
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

/** One request that a simulator was sent. */
export interface LoggedRequest {
  /** Such as `DELETE`. */
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly path: string;
  /**
   * Names in lower case. `…` replaces the value of Cookie, and that of Authorization and Proxy-Authorization, of
   * which only a scheme such as `Bearer` is kept.
   */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The text as it was sent, except that `…` replaces three kinds of values; undefined if there was no body.
   *
   * - in a form, the fields whose names end with `password`, `token`, `secret` or `assertion`, in any case, and
   *   `ms_rtc_renew`;
   * - in JSON, the strings of properties with such names;
   * - in a multipart, both, and the same headers of its parts as in `headers`.
   */
  readonly body: string | undefined;
  /** When it was sent, in milliseconds of the scheduler's clock. */
  readonly time: number;
  /** What it was answered; undefined while it is not, and where it never was. */
  readonly status: number | undefined;
  /** What a batch carried, in that order. @default not there: it was no batch, or the batch was refused */
  readonly parts?: readonly LoggedRequest[];
}

/** The requests that a simulator was sent. */
interface RequestLog {
  /** In the order in which they were sent. Beyond 64 Mi characters, the oldest are dropped. */
  readonly requests: readonly LoggedRequest[];
  /** Notes every request that passes. */
  readonly middleware: Middleware;
  /** Notes every request that passes as a part of this one. */
  partsOf(whole: HttpRequest): Middleware;
}

interface Entry extends LoggedRequest {
  status: number | undefined;
  parts?: Entry[];
}

/** How many characters are kept, so that many requests, or large ones, cannot exhaust the memory. */
const MAX_CHARACTERS = 64 * 1024 * 1024;
/** What an entry costs besides its texts, so that very many small ones are bounded, too. */
const OVERHEAD_CHARACTERS = 500;

const HEADER =
  /^(cookie:[ \t]*|(?:proxy-)?authorization:[ \t]*(?:(?:basic|bearer|negotiate|ntlm)[ \t]+)?)[^\r\n]*/gim;
const FIELD = /((?:^|[&;])(?:[\w-]*(?:password|token|secret|assertion)|ms_rtc_renew)=)[^&\r\n]*/gim;
const PROPERTY =
  /("(?:[\w-]*(?:password|token|secret|assertion)|ms_rtc_renew)"\s*:\s*)"[^"\\]*(?:\\.[^"\\]*)*"?/gis;

/** Creates an empty log, as both simulators have one. */
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
  const kept = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), withoutToken(name, value)]),
  );
  return {
    ...{ method, path: `${pathname}${search}`, headers: kept },
    body: body === undefined ? undefined : withoutSecrets(body, kept['content-type'] ?? ''),
    ...{ time: asyncScheduler.now(), status: undefined },
  };
}

/** Without what is added later, so that it is the same when the entry is dropped. */
function lengthOf({ path, headers, body = '' }: Entry): number {
  return OVERHEAD_CHARACTERS + path.length + JSON.stringify(headers).length + body.length;
}

function withoutToken(name: string, value: string): string {
  const start = `${name}: `;
  return `${start}${value}`.replace(HEADER, '$1…').slice(start.length);
}

/** The parts of a batch have headers and bodies of their own. */
function withoutSecrets(body: string, contentType: string): string {
  const isMultipart = /^multipart\//i.test(contentType);
  const isForm = /^application\/x-www-form-urlencoded/i.test(contentType);
  let kept = body;
  if (isMultipart) kept = kept.replace(HEADER, '$1…');
  if (isMultipart || isForm) kept = kept.replace(FIELD, '$1…');
  if (isMultipart || /json/i.test(contentType)) kept = kept.replace(PROPERTY, '$1"…"');
  return kept;
}
