import type { StatusInput, WaitingReason } from '../connectionStatus.ts';
import { HttpError, NetworkError, NO_RESPONSE, TokenError } from '../errors.ts';
import { backoff, type BackoffPolicy, retryAfterOf } from './backoff.ts';

/** The state of a server: its failures, and when the next request may be sent. */
export interface Outage {
  /** Failures in a row; 0 while the server works. */
  readonly failures: number;
  /** When the next probe is due, in milliseconds of the scheduler's clock. */
  readonly retryAt: number;
  /** Whether that time comes from Retry-After. */
  readonly isAsked: boolean;
  /** Whether a probe has no result yet. */
  readonly isProbing: boolean;
  /** Whether the platform came online during the outage, after which all waits grow from the start again. */
  readonly cameOnline: boolean;
}

/** An input of {@link outageAfter}. */
export type OutageInput =
  /** The server sent a valid response or event. */
  | { readonly what: 'answered' }
  /** A request failed, perhaps with Retry-After. */
  | { readonly what: 'failed'; readonly askedMs?: number | undefined }
  /** A probe was sent. */
  | { readonly what: 'probed' }
  /** The platform came online. */
  | { readonly what: 'online' };

/** The state of a server that works. */
export const NO_OUTAGE: Outage = {
  ...{ failures: 0, retryAt: 0 },
  ...{ isAsked: false, isProbing: false, cameOnline: false },
};

/**
 * Returns the state after an input: a pure function, except for the jitter of the policy.
 *
 * Concurrent requests fail together: only the first of them counts, and each probe once. A probe without a
 * response when the next one is due counts as a failure, but does not delay the next one. No two probes are
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
      // The network may still need a moment.
      return failures === 0 || isAsked
        ? before
        : { ...before, failures: 1, retryAt: Math.min(retryAt, now), cameOnline: true };
    case 'probed': {
      const unanswered = isProbing ? failures + 1 : failures;
      return {
        ...{ ...before, failures: unanswered, isAsked: false, isProbing: true },
        retryAt: now + Math.max(1, backoff(unanswered, policy)),
      };
    }
    case 'failed': {
      const { askedMs = 0 } = input;
      if (failures > 0 && !isProbing) {
        return now + askedMs > retryAt ? { ...before, retryAt: now + askedMs, isAsked: askedMs > 0 } : before;
      }
      return {
        ...{ ...before, failures: failures + 1, isAsked: askedMs > 0, isProbing: false },
        retryAt: now + backoff(failures + 1, policy, askedMs),
      };
    }
  }
}

/** Returns whether a status means that the server is temporarily unavailable. */
export function isUnavailable(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** Returns whether an error means that the server failed, or cannot be reached. */
export function isOfServer(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return error instanceof NetworkError || ('status' in error && isUnavailable(Number(error.status)));
}

/** Returns the reason for waiting after an error: a pure function. */
export function waitingReason(error: unknown): WaitingReason {
  if (error instanceof NetworkError) return error.code === NO_RESPONSE ? 'starved' : 'network';
  if (error instanceof TokenError) return 'signIn';
  const { cause } = Object(error) as { readonly cause?: unknown };
  if (cause instanceof NetworkError) return waitingReason(cause);
  const isAsked = retryAfterOf(error) !== undefined;
  return isAsked || (error instanceof HttpError && error.status === 429) ? 'throttled' : 'server';
}

/** Returns the status input for a failure after which the next attempt starts at a time, in milliseconds. */
export function failureOf(
  error: unknown,
  attempt: number,
  retryAt: number,
): Extract<StatusInput, { readonly type: 'failed' }> {
  return { type: 'failed', reason: waitingReason(error), error, attempt, retryAt: new Date(retryAt) };
}
