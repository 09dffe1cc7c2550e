import { asyncScheduler } from 'rxjs';
import { backoff, type BackoffPolicy } from '../../core/backoff/backoff.ts';

/** The limits of a {@link BatchPace}. */
export interface PaceLimits {
  readonly maxParts: number;
  readonly maxOutstanding: number;
  readonly backoff: BackoffPolicy;
}

/** The sending rate of a queue: lower after a refusal, higher after a success. */
export interface BatchPace {
  /** The most requests in the next batch. */
  readonly size: number;
  /** How long sending is paused from now on, in milliseconds. */
  readonly waitMs: number;
  /** Returns whether this many requests may be sent while others are outstanding. */
  hasRoomFor(parts: number, outstanding: number): boolean;
  /** Records a successful response. */
  succeeded(): void;
  /** Records that a batch of this many requests was refused because of overload. */
  refused(parts: number, askedMs: number | undefined): void;
}

/**
 * Creates the pace of one queue.
 *
 * After a refusal, batches are half as large and are sent one at a time, after a wait. After a success they
 * are sent in parallel again, and each success increases their size by one, up to the limit.
 *
 * @see [MS-UCWA] BatchingRequests
 */
export function batchPace({ maxParts, maxOutstanding, backoff: policy }: PaceLimits): BatchPace {
  let size = maxParts;
  let refusals = 0;
  let resumesAt = 0;

  return {
    get size() {
      return size;
    },
    get waitMs() {
      return Math.max(0, resumesAt - asyncScheduler.now());
    },
    // Batches are not split to use up the remaining room.
    hasRoomFor: (parts, outstanding) =>
      outstanding === 0 || (refusals === 0 && outstanding + parts <= maxOutstanding),
    succeeded: () => {
      refusals = 0;
      size = Math.min(maxParts, size + 1);
    },
    refused: (parts, askedMs) => {
      const now = asyncScheduler.now();
      size = Math.max(1, Math.floor(parts / 2));
      // Batches that were outstanding together were refused for the same reason: count that once.
      refusals = now >= resumesAt ? refusals + 1 : Math.max(1, refusals);
      resumesAt = Math.max(resumesAt, now + backoff(refusals, policy, askedMs));
    },
  };
}
