import { Observable, defer, type MonoTypeOperatorFunction, type Subscription, tap } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import { NOTIFICATION_SUBJECT } from './sendNotification.ts';

/** A request that an Exchange server has posted, and the function that answers it. */
export interface PushRequest {
  /**
   * Returns the URL that was posted to; its path and query are enough.
   *
   * The query contains the secret of the subscription: as a function, it does not appear in logs. Without
   * this member, only subscriptions with `callbackSecret: false` receive events.
   */
  readonly url?: () => string | undefined;
  /**
   * The body as it arrives, limited in bytes and in time; it errors if it breaks off. It is subscribed to
   * once, or never if the request is rejected before.
   */
  readonly body$: Observable<Uint8Array>;
  /** Answers the request. It is called once, and must not throw. */
  readonly respond: (response: PushResponse) => void;
}

/** The response to a posted request. @inline */
export interface PushResponse {
  /** The HTTP status. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A SOAP envelope, or empty. */
  readonly body: string;
  /** Why the request is rejected: one sentence for a log, not sent to the server. */
  readonly problem?: string;
}

const RETRY_AFTER_SECONDS = 30;

/** Returns the response that asks the server to send the same again later. */
export function retryLater(problem: string): PushResponse {
  return { ...reject(503, problem), headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } };
}

/** Returns the response that rejects a request. */
export function reject(status: number, problem: string): PushResponse {
  return { status, headers: {}, body: '', problem };
}

/** The query parameter of a callback URL that contains the secret. */
export const SECRET_PARAMETER = 'pushKey';

const SECRET_BYTES = 16;

/** Returns a new secret: 128 random bits as hexadecimal digits. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Returns a callback URL with a secret as the last parameter of its query. */
export function withSecret(callbackUrl: string, secret: string): string {
  const url = new URL(callbackUrl);
  // Appended as text: `searchParams` would rewrite the caller's own query.
  url.search = `${url.search}${url.search === '' ? '?' : '&'}${SECRET_PARAMETER}=${secret}`;
  return url.href;
}

/** Returns the secret in the query of an absolute or a relative URL, or undefined if there is none. */
export function secretIn(url: string): string | undefined {
  const mark = url.indexOf('?');
  return mark < 0 ? undefined : (new URLSearchParams(url.slice(mark)).get(SECRET_PARAMETER) ?? undefined);
}

/** The part of a request of `node:http`, or of a framework on top of it, that the listener reads. @inline */
export interface NodeRequestLike {
  /** Such as `POST`. */
  readonly method?: string | undefined;
  /** Path and query. */
  readonly url?: string | undefined;
  /** The complete URL, if a framework has shortened `url`. */
  readonly originalUrl?: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body, if a framework has read it: a string, or bytes. */
  readonly body?: unknown;
  /** Adds a listener for `data`, `end`, `error` or `close`. */
  on(event: string, listener: (value: Uint8Array) => void): unknown;
}

/**
 * Returns an Observable of the bytes of a request, which a framework may have read before.
 *
 * It errors if the body breaks off, and when the request is answered before the end: then it reads no more.
 *
 * @param answering Unsubscribed when the request is answered.
 * @param respond Answers a body that is too large.
 */
export function bodyOf(
  request: NodeRequestLike,
  maxBytes: number,
  answering: Subscription,
  respond: (response: PushResponse) => void,
): Observable<Uint8Array> {
  return new Observable((subscriber) => {
    let length = 0;
    const take = (chunk: Uint8Array): void => {
      length += chunk.length;
      if (length <= maxBytes) subscriber.next(chunk);
      else respond(tooLarge(maxBytes));
    };
    const breakOff = (): void => {
      subscriber.error(
        new DecodeError(NOTIFICATION_SUBJECT, { path: '', expected: 'the end of the body', actual: 'none' }),
      );
    };
    answering.add(breakOff);
    const { body } = request;
    if (typeof body === 'string' || body instanceof Uint8Array) {
      take(typeof body === 'string' ? new TextEncoder().encode(body) : body);
      subscriber.complete();
      return;
    }
    request.on('data', take);
    request.on('end', () => subscriber.complete());
    request.on('error', breakOff);
    request.on('close', breakOff);
  });
}

/** Returns the response to a body of more than `maxBytes`. */
export function tooLarge(maxBytes: number): PushResponse {
  return reject(413, `It has more than ${maxBytes} bytes.`);
}

/** A body has more than `maxBytes`. */
export class BodyTooLarge extends Error {
  override readonly name: string = 'LargeBody';
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`expected at most ${maxBytes} bytes, but there are more`);
    this.maxBytes = maxBytes;
  }
}

/** Returns an operator that errors with {@link BodyTooLarge} after this many bytes. */
export function limitBytes(maxBytes: number): MonoTypeOperatorFunction<Uint8Array> {
  return (body$) =>
    defer(() => {
      let length = 0;
      return body$.pipe(
        tap((chunk) => {
          length += chunk.length;
          if (length > maxBytes) throw new BodyTooLarge(maxBytes);
        }),
      );
    });
}
