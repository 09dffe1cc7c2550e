import { defer, type MonoTypeOperatorFunction, Observable, type Subscription, tap } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import { type PushResponse, reject } from './pushRequest.ts';
import { NOTIFICATION_SUBJECT } from './sendNotification.ts';

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
