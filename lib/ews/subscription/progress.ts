import type { GapEvent, GapReason } from '../protocol/events.ts';
import type { EwsDecision, FailureContext } from '../protocol/failures.ts';

/** How far a stream of notifications has come, across all its subscriptions on the server. */
export interface StreamProgress extends FailureContext {
  /** Resumes the next request; undefined if the server sends no watermarks, or to start with new events. */
  readonly watermark: string | undefined;
  /** The gap to emit when the next subscription exists. */
  readonly gap: GapReason | undefined;
  /** No earlier event is missing: milliseconds of the scheduler's clock. */
  readonly completeUntil: number | undefined;
  /** Failures in a row. */
  readonly failures: number;
  /** Short-lived subscriptions in a row: {@link countShortLives}. */
  readonly shortLives: number;
  /** When the server accepted the current subscription, in milliseconds; undefined while there is none. */
  readonly subscribedAt: number | undefined;
  /** Whether the server has ever accepted a subscription. */
  readonly hasSubscribed: boolean;
  readonly hasResponded: boolean;
  /** Whether every event is received, as far as the last response says. */
  readonly isCurrent: boolean;
}

/** A change of the progress of a stream. Times are milliseconds of the scheduler's clock. */
export type ProgressInput =
  /** Subscribe is about to be sent. */
  | { readonly type: 'subscribing' }
  /** The server has created a subscription. */
  | {
      readonly type: 'subscribed';
      readonly operation: FailureContext['operation'];
      readonly requestedAt: number;
      readonly now: number;
      readonly watermark: string | undefined;
    }
  /** Events of an incomplete response are about to be emitted. */
  | { readonly type: 'eventsArrived'; readonly watermark: string | undefined }
  /** A GetEvents response is complete. */
  | {
      readonly type: 'polled';
      readonly requestedAt: number;
      readonly watermark: string | undefined;
      readonly moreEvents: boolean;
    }
  /** The server has sent events on its own. */
  | {
      readonly type: 'notified';
      readonly now: number;
      readonly watermark: string | undefined;
      readonly moreEvents: boolean;
    }
  /** The server has accepted a request for the events that it will send. */
  | { readonly type: 'served' }
  /** That request has failed, and will be sent again. */
  | { readonly type: 'disconnected' }
  /** GetEvents failed, and will be sent again. */
  | { readonly type: 'pollFailed' }
  /** The server has answered GetEvents with an error that ends the subscription. */
  | { readonly type: 'refused' }
  /** Events were in a response that was lost, and the server sends them once only. */
  | { readonly type: 'responseLost' }
  /** The subscription ended, or could not be created. */
  | {
      readonly type: 'failed';
      readonly now: number;
      readonly decision: EwsDecision;
      /** Whether a lost subscription resumes from its watermark. */
      readonly canResume: boolean;
    }
  /** The connection is suspended: the subscription was removed. */
  | { readonly type: 'suspended'; readonly canResume: boolean }
  /** The mailbox is on another server now. */
  | { readonly type: 'moved' };

/** A subscription or a connection that has lasted this long did not fail at once. */
const LONG_LIFE_MS = 10_000;
/** How long events may be under way: the silence before says nothing about them. */
const IN_TRANSIT_MS = 10_000;

/** Returns the progress of a stream that has not subscribed. */
export function initialProgress(watermark: string | undefined): StreamProgress {
  return {
    operation: 'Subscribe',
    watermark,
    gap: undefined,
    completeUntil: undefined,
    failures: 0,
    shortLives: 0,
    subscribedAt: undefined,
    hasSubscribed: false,
    hasResponded: false,
    isCurrent: false,
  };
}

