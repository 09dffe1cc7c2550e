import { asyncScheduler } from 'rxjs';
import { backoff, type BackoffPolicy } from '../../core/backoff/backoff.ts';

/** How much may go out at once. */
export interface PaceLimits {
  readonly maxParts: number;
  readonly maxOutstanding: number;
  readonly backoff: BackoffPolicy;
}

/** How fast a queue may send: less after a refusal, more after a success. */
export interface BatchPace {
  /** How many requests may stand in the next batch. */
  readonly size: number;
  /** How long nothing may be sent from now on, in milliseconds. */
  readonly waitMs: number;
  /** Whether so many may be sent while others wait for their answers. */
  hasRoomFor(parts: number, outstanding: number): boolean;
  /** Something was answered in the usual way. */
  succeeded(): void;
  /** So many at once were refused for lack of room. */
  refused(parts: number, askedMs: number | undefined): void;
}

/**
 * Creates the pace of one queue. After a refusal batches are half as large and go one at a time, after a
 * wait; after a success they go side by side again, and with each they grow by one, up to the limit.
 * [BatchingRequests]
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
    // Only whole batches: what would go out in a gap that is too small goes with the next ones.
    hasRoomFor: (parts, outstanding) =>
      outstanding === 0 || (refusals === 0 && outstanding + parts <= maxOutstanding),
    succeeded: () => {
      refusals = 0;
      size = Math.min(maxParts, size + 1);
    },
    refused: (parts, askedMs) => {
      const now = asyncScheduler.now();
      size = Math.max(1, Math.floor(parts / 2));
      // Those that were on their way together were refused for the same reason: that counts once.
      refusals = now >= resumesAt ? refusals + 1 : Math.max(1, refusals);
      resumesAt = Math.max(resumesAt, now + backoff(refusals, policy, askedMs));
    },
  };
}
