import type { Observable } from 'rxjs';

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