/** Returns the progress after an input: a pure function, and the only place that moves a watermark. */
export function transition(progress: StreamProgress, input: ProgressInput): StreamProgress {
  switch (input.type) {
    case 'subscribing':
      return { ...progress, operation: 'Subscribe', hasResponded: false, isCurrent: false };
    case 'subscribed':
      return afterSubscribe(progress, input);
    case 'eventsArrived':
      return { ...progress, watermark: input.watermark ?? progress.watermark };
    case 'polled':
      return {
        ...progress,
        watermark: input.watermark ?? progress.watermark,
        completeUntil: input.moreEvents ? progress.completeUntil : input.requestedAt,
        failures: 0,
        hasResponded: true,
        isCurrent: true,
      };
    case 'notified':
      return {
        ...progress,
        watermark: input.watermark ?? progress.watermark,
        completeUntil: input.moreEvents ? progress.completeUntil : silentUntil(progress, input.now),
        failures: 0,
        hasResponded: true,
        isCurrent: true,
      };
    case 'served':
      return { ...progress, isCurrent: true };
    case 'disconnected':
      return { ...progress, isCurrent: false };
    case 'pollFailed':
      return { ...progress, failures: progress.failures + 1, isCurrent: false };
    case 'refused':
      return { ...progress, failures: 0, isCurrent: false };
    case 'responseLost':
      return { ...progress, gap: progress.gap ?? 'responseLost', isCurrent: false };
    case 'failed':
      return afterFailure(progress, input);
    case 'suspended': {
      const ended = { ...progress, subscribedAt: undefined };
      return input.canResume && ended.watermark !== undefined ? ended : fromNow(ended, 'suspended');
    }
    case 'moved':
      return fromNow(progress, 'mailboxMoved');
  }
}

type Input<Type extends ProgressInput['type']> = Extract<ProgressInput, { readonly type: Type }>;

function afterSubscribe(
  progress: StreamProgress,
  { operation, requestedAt, now, watermark }: Input<'subscribed'>,
): StreamProgress {
  // A stream that resumes keeps its own watermark, whatever the server says.
  const isResumed = progress.watermark !== undefined;
  return {
    ...progress,
    operation,
    watermark: isResumed ? progress.watermark : watermark,
    completeUntil: isResumed ? progress.completeUntil : requestedAt,
    gap: undefined,
    subscribedAt: now,
    hasSubscribed: true,
  };
}

/** The clock may have been set back. */
function silentUntil({ completeUntil }: StreamProgress, now: number): number {
  return Math.max(completeUntil ?? -Infinity, now - IN_TRANSIT_MS);
}

function afterFailure(
  progress: StreamProgress,
  { now, decision: { action, gap }, canResume }: Input<'failed'>,
): StreamProgress {
  const { subscribedAt, shortLives, watermark } = progress;
  const failed = {
    ...progress,
    failures: progress.failures + 1,
    shortLives: subscribedAt === undefined ? shortLives : countShortLives(shortLives, now - subscribedAt),
    subscribedAt: undefined,
    isCurrent: false,
  };
  const startsFromNow =
    action === 'resubscribeFromNow' ||
    action === 'resubscribeDelayed' ||
    (action === 'resubscribe' && (!canResume || watermark === undefined));
  return startsFromNow ? fromNow(failed, gap) : failed;
}

/** A stream that has not started has no gap. */
function fromNow(progress: StreamProgress, gap: GapReason | undefined): StreamProgress {
  const hasStarted = progress.hasSubscribed || progress.watermark !== undefined;
  return {
    ...progress,
    watermark: undefined,
    gap: progress.gap ?? (hasStarted ? gap : undefined),
    isCurrent: false,
  };
}

/**
 * Returns how many short lives of a subscription or a connection have ended in a row.
 *
 * Only a life of ten seconds restarts the count. Responses do not: a server can answer each subscription once
 * and lose it right after.
 *
 * @param before The count before this end.
 * @param lastedMs How long the life lasted, in milliseconds.
 */
export function countShortLives(before: number, lastedMs: number): number {
  return lastedMs >= LONG_LIFE_MS ? 1 : before + 1;
}

/** Returns the event for a gap at this position of the stream. */
export function gapEvent(
  { completeUntil }: StreamProgress,
  subscriptionId: string,
  reason: GapReason,
): GapEvent {
  return {
    type: 'gap',
    subscriptionId,
    reason,
    ...(completeUntil === undefined ? {} : { since: new Date(completeUntil) }),
  };
}
