import { defer, type MonoTypeOperatorFunction, Observable, type Subscription, tap } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import { type PushResponse, reject } from './pushRequest.ts';
import { NOTIFICATION_SUBJECT } from './sendNotification.ts';

/** What of a request of `node:http`, or of a framework on it, is read. */
export interface NodeRequestLike {
  /** Such as `POST`. */
  readonly method?: string | undefined;
  /** Path and query. */
  readonly url?: string | undefined;
  /** The URL as it came, where a framework has shortened `url`. */
  readonly originalUrl?: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body, where a framework has read it: a string, or bytes. */
  readonly body?: unknown;
  /** Hears of `data`, `end`, `error` and `close`. */
  on(event: string, listener: (value: Uint8Array) => void): unknown;
}

/**
 * Returns an Observable of the bytes of a request, also if a framework has read them before.
 *
 * It errors if the body breaks off, and when the request is answered before the end: nothing more of it is read.
 *
 * @param answering Open until the request is answered.
 * @param respond Answers a body that is too large.
 */
export function bodyOf(
  request: NodeRequestLike,
  maxBytes: number,
  answering: Subscription,
  respond: (answer: PushResponse) => void,
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

/** The answer to a body that has more bytes than it may. */
export function tooLarge(maxBytes: number): PushResponse {
  return reject(413, `It has more than ${maxBytes} bytes.`);
}

/** A body that has more bytes than it may. */
export class BodyTooLarge extends Error {
  override readonly name: string = 'LargeBody';
  /** The most that it may have. */
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`expected at most ${maxBytes} bytes, but there are more`);
    this.maxBytes = maxBytes;
  }
}

/** Returns an operator that errors with {@link BodyTooLarge} beyond a number of bytes. */
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
