import { asyncScheduler, defer, mergeMap, type Observable, timer } from 'rxjs';
import { backoff, BACKOFF_RULES, type BackoffPolicy, type Pause, retryAfterMs } from './backoff.ts';
import { switchWhen } from '../rx/switchWhen.ts';
import { NetworkError } from '../errors.ts';
import { objectOption, type OptionRules } from '../options.ts';
import {
  type HttpRequest,
  type HttpResponse,
  isIdempotent,
  type Middleware,
} from '../transport/transport.ts';

/** When and how often to send a request again. */
export interface RetryPolicy extends BackoffPolicy {
  /** The largest number of retries. @default 4 */
  readonly retries?: number;
  /**
   * The longest Retry-After to wait for, in milliseconds; a response with a longer one is emitted. @default
   * 300_000
   */
  readonly maxRetryAfterMs?: number;
}

const RULES: OptionRules<RetryPolicy> = {
  ...BACKOFF_RULES,
  retries: { min: 0, integer: true },
  maxRetryAfterMs: { min: 0 },
};

/** The result of an attempt. */
export type AttemptResult =
  { readonly status: number; readonly retryAfterMs?: number | undefined } | { readonly error: unknown };

/** Whether to retry, and after how many milliseconds. */
export type RetryDecision = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

/** The default of `retries`. */
export const DEFAULT_RETRIES = 4;

/** The default of `maxRetryAfterMs`. */
export const DEFAULT_MAX_RETRY_AFTER_MS = 300_000;

/** The server did not act: any method can be retried. */
const NOT_ACTED_ON = new Set([429, 503]);
/** The server or a gateway timed out: the server may have acted. */
const MAY_HAVE_ACTED = new Set([408, 502, 504]);

/**
 * Decides whether to retry a request: a pure function.
 *
 * After 429 and 503 any request is retried, because the server did not act. After 408, 502, 504 or a broken
 * connection the server may have acted, so only an idempotent or unsent request is retried. All other results
 * are not.
 *
 * @param attempt The number of attempts so far, from 1.
 */
export function decideRetry(
  policy: RetryPolicy,
  attempt: number,
  idempotent: boolean,
  result: AttemptResult,
): RetryDecision {
  const { retries = DEFAULT_RETRIES, maxRetryAfterMs = DEFAULT_MAX_RETRY_AFTER_MS } = policy;
  if (attempt > retries) return { retry: false };
  if ('error' in result) {
    const { error } = result;
    const again = error instanceof NetworkError && (idempotent || error.isUnsent);
    return again ? { retry: true, delayMs: backoff(attempt, policy) } : { retry: false };
  }
  const { status, retryAfterMs: asked = 0 } = result;
  const again = NOT_ACTED_ON.has(status) || (idempotent && MAY_HAVE_ACTED.has(status));
  if (!again || asked > maxRetryAfterMs) return { retry: false };
  return { retry: true, delayMs: backoff(attempt, policy, asked) };
}

/**
 * Returns a Middleware that retries requests if that is safe and likely to help.
 *
 * After 429 and 503 any request is retried. After 408, 502, 504 or a broken connection, an idempotent or
 * unsent request is. The waits are exponential with full jitter, and never shorter than `Retry-After`. After
 * the last retry, its response or error is emitted. Unsubscribing cancels the wait.
 *
 * @throws TypeError that names the option that cannot be used.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { type Transport, withRetry } from 'rxchange';
 *
 * let attempts = 0;
 * const busyAtFirst: Transport = ({ url }) =>
 *   of({ status: ++attempts < 3 ? 503 : 200, url, headers: new Map(), body$: of() });
 *
 * withRetry({ initialMs: 1 })(busyAtFirst)({ method: 'GET', url: 'https://pool.contoso.com/' }).subscribe(
 *   ({ status }) => console.log(status, attempts),
 * );
 * // prints: 200 3
 * ```
 */
export function withRetry(policy: RetryPolicy = {}): Middleware {
  return retrying(policy);
}

/** Throws a TypeError that names an option that cannot be used. */
export function checkRetryPolicy(policy: RetryPolicy): void {
  objectOption('retry', policy, RULES);
}

/** Returns {@link withRetry} with the waits of a connection in place of those of the policy. */
export function retrying(policy: RetryPolicy, pause?: Pause): Middleware {
  checkRetryPolicy(policy);
  return (transport) => (request) => {
    const idempotent = isIdempotent(request);

    const attempt = (count: number, sent: HttpRequest): Observable<HttpResponse> => {
      const again = (result: AttemptResult, reason: string): Observable<HttpResponse> | undefined => {
        const decision = decideRetry(policy, count, idempotent, result);
        if (!decision.retry) return undefined;
        return (pause?.(count, 'error' in result ? result.error : result) ?? timer(decision.delayMs)).pipe(
          mergeMap(() => attempt(count + 1, { ...request, repeats: { count, reason } })),
        );
      };
      return defer(() => transport(sent)).pipe(
        switchWhen(
          (response) => again(resultOf(response), `status ${response.status}`),
          (error) => again({ error }, error instanceof Error ? error.name : 'an error'),
        ),
      );
    };

    return attempt(1, request);
  };
}

function resultOf({ status, headers }: HttpResponse): AttemptResult {
  return { status, retryAfterMs: retryAfterMs(headers.get('retry-after'), asyncScheduler.now()) };
}
