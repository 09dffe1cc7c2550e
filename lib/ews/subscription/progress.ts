import * as t from 'io-ts';
import { asyncScheduler, defer, EMPTY, type Observable, switchMap } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import { DEFAULT_MAX_RETRY_AFTER_MS, type RetryPolicy } from '../../core/backoff/withRetry.ts';
import type { Checkpoint } from '../../core/checkpoint/checkpoint.ts';
import { type Journal, journal, type JournalKind } from '../../core/checkpoint/journal.ts';
import type { EwsEvent, GapEvent, GapReason } from '../protocol/events.ts';
import type { EwsDecision, FailureContext } from '../protocol/failures.ts';
import type { EwsSession } from '../session/session.ts';

/** How far a stream has come: behind a watermark, or to a time where the server tells none. */
interface StreamPlace {
  readonly watermark?: string | undefined;
  /** In milliseconds of the scheduler's clock. */
  readonly since?: number | undefined;
}

/** What one stream keeps for the next process. */
export type StreamJournal = Journal<StreamPlace>;

/** What is kept of a stream. The time matters only where there is no watermark. */
const STREAM_JOURNAL: JournalKind<StreamPlace> = {
  codec: t.partial({ watermark: t.string, since: t.number }),
  isSame: (one, other) =>
    other.watermark === undefined ? other.since === one.since : other.watermark === one.watermark,
};

/** A subscription or a connection that has lasted this long was no failure. */
const STEADY_MS = 10_000;

/**
 * Returns how many short lives have ended in a row: a pure function.
 *
 * Only a life of ten seconds begins the count again. Answers do not: a server can give one to every subscription,
 * and lose it right after.
 *
 * @param before The count before this end.
 * @param lastedMs How long the life that has ended was, in milliseconds.
 */
export function countShortLives(before: number, lastedMs: number): number {
  return lastedMs >= STEADY_MS ? 1 : before + 1;
}

/** What outlives the single subscription: how far the stream has come, and what it has to tell. */
export interface StreamProgress extends FailureContext {
  /** Where to go on; undefined where the server tells no watermarks, and to subscribe afresh. */
  watermark: string | undefined;
  /** A gap that is told of as soon as the next subscription stands. */
  gap: GapReason | undefined;
  /** Nothing is missing up to then. */
  since: Date | undefined;
  /** Failures in a row. */
  failures: number;
  /** Losses in a row of subscriptions that did not last: {@link countShortLives}. */
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
function initialProgress(watermark: string | undefined, journal?: StreamJournal): StreamProgress {
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
export function heard(course: StreamProgress): void {
  const heardAt = asyncScheduler.now() - ON_THE_WAY_MS;
  course.since = new Date(Math.max(course.since?.getTime() ?? heardAt, heardAt));
  course.failures = 0;
  course.hasAnswered = true;
}

/** Saves how far the stream has come, when what came before was processed, and completes when that is done. */
export function reached(course: StreamProgress): Observable<never> {
  return defer(() => {
    const { journal, watermark, since } = course;
    journal?.reached({ watermark, since: since?.getTime() });
    return journal?.saved() ?? EMPTY;
  });
}

/** Notes that the subscription in use is lost, if there is one. */
export function lost(course: StreamProgress): void {
  const { subscribedAt } = course;
  if (subscribedAt !== undefined)
    course.losses = countShortLives(course.losses, asyncScheduler.now() - subscribedAt);
  course.subscribedAt = undefined;
}

/**
 * Returns an Observable that emits once when the next attempt may be made, after so many failures in a row; the time
 * that the server asks for is bounded.
 */
export function backoffTimer(
  pause: Pause,
  { maxRetryAfterMs = DEFAULT_MAX_RETRY_AFTER_MS }: RetryPolicy,
  failures: number,
  { delayMs = 0 }: EwsDecision,
): Observable<unknown> {
  return pause(failures, { retryAfterMs: Math.min(delayMs, maxRetryAfterMs) });
}

/** The event that tells of a gap at this place of the course. */
export function gapEvent({ since }: StreamProgress, subscriptionId: string, reason: GapReason): GapEvent {
  return { type: 'gap', subscriptionId, reason, ...(since === undefined ? {} : { since }) };
}

/** Where a stream begins. */
interface Beginning {
  readonly checkpoint: Checkpoint | undefined;
  /** Where to begin if the checkpoint says nothing. */
  readonly watermark: string | undefined;
}

/**
 * Returns an Observable that mirrors what `follow` makes of the course of a stream at its beginning: where the
 * checkpoint says that the last has come to. Where there is a checkpoint, it is in use so long.
 */
export function withProgress(
  { ledger }: EwsSession,
  { checkpoint, watermark }: Beginning,
  canResume: boolean,
  follow: (course: StreamProgress) => Observable<EwsEvent>,
): Observable<EwsEvent> {
  if (checkpoint === undefined) return defer(() => follow(initialProgress(watermark)));
  return journal(STREAM_JOURNAL, checkpoint, ledger).pipe(
    switchMap((kept) => {
      const { watermark: reached, since } = kept.place;
      const course = initialProgress((canResume ? reached : undefined) ?? watermark, kept);
      course.since = since === undefined ? undefined : new Date(since);
      if (kept.isContinued && course.watermark === undefined) course.gap = 'subscriptionLost';
      return follow(course);
    }),
  );
}
