import type { Observable } from 'rxjs';
import type { Course } from './course.ts';
import type { EwsEvent } from './events.ts';
import { polls } from './polls.ts';
import type { PullPlan } from './pullOptions.ts';
import type { ServiceInternals } from './serviceInternals.ts';
import { subscription } from './subscription.ts';

/**
 * Returns an Observable that makes one pull subscription, emits its events, and removes it. It errors with
 * whatever ends it before its subscriber does.
 */
export function pullSubscription(
  internals: ServiceInternals,
  plan: PullPlan,
  course: Course,
): Observable<EwsEvent> {
  return subscription(internals, course, {
    resource: 'PullSubscription',
    request: (watermark) => ({ ...plan.request, watermark }),
    expiresAt: (answeredAt) => answeredAt + plan.timeoutMs,
    ifLost:
      'The server may hold a subscription whose id nobody knows; it ends by itself ' +
      `${plan.request.timeoutMinutes} minutes after it was asked for.`,
    operation: 'GetEvents',
    events: (id, lease) => polls(internals, plan, course, id, lease),
  });
}
