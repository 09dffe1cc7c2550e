import { map, type Observable, reduce } from 'rxjs';
import { DecodeError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';

/** A token of HTTP: a method, or the name of a header. [RFC 9110, Tokens] */
const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** Visible ASCII and blanks: a line break would begin another header. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** Whether a text can be a method or the name of a header. */
export function isHttpToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether a text can be the value of a header. Every string that becomes one is checked by this function. */
export function isHeaderValue(text: string): boolean {
  return VALUE.test(text);
}

/**
 * What becomes of a request on its way to the server.
 *
 * - `sent`: it is on the wire, and from now on the server may act on it.
 * - `undone`: the server did not act on it: it could not be sent, or the answer refuses it.
 */
export type RequestProgress = 'sent' | 'undone';

/** That the same request was sent before. */
export interface Repetition {
  /** How often. */
  readonly count: number;
  /** Why that was not enough, in a few words, such as `status 503` or `NetworkError`. */
  readonly reason: string;
}

/** One HTTP request, as plain data. */
export interface HttpRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Lets the request outlive the page that sends it, in browsers. @default false */
  readonly keepalive?: boolean;
  /** Whether the browser sends cookies and its own sign-in along. @default 'same-origin', as fetch has it */
  readonly credentials?: 'omit' | 'same-origin' | 'include';
  /**
   * Whether sending the request twice does no more than sending it once.
   * @default true for GET, HEAD, OPTIONS, PUT and DELETE
   */
  readonly idempotent?: boolean;
  /** Why it is sent again, where it is; not for the server. */
  readonly repeats?: Repetition;
  /** Told, synchronously, what becomes of the request. It must not throw. */
  readonly onProgress?: (progress: RequestProgress) => void;
}

/** The headers of an answer. */
export interface HttpHeaders {
  /** The value of a header, whatever the case of `name`; several of one name are joined with a comma. */
  get(name: string): string | undefined;
}

/** The head of an answer, and its body as it arrives. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** The URL that answered. */
  readonly url: string;
  /**
   * The body as it arrives. It can be read once, and only by who subscribes while the response is being
   * emitted: a body that nobody took up is cancelled then, so that it cannot pin its socket. Unsubscribing
   * cancels the rest. It errors with a {@link NetworkError} when the connection breaks.
   */
  readonly body$: Observable<Uint8Array>;
  /**
   * Lets the connection go when the body has ended, so that no other request is sent on it: for an answer
   * after which a server may send one that nobody asked for. It counts while the body is being read; calling
   * it later does nothing. Not there where the platform does not let connections be chosen.
   */
  readonly discardConnection?: () => void;
  /**
   * Counts members of the body that its reader left out, for the {@link Activity} of the request. Not there if
   * nobody observes the requests.
   */
  readonly noteDropped?: (members: number) => void;
}

/**
 * Sends a request and emits its one response: the only seam between the library and the network.
 *
 * Nothing is sent before the subscription. The Observable emits the response as soon as its head is there,
 * and completes; it errors with a {@link NetworkError} when there is no answer. Unsubscribing before the
 * answer aborts the request. An answer of any status is a response, never an error. It may answer
 * synchronously, and then so does everything that is built on it.
 */
export type Transport = (request: HttpRequest) => Observable<HttpResponse>;

/** Adds one ability to a {@link Transport}. */
export type Middleware = (transport: Transport) => Transport;

const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Whether a request may be sent again although the first one may have been acted on. */
export function isIdempotent(request: HttpRequest): boolean {
  return request.idempotent ?? IDEMPOTENT_METHODS.has(request.method.toUpperCase());
}

/** Headers out of a record whose names are in lower case, for transports that make their own responses. */
export function headersFrom(record: Readonly<Record<string, string>>): HttpHeaders {
  return {
    get: (name) => {
      const key = name.toLowerCase();
      return Object.hasOwn(record, key) ? record[key] : undefined;
    },
  };
}

/**
 * Returns an Observable that emits the whole body as one text, once it is complete, and completes.
 *
 * The body is UTF-8, with or without a byte order mark; bytes that are not become U+FFFD. It errors with a
 * {@link NetworkError} when the body breaks off, and with a {@link DecodeError} when it is larger than
 * `maxBytes`; the rest is not read then.
 *
 * @param subject What the body is, for the error.
 * @param maxBytes @default 32 MiB
 */
export function readText(
  response: HttpResponse,
  subject: string,
  maxBytes: number = DEFAULT_LIMITS.responseBytes,
): Observable<string> {
  return response.body$.pipe(
    reduce<Uint8Array, Read | undefined>((read = { chunks: [], length: 0 }, chunk) => {
      read.length += chunk.length;
      if (read.length > maxBytes) {
        throw new DecodeError(subject, { path: '', expected: `at most ${maxBytes} bytes`, actual: 'more' });
      }
      read.chunks.push(chunk);
      return read;
    }, undefined),
    map((read) => (read === undefined ? '' : decodeText(read))),
  );
}

const UTF_8 = new TextDecoder();

/** What was read of a body. */
interface Read {
  readonly chunks: Uint8Array[];
  length: number;
}

function decodeText({ chunks, length }: Read): string {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return UTF_8.decode(first);
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return UTF_8.decode(all);
}
