import { type Observable, timer } from 'rxjs';
import { functionOption, objectOption, type OptionRules } from '../options.ts';

/** The waits between attempts. @inline */
export interface BackoffPolicy {
  /** Upper bound of the first wait, in milliseconds; it doubles with each attempt. @default 500 */
  readonly initialMs?: number;
  /** Upper bound of every wait, in milliseconds. @default 30_000 */
  readonly maxMs?: number;
  /** Yields numbers in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** The rules of a {@link BackoffPolicy}. */
export const BACKOFF_RULES: OptionRules<BackoffPolicy> = {
  initialMs: { min: 0 },
  maxMs: { min: 0 },
  random: /* @__PURE__ */ functionOption('a function that yields numbers from 0 up to 1'),
};

/** Throws a TypeError that names the option if the policy cannot be used. */
export function checkBackoffPolicy(policy: BackoffPolicy, name = 'backoff'): void {
  objectOption(name, policy, BACKOFF_RULES);
}

/** The longest wait of a timer: on all platforms, a longer one fires immediately. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** Returns a wait of at most 24.8 days, which a timer supports. */
export function timerMs(wait: number): number {
  return Math.min(wait, LONGEST_TIMER_MS);
}

/**
 * Returns the milliseconds to wait before the next attempt: exponential with full jitter, after
 * `Retry-After`.
 *
 * @param attempt The number of failed attempts, from 1.
 * @param retryAfterMs The wait of `Retry-After`. The jitter is added, so that clients with the same wait do
 * not retry at the same time.
 */
export function backoff(attempt: number, policy: BackoffPolicy = {}, retryAfterMs = 0): number {
  const { initialMs = 500, maxMs = 30_000, random = Math.random } = policy;
  const bound = Math.min(maxMs, initialMs * 2 ** Math.min(attempt - 1, 30));
  return timerMs(Math.round(retryAfterMs + random() * bound));
}

/**
 * Returns the wait of a `Retry-After` header, which has seconds or an HTTP date.
 *
 * @param now The current time in milliseconds since 1970.
 * @returns Milliseconds from now, at least 0, or undefined if the header is missing or invalid.
 */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Date.parse takes much more than HTTP dates (a bare "-5" too): all three HTTP forms begin with a weekday.
  const date = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Returns the wait of `Retry-After` in milliseconds that an error has, or undefined. */
export function retryAfterOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('retryAfterMs' in error)) return undefined;
  const { retryAfterMs: ms } = error;
  return typeof ms === 'number' && ms >= 0 ? ms : undefined;
}

/**
 * Returns an Observable that emits once when the next attempt may be made, after so many failures in a row.
 *
 * @param error The last failure, which determines the wait.
 * @param shown The last failure as the status shows it. @default error
 */
export type Pause = (failures: number, error?: unknown, shown?: unknown) => Observable<unknown>;

/** Returns the waits of a backoff that no other caller shares. */
export function pausing(policy: BackoffPolicy = {}): Pause {
  return (failures, error) => timer(backoff(failures, policy, retryAfterOf(error)));
}
