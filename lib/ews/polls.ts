import {
  asyncScheduler,
  catchError,
  concat,
  EMPTY,
  from,
  mergeMap,
  Observable,
  of,
  repeat,
  throwError,
  timer,
} from 'rxjs';
import type { Lease } from '../core/remoteResource.ts';
import { backOffMs, type Course, gapEvent, reached } from './course.ts';
import { decide } from './decision.ts';
import { getEventsEnvelope } from './envelope.ts';
import { EwsError } from './errors.ts';
import type { PullPlan } from './pullOptions.ts';
import { ANSWER_WITHIN_MS, type ServiceInternals } from './serviceInternals.ts';
import type { EwsEvent, ServerEvent } from './events.ts';
import type { Notification, ResponseMessage } from './wire.ts';

/**
 * Returns an Observable that asks for the events of a subscription: at once, then at the interval, and again
 * at once while there are more. It never completes; it errors where asking again would not help.
 */
export function polls(
  { send, retry: policy, url }: ServiceInternals,
  plan: PullPlan,
  course: Course,
  id: string,
  lease: Lease,
): Observable<EwsEvent> {
  let waitMs = 0;

  const extend = (): void => lease.extendedTo(asyncScheduler.now() + plan.timeoutMs);

  /**
   * Events up to where a question after this answer would go on: behind that the server would tell them again, if
   * the rest is lost. Where it tells no watermarks, it tells nothing again.
   */
  const upToWatermark = (held: ServerEvent[]): readonly ServerEvent[] => {
    const last = held.findLastIndex(({ watermark }) => watermark !== undefined);
    const { watermark } = held[last] ?? {};
    if (watermark === undefined && course.watermark === undefined) return held.splice(0);
    course.watermark = watermark ?? course.watermark;
    return held.splice(0, last + 1);
  };

  const taken = (
    answer: ResponseMessage,
    held: readonly ServerEvent[],
    askedAt: number,
  ): Observable<EwsEvent> => {
    const events = [
      ...held,
      ...answer.notifications.flatMap((notification) => eventsOf(notification, id, url)),
    ];
    const moreEvents = answer.notifications.some((notification) => notification.moreEvents);
    extend();
    course.watermark =
      answer.notifications.at(-1)?.skippedWatermark ??
      events.findLast(({ watermark }) => watermark !== undefined)?.watermark ??
      course.watermark;
    course.failures = 0;
    course.hasAnswered = true;
    if (!moreEvents) course.since = new Date(askedAt);
    waitMs = moreEvents ? 0 : plan.intervalMs;
    return concat(from(events), reached(course));
  };

  const failed = (error: unknown, mayHaveActed: boolean): Observable<EwsEvent> => {
    const decision = decide(error, course);
    if (decision.action === 'goOn') {
      waitMs = plan.intervalMs;
      return of(gapEvent(course, id, decision.gap ?? 'eventsMissed'));
    }
    if (decision.action !== 'backOff') return throwError(() => error);
    course.failures += 1;
    waitMs = backOffMs(policy, course.failures, decision);
    // A server without watermarks hands events out once: they may have been in the answer that was lost.
    return mayHaveActed && course.watermark === undefined ? of(gapEvent(course, id, 'answerLost')) : EMPTY;
  };

  const poll$ = new Observable<EwsEvent>((subscriber) => {
    const askedAt = asyncScheduler.now();
    let mayHaveActed = false;
    const held: ServerEvent[] = [];
    // The server counts from the question, even from one whose answer is lost or aborted.
    extend();
    send({
      name: 'GetEvents',
      envelope: (head) => getEventsEnvelope(head, id, course.watermark ?? ''),
      onProgress: (progress) => (mayHaveActed = progress === 'sent'),
      answerWithinMs: ANSWER_WITHIN_MS,
      onEvents: (events) => {
        held.push(...events.filter(({ subscriptionId }) => subscriptionId === id));
        for (const event of upToWatermark(held)) subscriber.next(event);
      },
    })
      .pipe(
        mergeMap((answer) => taken(answer, held, askedAt)),
        catchError((error: unknown) => failed(error, mayHaveActed)),
      )
      .subscribe(subscriber);
  });

  return poll$.pipe(repeat({ delay: () => timer(waitMs) }));
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
