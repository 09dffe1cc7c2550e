import { asyncScheduler, defer, Observable, type Subscriber } from 'rxjs';
import { shareWithGrace, untilClosed } from '../../core/lifecycle/closing.ts';
import { type Exchange, sessionOf, type EwsSession, type ServerSession } from '../session/session.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { checkSubscription } from '../protocol/version.ts';
import { type StreamProgress, gapEvent, heard, reached, withProgress } from '../subscription/progress.ts';
import { resubscribe } from '../subscription/resubscribe.ts';
import { subscription } from '../subscription/subscription.ts';
import { type StreamingOptions, type ResolvedStreamingOptions, resolveStreamingOptions } from './options.ts';
import { connectionPool } from './pool.ts';

/**
 * How long a server keeps a subscription that no connection asks for any more, at most. No page tells; the
 * servers that were seen keep it for 5 minutes, and this is the longest that a connection may last.
 */
const KEPT_MS = 30 * 60_000;

/**
 * Returns an Observable that keeps one streaming subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
function streamingStream(service: EwsSession, plan: ResolvedStreamingOptions): Observable<EwsEvent> {
  const beginning = { checkpoint: plan.checkpoint, watermark: undefined };
  return withProgress(service, beginning, false, (course) =>
    resubscribe(service, course, false, (here) => {
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
  internals: ServerSession,
  { connectionMinutes }: ResolvedStreamingOptions,
  course: StreamProgress,
  id: string,
  subscriber: Subscriber<EwsEvent>,
): () => void {
  return connectionPool(internals).join({
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
 * import { connectExchange, streamingNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const server = ewsSimulator();
 * const exchange = connectExchange({ server: server.url, transport: server.transport });
 * const watching = streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe(
 *   async ({ type }) => {
 *     console.log(type);
 *     watching.unsubscribe();
 *     console.log((await exchange.drain()).clean, server.subscriptions.length);
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
export function streamingNotifications(service: Exchange, options: StreamingOptions): Observable<EwsEvent> {
  const internals = sessionOf(service);
  const plan = resolveStreamingOptions(options);
  checkSubscription(internals.version, plan.request);
  const events$ = defer(() => streamingStream(internals, plan)).pipe(
    untilClosed<EwsEvent>(internals.ledger, 'streamingNotifications'),
  );
  return plan.graceMs === undefined ? events$ : events$.pipe(shareWithGrace(internals.ledger, plan.graceMs));
}
