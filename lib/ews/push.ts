import { defer, isObservable, type Observable } from 'rxjs';
import { invalidOption } from '../core/options.ts';
import { shareWithGrace } from '../core/shareWithGrace.ts';
import { untilClosed } from '../core/untilClosed.ts';
import type { EwsEvent } from './events.ts';
import type { IncomingNotification } from './incomingNotification.ts';
import { pushCourse } from './pushCourse.ts';
import { type PushOptions, pushPlan } from './pushOptions.ts';
import { routerOf } from './pushRouter.ts';
import { type ExchangeService, internalsOf } from './service.ts';

/**
 * Returns an Observable that makes a push subscription on the server for each subscriber, emits what the server
 * posts for it, and tells the server to end it when the subscription ends, however it ends.
 *
 * Each post is answered when its events were emitted. A push subscription cannot be removed with Unsubscribe:
 * it ends when a post is answered so. Who unsubscribes while an event is emitted ends it with the answer to
 * that very post; else it stands in `service.releases` as pending until the server posts again, which takes
 * `statusFrequencyMinutes` at most. If the server does not post any more, it has given the subscription up by
 * then, and the ledger says `Expired`. Posts for subscriptions that nobody knows, such as of a process before
 * this one, are answered so that they end, too.
 *
 * A `status` event says that there was nothing new. What the server posts twice, because it missed the answer,
 * is emitted once. After silence, and where the server has lost the subscription, it is made again from the
 * last watermark; where events may be missing, a `gap` event stands in their place. Errors are those of
 * `pullNotifications`; if `incoming` errors or completes, the Observable errors.
 *
 * Page: "Notification subscriptions, mailbox events, and EWS in Exchange".
 *
 * @example
 * ```ts
 * import { exchange, pushNotifications } from 'rxchange/ews';
 * import { ewsSimulator, pushCallback } from 'rxchange/testing';
 *
 * // In an application: const { handler, incoming$ } = pushListener(), and createServer(handler).listen(443).
 * const { transport, incoming$ } = pushCallback();
 * const server = ewsSimulator({ push: transport });
 * const service = exchange({ url: server.url, transport: server.transport });
 * const watching = pushNotifications(
 *   service,
 *   { folders: ['inbox'], events: ['newMail'], callbackUrl: 'https://me.contoso.com/notified' },
 *   incoming$,
 * ).subscribe(({ type }) => {
 *   console.log(type);
 *   if (type === 'newMail') watching.unsubscribe();
 * });
 * // prints: status
 * server.deliverMail();
 * // prints: newMail
 * console.log((await service.drain()).clean, server.subscriptions.length);
 * // prints: true 0
 * ```
 *
 * @param service What {@link exchange} returned.
 * @param incoming What is posted to `callbackUrl`, such as `incoming$` of a `pushListener`. One serves
 * many subscriptions, of several services too: give all of them the same Observable, not one made of it each.
 * @throws TypeError that names the option, for one that cannot be used.
 */
export function pushNotifications(
  service: ExchangeService,
  options: PushOptions,
  incoming: Observable<IncomingNotification>,
): Observable<EwsEvent> {
  const internals = internalsOf(service);
  const plan = pushPlan(options);
  if (!isObservable(incoming)) throw invalidOption('incoming', incoming, 'an Observable of notifications');
  const router = routerOf(incoming);
  const events$ = defer(() => pushCourse(internals, plan, router)).pipe(
    untilClosed<EwsEvent>(internals.ledger, 'pushNotifications'),
  );
  return plan.graceMs === undefined ? events$ : events$.pipe(shareWithGrace(internals.ledger, plan.graceMs));
}
