import { map, type Observable, reduce } from 'rxjs';
import { DecodeError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';

/** A token of HTTP: a method, or the name of a header. [RFC 9110, Tokens] */
const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** Visible ASCII and blanks: a line break would begin another header. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** Returns whether a text can be a method or the name of a header. */
export function isHttpToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Returns whether a text can be the value of a header. All header values are checked by this function. */
export function isHeaderValue(text: string): boolean {
  return VALUE.test(text);
}

/**
 * The progress of a request.
 *
 * - `sent`: the request is on its way, and the server may act on it.
 * - `notProcessed`: the server did not act: the request could not be sent, or the response refuses it.
 *
 * @inline
 */
export type RequestProgress = 'sent' | 'notProcessed';

/** Why a request is sent again. @inline */
export interface Repetition {
  /** How often it was sent before. */
  readonly count: number;
  /** The reason, in a few words, such as `status 503` or `NetworkError`. */
  readonly reason: string;
}

/** An HTTP request, as plain data. */
export interface HttpRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Lets the request outlive the page that sends it, in browsers. @default false */
  readonly keepalive?: boolean;
  /** Whether the browser sends cookies and its own sign-in. @default 'same-origin' */
  readonly credentials?: 'omit' | 'same-origin' | 'include';
  /**
   * Whether sending the request twice has the same effect as sending it once.
   * @default true for GET, HEAD, OPTIONS, PUT and DELETE
   */
  readonly idempotent?: boolean;
  /** Set if the request was sent before. It is not sent to the server. */
  readonly repeats?: Repetition;
  /** Called synchronously when the progress of the request changes. It must not throw. */
  readonly onProgress?: (progress: RequestProgress) => void;
}

/** The headers of a response. @inline */
export interface HttpHeaders {
  /** Returns the value of a header, whatever the case of `name`. Several values are joined with commas. */
  get(name: string): string | undefined;
}

/** The head of a response, and its body as it arrives. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** The URL that responded. */
  readonly url: string;
  /**
   * The body as it arrives.
   *
   * It has one subscriber, who subscribes while the response is emitted; otherwise the body is cancelled, so
   * that it cannot block its socket. Unsubscribing cancels the rest. It errors with a {@link NetworkError} if
   * the connection breaks.
   */
  readonly body$: Observable<Uint8Array>;
  /**
   * Closes the connection after the body, so that no other request is sent on it: after some responses a
   * server sends another that nobody requested. It has an effect only while the body is being read. Missing
   * if the platform manages connections.
   */
  readonly discardConnection?: () => void;
  /**
   * Returns the certificate of the server on the connection of this response, in DER: undefined without TLS,
   * or if the connection is closed. Missing if the platform does not reveal it.
   */
  readonly peerCertificate?: () => Uint8Array | undefined;
  /**
   * Counts members of the body that its reader dropped, for the {@link Activity} of the request. Missing if
   * the requests are not observed.
   */
  readonly noteDropped?: (members: number) => void;
}

/**
 * Sends a request and emits its response: the only interface between the library and the network.
 *
 * Nothing is sent before the subscription. The Observable emits when the head of the response has arrived,
 * whatever its status, and completes. It errors with a {@link NetworkError} if there is no response.
 * Unsubscribing before the response aborts the request. It may emit synchronously.
 */
export type Transport = (request: HttpRequest) => Observable<HttpResponse>;

/** Returns a {@link Transport} that adds one ability to another. */
export type Middleware = (transport: Transport) => Transport;

const IDEMPOTENT_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Returns whether a request may be sent again after the server may have acted on it. */
export function isIdempotent(request: HttpRequest): boolean {
  return request.idempotent ?? IDEMPOTENT_METHODS.has(request.method.toUpperCase());
}

/** Creates headers from a record with names in lower case, for transports that create responses. */
export function headersFrom(record: Readonly<Record<string, string>>): HttpHeaders {
  return {
    get: (name) => {
      const key = name.toLowerCase();
      return Object.hasOwn(record, key) ? record[key] : undefined;
    },
  };
}

/**
 * Returns an Observable that emits the whole body as one text and completes.
 *
 * The body is UTF-8, with or without a byte order mark; other bytes become U+FFFD. It errors with a {@link
 * NetworkError} if the connection breaks, and with a {@link DecodeError} if the body is larger than
 * `maxBytes`.
 *
 * @param subject The name of the body, for the error.
 * @param maxBytes @default 32 MiB
 */
export function readText(
  response: HttpResponse,
  subject: string,
  maxBytes: number = DEFAULT_LIMITS.responseBytes,
): Observable<string> {
  return response.body$.pipe(
    reduce<Uint8Array, Chunks | undefined>((read = { chunks: [], length: 0 }, chunk) => {
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

/** The chunks of a body. */
interface Chunks {
  readonly chunks: Uint8Array[];
  length: number;
}

function decodeText({ chunks, length }: Chunks): string {
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
