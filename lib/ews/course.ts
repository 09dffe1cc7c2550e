import { asyncScheduler, defer, EMPTY, type Observable } from 'rxjs';
import type { Pause } from '../core/backoff.ts';
import { DEFAULT_MAX_RETRY_AFTER_MS, type RetryPolicy } from '../core/withRetry.ts';
import type { Decision, ErrorContext } from './decision.ts';
import type { GapEvent, GapReason } from './events.ts';
import { shortLives } from './shortLives.ts';
import type { StreamJournal } from './streamJournal.ts';

/** What outlives the single subscription: how far the stream has come, and what it has to tell. */
export interface Course extends ErrorContext {
  /** Where to go on; undefined where the server tells no watermarks, and to subscribe afresh. */
  watermark: string | undefined;
  /** A gap that is told of as soon as the next subscription stands. */
  gap: GapReason | undefined;
  /** Nothing is missing up to then. */
  since: Date | undefined;
  /** Failures in a row. */
  failures: number;
  /** Losses in a row of subscriptions that did not last: {@link shortLives}. */
  losses: number;
  /** When the server accepted the subscription in use, in milliseconds; undefined while there is none. */
  subscribedAt: number | undefined;
  /** Whether the server has ever accepted a subscription. */
  hasSubscribed: boolean;
  operation: 'Subscribe' | 'GetEvents' | 'GetStreamingEvents' | 'SendNotification';
  hasAnswered: boolean;
  /** Told of what ends the subscription that is in use, before that is released. */
  ended: ((error: unknown) => void) | undefined;
  /** Where it is kept how far the stream has come, if it is. */
  readonly journal: StreamJournal | undefined;
}

/** A course at its beginning. */
export function newCourse(watermark: string | undefined, journal?: StreamJournal): Course {
  return {
    journal,
    watermark,
    gap: undefined,
    since: undefined,
    failures: 0,
    losses: 0,
    subscribedAt: undefined,
    hasSubscribed: false,
    operation: 'Subscribe',
    hasAnswered: false,
    ended: undefined,
  };
}

/** How long something may be on its way, by which what has come says nothing of what has happened. */
const ON_THE_WAY_MS = 10_000;

/** Notes that the server has sent by itself what there was to send. */
export function heard(course: Course): void {
  const heardAt = asyncScheduler.now() - ON_THE_WAY_MS;
  course.since = new Date(Math.max(course.since?.getTime() ?? heardAt, heardAt));
  course.failures = 0;
  course.hasAnswered = true;
}

/** Saves how far the stream has come, when what came before was processed, and completes when that is done. */
export function reached(course: Course): Observable<never> {
  return defer(() => {
    const { journal, watermark, since } = course;
    journal?.reached({ watermark, since: since?.getTime() });
    return journal?.saved() ?? EMPTY;
  });
}

/** Notes that the subscription in use is lost, if there is one. */
export function lost(course: Course): void {
  const { subscribedAt } = course;
  if (subscribedAt !== undefined)
    course.losses = shortLives(course.losses, asyncScheduler.now() - subscribedAt);
  course.subscribedAt = undefined;
}

/**
 * Returns an Observable that emits once when the next attempt may be made, after so many failures in a row; the time
 * that the server asks for is bounded.
 */
export function backedOff(
  pause: Pause,
  { maxRetryAfterMs = DEFAULT_MAX_RETRY_AFTER_MS }: RetryPolicy,
  failures: number,
  { delayMs = 0 }: Decision,
): Observable<unknown> {
  return pause(failures, { retryAfterMs: Math.min(delayMs, maxRetryAfterMs) });
}

/** The event that tells of a gap at this place of the course. */
export function gapEvent({ since }: Course, subscriptionId: string, reason: GapReason): GapEvent {
  return { type: 'gap', subscriptionId, reason, ...(since === undefined ? {} : { since }) };
}
