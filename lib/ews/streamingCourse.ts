import { asyncScheduler, defer, Observable, type Subscriber } from 'rxjs';
import { connectionsOf } from './connections.ts';
import { type Course, gapEvent, newCourse } from './course.ts';
import type { EwsEvent } from './events.ts';
import { resubscribing } from './resubscribing.ts';
import type { ServiceCore, ServiceInternals } from './service.ts';
import type { StreamingPlan } from './streamingOptions.ts';
import { subscription } from './subscription.ts';

/** How long something may be on its way, by which what has come says nothing of what has happened. */
const ON_THE_WAY_MS = 10_000;

/**
 * Returns an Observable that keeps one streaming subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
export function streamingCourse(service: ServiceCore, plan: StreamingPlan): Observable<EwsEvent> {
  return defer(() => {
    const course = newCourse(undefined);
    return resubscribing(service, course, false, (here) => {
      let leave = (): void => undefined;
      return subscription(here, course, {
        resource: 'StreamingSubscription',
        request: () => plan.request,
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
    });
  });
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
      const heard = asyncScheduler.now() - ON_THE_WAY_MS;
      course.since = new Date(Math.max(course.since?.getTime() ?? heard, heard));
      course.failures = 0;
      course.hasAnswered = true;
      for (const event of events) subscriber.next(event);
    },
    missed: (reason) => subscriber.next(gapEvent(course, id, reason)),
    fail: (error) => subscriber.error(error),
  });
}
