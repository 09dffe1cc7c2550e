import { asyncScheduler, Observable, type Subscriber } from 'rxjs';
import { connectionsOf } from './connections.ts';
import { type Course, gapEvent, heard, reached } from './course.ts';
import type { EwsEvent } from './events.ts';
import { resubscribing } from './resubscribing.ts';
import type { ServiceCore, ServiceInternals } from './serviceInternals.ts';
import type { StreamingPlan } from './streamingOptions.ts';
import { startedCourse } from './startedCourse.ts';
import { subscription } from './subscription.ts';

/**
 * How long a server keeps a subscription that no connection asks for any more, at most. No page tells; the
 * servers that were seen keep it for 5 minutes, and this is the longest that a connection may last.
 */
const KEPT_MS = 30 * 60_000;

/**
 * Returns an Observable that keeps one streaming subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
export function streamingCourse(service: ServiceCore, plan: StreamingPlan): Observable<EwsEvent> {
  const beginning = { checkpoint: plan.checkpoint, watermark: undefined };
  return startedCourse(service, beginning, false, (course) =>
    resubscribing(service, course, false, (here) => {
      let leave = (): void => undefined;
      return subscription(here, course, {
        resource: 'StreamingSubscription',
        request: () => plan.request,
        // Until its release there is a connection that asks for it.
        expiresAt: () => asyncScheduler.now() + KEPT_MS,
        ifLost:
          'The server may hold a subscription whose id nobody knows; it ends by itself when no connection has ' +
          'asked for it for some time.',
        operation: 'GetStreamingEvents',
        events: (id) =>
          new Observable((subscriber) => {
            leave = join(here, plan, course, id, subscriber);
            return leave;
          }),
        leave: () => leave(),
      });
    }),
  );
}

/** Takes a place on a connection for one subscription; the returned function leaves it. */
function join(
  internals: ServiceInternals,
  { connectionMinutes }: StreamingPlan,
  course: Course,
  id: string,
  subscriber: Subscriber<EwsEvent>,
): () => void {
  return connectionsOf(internals).join({
    id,
    connectionMinutes,
    next: (events) => {
      heard(course);
      for (const event of events) subscriber.next(event);
      // The connection goes on while that is saved.
      reached(course).subscribe({ error: (error: unknown) => subscriber.error(error) });
    },
    missed: (reason) => subscriber.next(gapEvent(course, id, reason)),
    fail: (error) => subscriber.error(error),
  });
}
