import { defer, type Observable } from 'rxjs';
import { newCourse } from './course.ts';
import type { EwsEvent } from './events.ts';
import type { PullPlan } from './pullOptions.ts';
import { pullSubscription } from './pullSubscription.ts';
import { resubscribing } from './resubscribing.ts';
import type { ServiceCore } from './service.ts';

/**
 * Returns an Observable that keeps one pull subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
export function pullCourse(service: ServiceCore, plan: PullPlan): Observable<EwsEvent> {
  return defer(() => {
    const course = newCourse(plan.request.watermark);
    return resubscribing(service, course, plan.resume, (here) => pullSubscription(here, plan, course));
  });
}
