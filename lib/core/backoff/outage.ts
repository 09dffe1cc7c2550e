import { backoff, type BackoffPolicy } from './backoff.ts';

/** Whether the server of a connection answers, and when a request may go out if it does not. */
export interface Outage {
  /** Failures in a row; 0 while the server answers. */
  readonly failures: number;
  /** When the next probe is due, in milliseconds of the scheduler's clock. */
  readonly retryAt: number;
  /** Whether the server asked for that time. */
  readonly isAsked: boolean;
  /** Whether the result of a probe is outstanding. */
  readonly isProbing: boolean;
}

/** What can change an {@link Outage}. */
export type OutageInput =
  /** The server answered, or read an event to the end. */
  | { readonly what: 'answered' }
  /** A request failed; the server may have asked to wait. */
  | { readonly what: 'failed'; readonly askedMs?: number | undefined }
  /** A probe was sent. */
  | { readonly what: 'probed' }
  /** The platform has a network again. */
  | { readonly what: 'online' };

/** The state of a connection whose server answers. */
export const NO_OUTAGE: Outage = { failures: 0, retryAt: 0, isAsked: false, isProbing: false };

/**
 * Returns the state after an input: a pure function, except for the jitter of the policy.
 *
 * Requests that were under way together fail together: only the first of them counts, and each probe once. A probe
 * that is not answered when the next one is due counts as a failure, but does not delay that one. No two probes are
 * sent in the same millisecond.
 *
 * @param now The time of the scheduler's clock, in milliseconds.
 */
export function outageAfter(
  before: Outage,
  input: OutageInput,
  now: number,
  policy: BackoffPolicy = {},
): Outage {
  const { failures, retryAt, isAsked, isProbing } = before;
  switch (input.what) {
    case 'answered':
      return NO_OUTAGE;
    case 'online':
      return failures === 0 || isAsked ? before : { ...before, retryAt: Math.min(retryAt, now) };
    case 'probed': {
      const unanswered = isProbing ? failures + 1 : failures;
      return {
        ...{ failures: unanswered, isAsked: false, isProbing: true },
        retryAt: now + Math.max(1, backoff(unanswered, policy)),
      };
    }
    case 'failed': {
      const { askedMs = 0 } = input;
      if (failures > 0 && !isProbing) {
        return now + askedMs > retryAt ? { ...before, retryAt: now + askedMs, isAsked: askedMs > 0 } : before;
      }
      return {
        ...{ failures: failures + 1, isAsked: askedMs > 0, isProbing: false },
        retryAt: now + backoff(failures + 1, policy, askedMs),
      };
    }
  }
}

/** Whether a status says that the server cannot answer for now. */
export function isUnavailable(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}
