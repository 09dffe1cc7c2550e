import type { Observable } from 'rxjs';
import type { EwsEvent } from '../protocol/events.ts';
import { type Exchange, sessionOf } from '../session/session.ts';
import { notifications } from '../subscription/notifications.ts';
import { subscription } from '../subscription/subscription.ts';
import { getEventsLoop } from './getEvents.ts';
import { type PullOptions, resolvePullOptions } from './options.ts';

/**
 * Returns an Observable of the events of a pull subscription, which it polls.
 *
 * Each subscriber has a subscription on the server. It is removed with Unsubscribe when the Observable's
 * subscription ends, however it ends.
 *
 * Events are emitted in the server's order. The first GetEvents is sent right after Subscribe. A `status`
 * event means that nothing has happened, so `timeout({ each })` detects silence. A `gap` event marks a
 * position at which events may be missing.
 *
 * A GetEvents that is not answered within the `limits` of the connection is sent again. If the server has no
 * watermarks, the response may have contained events, so a new subscription replaces the old one, with a
 * `gap`.
 *
 * Transient failures are retried with backoff: without limit after the server has accepted a subscription,
 * and up to `retries` times (4 by default) before. A lost subscription is re-created from the last watermark.
 * All other failures are errors: a {@link SoapFault} or an {@link EwsError} for a refusal by the server, and
 * errors of the core for a response that is not EWS. The Observable completes only when the connection is
 * closed. `exchange.releases` emits the outcome of each removal.
 *
 * @see [EWS] How to: Pull notifications about mailbox events by using EWS in Exchange
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
 * @param exchange Returned by {@link connectExchange}.
 * @throws TypeError that names the option that cannot be used.
 */
export function pullNotifications(exchange: Exchange, options: PullOptions): Observable<EwsEvent> {
  const session = sessionOf(exchange);
  const resolved = resolvePullOptions(options);
  const { request, timeoutMs } = resolved;
  return notifications(session, resolved, (server, stream) =>
    subscription(server, stream, {
      type: 'pull',
      request: (watermark) => ({ ...request, watermark }),
      expiresAt: (respondedAt) => respondedAt + timeoutMs,
      ifLost:
        'The server may hold a subscription whose id is unknown; it expires ' +
        `${request.timeoutMinutes} minutes after it was created.`,
      events: (id, lease) => getEventsLoop(server, resolved, stream, id, lease),
    }),
  );
}
