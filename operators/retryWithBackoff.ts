import { type MonoTypeOperatorFunction, type Observable, retry, throwError, timer } from 'rxjs';
import {
  retryAfterOf,
  backoff,
  type BackoffPolicy,
  BACKOFF_RULES,
  timerMs,
} from '../lib/core/backoff/backoff.ts';
import { functionOption, numberOption, objectOption, type OptionRules } from '../lib/core/options.ts';

/** Options of {@link retryWithBackoff}. @inline */
export interface RetryWithBackoffOptions extends BackoffPolicy {
  /** The most retries in a row without a value. @default Infinity */
  readonly count?: number;
  /**
   * Decides about an error: false passes it on, true retries after the usual wait, a number retries after so
   * many milliseconds. `attempt` is the number of failed attempts in a row, from 1.
   *
   * @default every error is retried
   */
  readonly decide?: (error: unknown, attempt: number) => boolean | number;
}

const RULES: OptionRules<RetryWithBackoffOptions> = {
  ...BACKOFF_RULES,
  count: (name, value) => value === Infinity || numberOption(name, value, { min: 0, integer: true }),
  decide: /* @__PURE__ */ functionOption('a function'),
};

/**
 * Returns an Observable that subscribes to the source again, with exponential backoff, when it errors.
 *
 * The wait is random, up to a bound that doubles with each failed attempt (full jitter), but never shorter
 * than the `retryAfterMs` of the error. A value of the source resets the count. Unsubscribing ends the wait.
 *
 * The requests of this library are retried on their own. This operator re-creates the subscription as a
 * whole.
 *
 * ![Marble diagram of retryWithBackoff](../docs/marbles/retryWithBackoff.svg)
 *
 * ```
 * source:                        --a--#   --#     --b--c--|
 * retryWithBackoff()             --a---~~---~~~~~---b--c--|
 *                                      wait  wait, up to twice as long
 * ```
 *
 * The result errors with the source's error after `count` retries in a row, or when `decide` returns false.
 * If `decide` throws, the result errors.
 *
 * @returns An operator. Throws a TypeError that names an invalid option.
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
  const { count = Infinity, decide = () => true } = objectOption('retryWithBackoff', options, RULES);

  const delay = (error: unknown, attempt: number): Observable<unknown> => {
    const decision = decide(error, attempt);
    if (decision === false) return throwError(() => error);
    if (decision === true) return timer(backoff(attempt, options, retryAfterOf(error)));
    return timer(timerMs(numberOption('what retryWithBackoff.decide returns', decision, { min: 0 })));
  };
  return retry({ count, delay, resetOnSuccess: true });
}
