import type { Observable } from 'rxjs';

/** One request that an Exchange server has posted, as plain data, and the way to answer it. */
export interface PushRequest {
  /**
   * Returns the URL that was posted to; its path and query are enough. The query names the subscription by a
   * secret: this is a function so that no log of notifications shows it. Without this member, only
   * subscriptions with `callbackSecret: false` can be notified.
   */
  readonly url?: () => string | undefined;
  /**
   * The body as it arrives. It is subscribed to once, or never if the request is refused before. Whoever makes
   * it bounds its bytes and its time; it errors if it breaks off.
   */
  readonly body$: Observable<Uint8Array>;
  /** Answers the request. It is called once, and must not throw. */
  readonly respond: (answer: PushResponse) => void;
}

/** What a posted request is answered. */
export interface PushResponse {
  /** The HTTP status. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** A SOAP envelope, or empty. */
  readonly body: string;
  /** What is wrong with the request, one sentence for a log; the server is not told. */
  readonly problem?: string;
}

/** How long a server that has retries of its own is asked to wait. */
const TRY_AGAIN_SECONDS = 30;

/** Asks to send the same again later. */
export function retryLater(problem: string): PushResponse {
  return { ...reject(503, problem), headers: { 'retry-after': String(TRY_AGAIN_SECONDS) } };
}

/** Refuses a request for good. */
export function reject(status: number, problem: string): PushResponse {
  return { status, headers: {}, body: '', problem };
}
