import { defer, type Observable } from 'rxjs';
import { shareWithGrace, untilClosed } from '../../core/lifecycle/closing.ts';
import { type Exchange, sessionOf, type EwsSession, type ServerSession } from '../session/session.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { checkSubscription } from '../protocol/version.ts';
import { type StreamProgress, withProgress } from '../subscription/progress.ts';
import { resubscribe } from '../subscription/resubscribe.ts';
import { subscription } from '../subscription/subscription.ts';
import { getEventsLoop } from './getEvents.ts';
import { type PullOptions, type ResolvedPullOptions, resolvePullOptions } from './options.ts';

/**
 * Returns an Observable that makes one pull subscription, emits its events, and removes it. It errors with
 * whatever ends it before its subscriber does.
 */
function pullSubscription(
  internals: ServerSession,
  plan: ResolvedPullOptions,
  course: StreamProgress,
): Observable<EwsEvent> {
  return subscription(internals, course, {
    resource: 'PullSubscription',
    request: (watermark) => ({ ...plan.request, watermark }),
    expiresAt: (answeredAt) => answeredAt + plan.timeoutMs,
    ifLost:
      'The server may hold a subscription whose id nobody knows; it ends by itself ' +
      `${plan.request.timeoutMinutes} minutes after it was asked for.`,
    operation: 'GetEvents',
    events: (id, lease) => getEventsLoop(internals, plan, course, id, lease),
  });
}

/**
 * Returns an Observable that keeps one pull subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
function pullStream(service: EwsSession, plan: ResolvedPullOptions): Observable<EwsEvent> {
  const { checkpoint, request, resume } = plan;
  return withProgress(service, { checkpoint, watermark: request.watermark }, true, (course) =>
    resubscribe(service, course, resume, (here) => pullSubscription(here, plan, course)),
  );
}

/**
 * Returns an Observable that makes a pull subscription on the server for each subscriber, asks it for events
 * at an interval, and removes it with Unsubscribe when the subscription ends, however it ends.
 *
 * Events come in the server's order, of all types mixed. The first question follows the Subscribe at once; a
 * `status` event says that there was nothing new, so silence can be noticed (`timeout({ each })`). Where
 * events may be missing, a `gap` event stands in their place.
 *
 * A question that is not answered within the `limits` of the service counts as lost, and is asked again; if the
 * server has no watermarks, for a new subscription, because the events may have been in that answer.
 *
 * What passes by itself is tried again with backoff: without end once the server has accepted a
 * subscription, up to the `retries` of the service (4 where it names none) before. A subscription that the
 * server lost is made again, from the last watermark. Everything else errors: with a {@link SoapFault} or an
 * {@link EwsError} for what the server refuses, with the errors of the core for what is no EWS. It completes
 * only when the service is closed. What becomes of the subscription on the server is told in
 * `service.releases`.
 *
 * Page: "How to: Pull notifications about mailbox events by using EWS in Exchange".
 *
 * @example
 * ```ts
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const server = ewsSimulator();
 * const exchange = connectExchange({ server: server.url, transport: server.transport });
 * const watching = pullNotifications(exchange, {
 *   folders: ['inbox'],
 *   events: ['newMail'],
 *   pollIntervalSeconds: 0.05,
 * }).subscribe(async ({ type }) => {
 *   console.log(type);
 *   if (type !== 'newMail') return;
 *   watching.unsubscribe();
 *   console.log((await exchange.drain()).clean, server.subscriptions.length);
 * });
 * server.deliverMail();
 * // prints: status
 * // prints: newMail
 * // prints: true 0
 * ```
 *
 * @param service What {@link exchange} returned.
 * @throws TypeError that names the option, for one that cannot be used.
 */
export function pullNotifications(service: Exchange, options: PullOptions): Observable<EwsEvent> {
  const internals = sessionOf(service);
  const plan = resolvePullOptions(options);
  checkSubscription(internals.version, plan.request);
  const events$ = defer(() => pullStream(internals, plan)).pipe(
    untilClosed<EwsEvent>(internals.ledger, 'pullNotifications'),
  );
  return plan.graceMs === undefined ? events$ : events$.pipe(shareWithGrace(internals.ledger, plan.graceMs));
}
