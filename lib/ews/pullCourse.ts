import type { Observable } from 'rxjs';
import type { EwsEvent } from './events.ts';
import type { PullPlan } from './pullOptions.ts';
import { pullSubscription } from './pullSubscription.ts';
import { resubscribing } from './resubscribing.ts';
import type { ServiceCore } from './serviceInternals.ts';
import { startedCourse } from './startedCourse.ts';

/**
 * Returns an Observable that keeps one pull subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
export function pullCourse(service: ServiceCore, plan: PullPlan): Observable<EwsEvent> {
  const { checkpoint, request, resume } = plan;
  return startedCourse(service, { checkpoint, watermark: request.watermark }, true, (course) =>
    resubscribing(service, course, resume, (here) => pullSubscription(here, plan, course)),
  );
}
