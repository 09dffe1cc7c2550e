import { asyncScheduler, defer, tap } from 'rxjs';
import type { HttpRequest, Middleware, Transport } from '../core/transport.ts';

/** One request that a simulator was sent. */
export interface LoggedRequest {
  /** Such as `DELETE`. */
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly path: string;
  /** Names in lower case; the Authorization header is told as `Bearer …`, without the token. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent, but for passwords and tokens, in place of which stands `…`; undefined where there was none. */
  readonly body: string | undefined;
  /** When it was sent, in milliseconds of the scheduler's clock. */
  readonly time: number;
  /** What it was answered; undefined while it is not, and where it never was. */
  readonly status: number | undefined;
  /** What a batch carried, in that order. @default not there: it was no batch, or the batch was refused */
  readonly parts?: readonly LoggedRequest[];
}

/** The requests that a simulator was sent. */
export interface RequestLog {
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
  return {
    ...{ method, path: `${pathname}${search}`, headers: withoutToken(headers) },
    body: body === undefined ? undefined : withoutSecrets(body, headers['content-type'] ?? ''),
    ...{ time: asyncScheduler.now(), status: undefined },
  };
}

/** Without what is added later, so that it is the same when the entry is dropped. */
function lengthOf({ path, headers, body = '' }: Entry): number {
  return path.length + JSON.stringify(headers).length + body.length;
}

function withoutToken({
  authorization,
  ...headers
}: Readonly<Record<string, string>>): Record<string, string> {
  if (authorization === undefined) return headers;
  return { ...headers, authorization: `${authorization.split(' ', 1).join('')} …` };
}

/** A form may carry a password, or a token to renew; the parts of a batch have headers of their own. */
function withoutSecrets(body: string, contentType: string): string {
  if (/^application\/x-www-form-urlencoded/i.test(contentType))
    return body.replace(/(^|&)(password|ms_rtc_renew)=[^&]*/g, '$1$2=…');
  if (/^multipart\//i.test(contentType))
    return body.replace(/^(authorization:[ \t]*\S+)[ \t].*?(?=\r?$)/gim, '$1 …');
  return body;
}
