import { defer, type Observable } from 'rxjs';
import { shareWithGrace } from '../core/shareWithGrace.ts';
import { untilClosed } from '../core/untilClosed.ts';
import type { EwsEvent } from './events.ts';
import { checkSubscription } from './exchangeVersion.ts';
import { type ExchangeService, internalsOf } from './service.ts';
import { streamingCourse } from './streamingCourse.ts';
import { type StreamingOptions, streamingPlan } from './streamingOptions.ts';

/**
 * Returns an Observable that makes a streaming subscription on the server for each subscriber, emits its
 * events as they arrive, and removes it with Unsubscribe when the subscription ends, however it ends.
 *
 * The streaming subscriptions of a service share its connections, up to 200 on each; how many connections
 * there may be is told by `streaming.maxConnections` of {@link exchange}. A connection that ends is opened
 * again at once, with the same subscriptions. Events come in the server's order, of all types mixed; a
 * `status` event says that there was nothing new. A streaming subscription cannot resume: where events may be
 * missing, because the connection broke, fell silent or could not be read, or the server lost the
 * subscription, a `gap` event stands in their place.
 *
 * What passes by itself is tried again with backoff: without end once the server has accepted a
 * subscription, up to the `retries` of the service (4 where it names none) before. A subscription that the
 * server lost is made again. Everything else errors: with a {@link SoapFault} or an {@link EwsError} for what
 * the server refuses, with a `ConnectionsFullError` where the connections have no place for it, with
 * the errors of the core for what is no EWS. It completes only when the service is closed. What becomes of
 * the subscription on the server is told in `service.releases`.
 *
 * Page: "How to: Stream notifications about mailbox events by using EWS in Exchange".
 *
 * @example
 * ```ts
 * import { exchange, streamingNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const server = ewsSimulator();
 * const service = exchange({ url: server.url, transport: server.transport });
 * const watching = streamingNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe(
 *   async ({ type }) => {
 *     console.log(type);
 *     watching.unsubscribe();
 *     console.log((await service.drain()).clean, server.subscriptions.length);
 *   },
 * );
 * server.deliverMail();
 * // prints: newMail
 * // prints: true 0
 * ```
 *
 * @param service What {@link exchange} returned.
 * @throws TypeError that names the option, for one that cannot be used.
 */
export function streamingNotifications(
  service: ExchangeService,
  options: StreamingOptions,
): Observable<EwsEvent> {
  const internals = internalsOf(service);
  const plan = streamingPlan(options);
  checkSubscription(internals.version, plan.request);
  const events$ = defer(() => streamingCourse(internals, plan)).pipe(
    untilClosed<EwsEvent>(internals.ledger, 'streamingNotifications'),
  );
  return plan.graceMs === undefined ? events$ : events$.pipe(shareWithGrace(internals.ledger, plan.graceMs));
}
