import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  mergeMap,
  Observable,
  of,
  throwError,
} from 'rxjs';
import type { Lease } from '../../core/lifecycle/remoteResource.ts';
import { backoffTimer, type StreamProgress, gapEvent, reached } from '../subscription/progress.ts';
import { decideFailure } from '../protocol/failures.ts';
import { getEventsEnvelope } from '../protocol/envelope.ts';
import { EwsError } from '../protocol/errors.ts';
import { nextPace, type PollPace } from './pollPace.ts';
import type { ResolvedPullOptions } from './options.ts';
import type { ServerSession } from '../session/session.ts';
import type { EwsEvent, ServerEvent } from '../protocol/events.ts';
import type { Notification, ResponseMessage } from '../protocol/messages.ts';

/** The questions for one subscription: a record for the functions of this file. */
interface Polling {
  readonly service: ServerSession;
  readonly plan: ResolvedPullOptions;
  readonly course: StreamProgress;
  readonly id: string;
  readonly lease: Lease;
  /** When to ask next, after an answer. */
  pace: PollPace;
  /** Emits when to ask next, after a failure. */
  again$: Observable<unknown> | undefined;
}

/**
 * Returns an Observable that asks for the events of a subscription: at once, then at the interval, and again
 * at once while there are more, as {@link nextPace} says. It never completes; it errors where asking again would not help.
 */
export function getEventsLoop(
  service: ServerSession,
  plan: ResolvedPullOptions,
  course: StreamProgress,
  id: string,
  lease: Lease,
): Observable<EwsEvent> {
  return new Observable((subscriber) => {
    const polling: Polling = {
      service,
      plan,
      course,
      id,
      lease,
      pace: { waitMs: 0, immediate: 0 },
      again$: undefined,
    };
    const ask = (): void => {
      polling.again$ = undefined;
      const asking$ = new Observable<EwsEvent>((inner) => {
        // Added before it is subscribed to: who leaves in the middle of an answer has taken no more of it.
        subscriber.add(inner);
        poll(polling).subscribe(inner);
      });
      asking$.subscribe({
        next: (event) => subscriber.next(event),
        error: (error: unknown) => subscriber.error(error),
        complete: next,
      });
    };
    const next = (): void => {
      if (polling.again$ === undefined) service.timers.set(polling.pace.waitMs, ask);
      else subscriber.add(polling.again$.subscribe(ask));
    };
    subscriber.add(() => service.timers.clear(polling.pace.waitMs, ask));
    ask();
  });
}

/** One question, and the events of its answer. */
function poll(polling: Polling): Observable<EwsEvent> {
  const { service, course, id } = polling;
  return new Observable<EwsEvent>((subscriber) => {
    const askedAt = asyncScheduler.now();
    let mayHaveActed = false;
    const held: ServerEvent[] = [];
    let early = 0;
    // The server counts from the question, even from one whose answer is lost or aborted.
    extend(polling);
    service
      .send({
        name: 'GetEvents',
        envelope: (head) => getEventsEnvelope(head, id, course.watermark ?? ''),
        onProgress: (progress) => (mayHaveActed = progress === 'sent'),
        onEvents: (events) => {
          held.push(...events.filter(({ subscriptionId }) => subscriptionId === id));
          for (const event of certain(held, polling)) {
            if (event.type !== 'status') early += 1;
            subscriber.next(event);
          }
        },
      })
      .pipe(
        mergeMap((answer) => {
          const taken$ = defer(() => taken(polling, answer, { held, early, askedAt }));
          return mayBeAnothers(polling) ? concat(service.subscriptionIds.settled(), taken$) : taken$;
        }),
        catchError((error: unknown) => failed(polling, error, mayHaveActed)),
      )
      .subscribe(subscriber);
  });
}

function extend({ lease, plan }: Polling): void {
  lease.extendedTo(asyncScheduler.now() + plan.timeoutMs);
}

/**
 * Where no watermarks are told, ids may start again: while one is on its way, it may be this one, and the events
 * those of the subscription that gets it.
 */
function mayBeAnothers({ service: { subscriptionIds: claims }, course }: Polling): boolean {
  return course.watermark === undefined && claims.isAwaitingId;
}

/**
 * What may be told before the answer is whole: events up to where a question after this answer would go on, for
 * behind that the server would tell them again, if the rest is lost. Where it tells no watermarks, it tells
 * nothing again.
 */
function certain(held: ServerEvent[], polling: Polling): readonly ServerEvent[] {
  const { course } = polling;
  const last = held.findLastIndex(({ watermark }) => watermark !== undefined);
  const { watermark } = held[last] ?? {};
  if (watermark === undefined && course.watermark === undefined)
    return mayBeAnothers(polling) ? [] : held.splice(0);
  course.watermark = watermark ?? course.watermark;
  return held.splice(0, last + 1);
}

/** What is known of a question when its answer is complete. */
interface Asked {
  /** The events that were read early, but are not emitted yet. */
  readonly held: readonly ServerEvent[];
  /** How many events were emitted early, except `status`. */
  readonly early: number;
  readonly askedAt: number;
}

function taken(
  polling: Polling,
  answer: ResponseMessage,
  { held, early, askedAt }: Asked,
): Observable<EwsEvent> {
  const { service, plan, course, id } = polling;
  const events = [
    ...held,
    ...answer.notifications.flatMap((notification) => eventsOf(notification, id, service.url)),
  ];
  const moreEvents = answer.notifications.some((notification) => notification.moreEvents);
  extend(polling);
  course.watermark =
    answer.notifications.at(-1)?.unknownLastWatermark ??
    events.findLast(({ watermark }) => watermark !== undefined)?.watermark ??
    course.watermark;
  course.failures = 0;
  course.hasAnswered = true;
  if (!moreEvents) course.since = new Date(askedAt);
  const skipped = answer.notifications.reduce(
    (sum, notification) => sum + (notification.unknownWatermarks?.length ?? 0),
    0,
  );
  const brought = early + skipped + events.filter(({ type }) => type !== 'status').length;
  polling.pace = nextPace(polling.pace, { moreEvents, events: brought }, plan.intervalMs);
  return concat(from(events), reached(course));
}

function failed(polling: Polling, error: unknown, mayHaveActed: boolean): Observable<EwsEvent> {
  const { service, plan, course, id } = polling;
  const decision = decideFailure(error, course);
  if (decision.action === 'continue') {
    polling.pace = { waitMs: plan.intervalMs, immediate: 0 };
    return of(gapEvent(course, id, decision.gap ?? 'eventsMissed'));
  }
  if (decision.action !== 'retry') {
    // The server answers: the failures before were those of the network.
    course.failures = 0;
    return throwError(() => error);
  }
  // A server without watermarks hands events out once: they may have been in the answer that was lost. And the
  // question may get there only later, and take what has happened by then: so the next one is for another.
  if (mayHaveActed && course.watermark === undefined) {
    course.gap ??= 'responseLost';
    return throwError(() => error);
  }
  course.failures += 1;
  polling.again$ = backoffTimer(service.backoff.pause, service.retry, course.failures, decision);
  return EMPTY;
}

/** Ids start again with some servers, so an answer is taken only if it is for this subscription. */
function eventsOf({ subscriptionId, events }: Notification, id: string, url: string): Notification['events'] {
  if (subscriptionId === id) return events;
  throw new EwsError(
    { operation: 'GetEvents', url },
    {
      responseCode: 'ErrorReadEventsFailed',
      messageText: 'The answer was for another subscription.',
      values: new Map(),
    },
  );
}
