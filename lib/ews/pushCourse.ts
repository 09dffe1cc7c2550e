import {
  asyncScheduler,
  concat,
  EMPTY,
  from,
  mergeMap,
  type Observable,
  of,
  tap,
  throwError,
  timeout,
} from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import { newSecret, withSecret } from './callbackSecret.ts';
import { type Course, gapEvent, heard, reached } from './course.ts';
import { decide } from './decision.ts';
import { EwsError } from './errors.ts';
import type { EwsEvent } from './events.ts';
import type { PushPlan } from './pushOptions.ts';
import type { PushRouter } from './pushRouter.ts';
import { resubscribing } from './resubscribing.ts';
import { deliveredOnce } from './sendNotification.ts';
import type { ServiceCore, ServiceInternals } from './serviceInternals.ts';
import { startedCourse } from './startedCourse.ts';
import { subscription } from './subscription.ts';
import type { ResponseMessage } from './wire.ts';

/**
 * Returns an Observable that keeps one push subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
export function pushCourse(service: ServiceCore, plan: PushPlan, router: PushRouter): Observable<EwsEvent> {
  const { checkpoint, request, resume } = plan;
  return startedCourse(service, { checkpoint, watermark: request.watermark }, true, (course) =>
    resubscribing(service, course, resume, (here) => pushSubscription(here, plan, course, router)),
  );
}

function pushSubscription(
  internals: ServiceInternals,
  plan: PushPlan,
  course: Course,
  router: PushRouter,
): Observable<EwsEvent> {
  const { silenceMs } = plan;
  const { url } = internals;
  // A new one each time: posts for a subscription that was lost can never reach its successor.
  const secret = plan.hasSecret ? newSecret() : undefined;
  const callbackUrl =
    secret === undefined ? plan.request.callbackUrl : withSecret(plan.request.callbackUrl, secret);
  const line = router.line(secret);
  /** When the server has given the subscription up, if nothing comes. */
  let endsAt: number | undefined;
  return subscription(internals, course, {
    resource: 'PushSubscription',
    request: (watermark) => ({ ...plan.request, callbackUrl, watermark }),
    expiresAt: (answeredAt) => answeredAt + silenceMs,
    ifLost:
      'The server may hold a subscription whose id nobody knows; it is told to end when it next posts to ' +
      'callbackUrl while something here is notified there, and ends by itself where it finds nobody.',
    operation: 'SendNotification',
    prepare: () => line.expect(),
    events: (id, lease) => {
      const deliver = deliveries(internals, course, id);
      const extend = (): void => {
        endsAt = asyncScheduler.now() + silenceMs;
        lease.extendedTo(endsAt);
      };
      extend();
      return line
        .messagesFor(id)
        .pipe(
          timeout({ each: silenceMs, with: () => throwError(() => silentFor(silenceMs, url)) }),
          tap(extend),
          mergeMap(deliver),
        );
    },
    release: (id, isLeft) => {
      const leftMs = (endsAt ?? asyncScheduler.now() + silenceMs) - asyncScheduler.now();
      // The secret of another process is not known: its posts arrive as those of strangers.
      return (isLeft ? router.line(undefined) : line)
        .dismiss(id)
        .pipe(timeout({ first: Math.max(0, leftMs), with: () => throwError(() => neverAsked(url)) }));
    },
  });
}

/** What the messages for one subscription bring: an error of those that another subscription would mend. */
function deliveries(
  { url, noteSkipped }: ServiceInternals,
  course: Course,
  id: string,
): (message: ResponseMessage) => Observable<EwsEvent> {
  const once = deliveredOnce();
  return (message) => {
    if (message.responseClass === 'Error') return refused(message, course, id, url);
    const { notifications } = message;
    const { events, watermark, skipped } = once(notifications);
    noteSkipped(skipped);
    course.watermark = watermark ?? course.watermark;
    const { since } = course;
    heard(course);
    if (notifications.some(({ moreEvents }) => moreEvents)) course.since = since;
    return concat(from(events), reached(course));
  };
}

function refused(message: ResponseMessage, course: Course, id: string, url: string): Observable<EwsEvent> {
  const error = new EwsError({ operation: 'SendNotification', url }, message);
  const { action, gap } = decide(error, course);
  if (action === 'goOn') return of(gapEvent(course, id, gap ?? 'eventsMissed'));
  // There is nothing to ask again: what passes by itself is over when the server posts again.
  return action === 'backOff' ? EMPTY : throwError(() => error);
}

/** A server that was not answered, or cannot reach us, gives a subscription up without telling. */
function silentFor(ms: number, url: string): EwsError {
  return new EwsError(
    { operation: 'SendNotification', url },
    {
      responseCode: 'ErrorReadEventsFailed',
      messageText: `The server has posted nothing for ${ms / 60_000} minutes.`,
      values: new Map(),
    },
  );
}

function neverAsked(url: string): NetworkError {
  return new NetworkError('no notification came that could be answered Unsubscribe', { method: 'POST', url });
}
