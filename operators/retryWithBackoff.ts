import { type MonoTypeOperatorFunction, type Observable, retry, throwError, timer } from 'rxjs';
import {
  retryAfterOf,
  backoff,
  type BackoffPolicy,
  BACKOFF_NAMES,
  checkBackoffPolicy,
  timerMs,
} from '../lib/core/backoff/backoff.ts';
import { invalidOption, numberOption, type OptionNames } from '../lib/core/options.ts';

/** Options of {@link retryWithBackoff}: which errors are retried, how often, and after which time. */
export interface RetryWithBackoffOptions extends BackoffPolicy {
  /** How often the source is subscribed to again at most, without a value in between. @default Infinity */
  readonly count?: number;
  /**
   * Decides on an error: false passes it on, true retries after the usual wait, and a number retries after as
   * many milliseconds. `attempt` says how many attempts in a row have failed, from 1.
   *
   * @default every error is retried
   */
  readonly decide?: (error: unknown, attempt: number) => boolean | number;
}

const NAMES: OptionNames<RetryWithBackoffOptions> = { ...BACKOFF_NAMES, count: 1, decide: 1 };

/**
 * Returns an Observable that mirrors the source, and subscribes to it again, after a while, when it errors.
 *
 * The wait is exponential with full jitter: anything up to a bound that doubles with each attempt that fails.
 * An error that tells in `retryAfterMs` when the server will have it is never retried before that. As soon as
 * the source emits a value, counting starts again from zero. Unsubscribing stops the waiting.
 *
 * The requests that this library sends are retried already where that is safe and helps within seconds. This
 * operator is for the subscription as a whole: it makes a new one.
 *
 * ```
 * source:                        --a--#   --#     --b--c--|
 * retryWithBackoff()             --a---~~---~~~~~---b--c--|
 *                                      wait  wait, up to twice as long
 * ```
 *
 * The error of the source is passed on, as it is, when subscribing again `count` times in a row has not
 * helped, or when `decide` says so. What `decide` throws is the error of the result.
 *
 * @param options How often, how long, and for which errors.
 * @returns An operator. It throws a TypeError that names the option if one cannot be used.
 *
 * @see {@link https://rxjs.dev/api/operators/retry | retry}
 *
 * @example
 * ```ts
 * import { concat, defer, of, throwError } from 'rxjs';
 * import { HttpError } from 'rxchange';
 * import { retryWithBackoff } from 'rxchange/operators';
 *
 * const request = { method: 'GET', url: 'https://pool.contoso.com/ucwa' };
 * let attempts = 0;
 * const flaky$ = defer(() =>
 *   concat(
 *     of(`attempt ${++attempts}`),
 *     attempts < 3 ? throwError(() => new HttpError(503, request)) : of('stable'),
 *   ),
 * );
 *
 * flaky$
 *   .pipe(
 *     retryWithBackoff({
 *       initialMs: 1,
 *       decide: (error) => error instanceof HttpError && error.status >= 500,
 *     }),
 *   )
 *   .subscribe((value) => console.log(value));
 * // prints: attempt 1
 * // prints: attempt 2
 * // prints: attempt 3
 * // prints: stable
 * ```
 */
export function retryWithBackoff<Value>(
  options: RetryWithBackoffOptions = {},
): MonoTypeOperatorFunction<Value> {
  const { count = Infinity, decide = () => true } = options;
  checkBackoffPolicy(options, 'retryWithBackoff', NAMES);
  if (count !== Infinity) numberOption('retryWithBackoff.count', count, { min: 0, integer: true });
  if (typeof decide !== 'function') throw invalidOption('retryWithBackoff.decide', decide, 'a function');

  const delay = (error: unknown, attempt: number): Observable<unknown> => {
    const decision = decide(error, attempt);
    if (decision === false) return throwError(() => error);
    if (decision === true) return timer(backoff(attempt, options, retryAfterOf(error)));
    return timer(timerMs(numberOption('what retryWithBackoff.decide returns', decision, { min: 0 })));
  };
  return retry({ count, delay, resetOnSuccess: true });
}
