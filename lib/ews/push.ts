import { defer, isObservable, type Observable } from 'rxjs';
import { invalidOption } from '../core/options.ts';
import { shareWithGrace } from '../core/shareWithGrace.ts';
import { untilClosed } from '../core/untilClosed.ts';
import type { EwsEvent } from './events.ts';
import type { IncomingNotification } from './incomingNotification.ts';
import { pushCourse } from './pushCourse.ts';
import { type PushOptions, pushPlan } from './pushOptions.ts';
import { routerOf } from './pushRouter.ts';
import { checkSubscription } from './exchangeVersion.ts';
import { type ExchangeService, internalsOf } from './service.ts';

/**
 * Returns an Observable of the events that a server posts for a push subscription.
 *
 * Each subscriber has a subscription of its own on the server. It ends when the Observable's subscription ends,
 * however it ends. Each post is answered after its events were emitted, and the answer to a post is the only way to
 * end a push subscription. Unsubscribing while an event is emitted ends it with the answer to that very post.
 * Otherwise `service.releases` counts it as pending until the server posts again, for `statusFrequencyMinutes` at
 * most. If the server does not post any more, it has given the subscription up by then: the outcome is `Expired`.
 *
 * The library adds a secret to `callbackUrl`, other random bits for each subscription. A post without the secret of a
 * subscription reaches none, and is answered so that its server ends the subscription that it is for. So the
 * subscriptions that another process has left end, too. See `callbackSecret` for a URL that cannot have a query.
 *
 * A `status` event means that nothing has happened. Events that the server posts twice, because it missed the
 * answer, are emitted once. After silence, and when the server has lost the subscription, it is re-created from the
 * last watermark; a `gap` event marks the position at which events may be missing. Errors are those of
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
 * @param incoming The posts to `callbackUrl`, such as `incoming$` of a `pushListener`. One serves many subscriptions,
 * of several services too: give all of them the same Observable, not one derived from it for each.
 * @throws TypeError that names the option, for one that cannot be used.
 */
export function pushNotifications(
  service: ExchangeService,
  options: PushOptions,
  incoming: Observable<IncomingNotification>,
): Observable<EwsEvent> {
  const internals = internalsOf(service);
  const plan = pushPlan(options);
  checkSubscription(internals.version, plan.request);
  if (!isObservable(incoming)) throw invalidOption('incoming', incoming, 'an Observable of notifications');
  const router = routerOf(incoming);
  const events$ = defer(() => pushCourse(internals, plan, router)).pipe(
    untilClosed<EwsEvent>(internals.ledger, 'pushNotifications'),
  );
  return plan.graceMs === undefined ? events$ : events$.pipe(shareWithGrace(internals.ledger, plan.graceMs));
}
