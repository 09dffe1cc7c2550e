import { NetworkError } from '../../core/errors.ts';
import { countShortLives } from '../subscription/progress.ts';
import type { StreamRequest } from './handover.ts';

/** How the requests of a connection have ended: numbers of requests in a row. */
export interface RequestHistory {
  /** They ended or failed soon. */
  readonly shortLives: number;
  /** Their last message could not be read. */
  readonly unreadable: number;
  /** They lived shortly, and were replaced because of unreadable messages. */
  readonly renewals: number;
}

/** When to open the next request. */
export interface Reopening {
  /**
   * - `now`: at once.
   * - `soon`: when the changes of the members are gathered.
   * - `backoff`: after the wait for so many failures.
   */
  readonly when: 'now' | 'soon' | 'backoff';
  /** Failures in a row. */
  readonly failures: number;
}

/** The history before the first request. */
export const NO_HISTORY: RequestHistory = { shortLives: 0, unreadable: 0, renewals: 0 };

/** Returns the history and the time of the next request after a request has ended: a pure function. */
export function afterEnd(
  history: RequestHistory,
  { isClosed, hasResponded, hasLostMembers, openedAt }: StreamRequest,
  error: unknown,
  now: number,
): readonly [RequestHistory, Reopening] {
  // A request that ends because of our own Unsubscribe has not failed.
  if (error === undefined && isClosed && hasLostMembers) return [history, { when: 'soon', failures: 0 }];
  const failures = countShortLives(history.shortLives, now - openedAt);
  const isEnd = error === undefined || error instanceof NetworkError;
  const isFirst = isEnd && failures === 1 && hasResponded;
  return [
    { ...history, shortLives: failures },
    { when: isFirst ? 'now' : 'backoff', failures },
  ];
}

/**
 * Returns the same for a request that is to be replaced because a message could not be read.
 *
 * Such a message may have refused members, so a new request names all of them.
 */
export function afterUnreadable(
  history: RequestHistory,
  { openedAt }: StreamRequest,
  now: number,
): readonly [RequestHistory, Reopening] {
  const failures = countShortLives(history.renewals, now - openedAt);
  return [
    { ...history, renewals: failures },
    { when: failures === 1 ? 'soon' : 'backoff', failures },
  ];
}
