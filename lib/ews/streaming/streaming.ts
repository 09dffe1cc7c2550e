import { asyncScheduler, Observable } from 'rxjs';
import type { EwsEvent } from '../protocol/events.ts';
import { type Exchange, type ServerSession, sessionOf } from '../session/session.ts';
import { notifications } from '../subscription/notifications.ts';
import type { Stream } from '../subscription/stream.ts';
import { subscription } from '../subscription/subscription.ts';
import type { Member } from './member.ts';
import { connectionPool } from './pool.ts';
import { choiceOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { StreamingSubscriptionRequest } from '../protocol/envelope.ts';
import {
  NOTIFICATION_NAMES,
  type NotificationOptions,
  ON_LOST,
  type OnLost,
  resolveFolders,
  resolveNotificationOptions,
  type ResolvedNotificationOptions,
} from '../subscription/options.ts';

/** Options of `streamingNotifications`. @inline */
export interface StreamingOptions extends NotificationOptions {
  /**
   * How long one request stays open, in whole minutes from 1 to 30; then the next one replaces it. The
   * shortest value among the subscriptions that share a connection applies.
   * @default 30
   */
  readonly connectionMinutes?: number;
}

const NAMES: OptionNames<StreamingOptions> = { ...NOTIFICATION_NAMES, connectionMinutes: 1 };

/** {@link StreamingOptions} with their defaults. */
export interface ResolvedStreamingOptions extends ResolvedNotificationOptions {
  readonly request: StreamingSubscriptionRequest;
  readonly connectionMinutes: number;
  readonly onLost: OnLost;
}

/**
 * Returns the options with their defaults.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolveStreamingOptions(options: StreamingOptions): ResolvedStreamingOptions {
  const { connectionMinutes = 30, onLost = 'recreate' } = objectOption('options', options, NAMES);
  const shared = resolveNotificationOptions(options);
  numberOption('connectionMinutes', connectionMinutes, { min: 1, max: 30, integer: true });
  return {
    ...shared,
    request: { type: 'streaming', ...resolveFolders(options) },
    connectionMinutes,
    onLost: choiceOption('onLost', onLost, ON_LOST),
  };
}

/**
 * An upper bound for how long a server keeps a subscription that no open request names.
 *
 * No reference documents it. Known servers keep it for 5 minutes, and a request lasts 30 minutes at most.
 */
const EXPIRY_MS = 30 * 60_000;

function streamingSubscription(
  server: ServerSession,
  { request, connectionMinutes }: ResolvedStreamingOptions,
  stream: Stream,
): Observable<EwsEvent> {
  const pool = server.endpoint.shared(connectionPool, server);
  let member: Member | undefined;
  return subscription(server, stream, {
    type: 'streaming',
    request: () => request,
    // Until its release, an open request names it.
    expiresAt: () => asyncScheduler.now() + EXPIRY_MS,
    ifLost:
      'The server may hold a subscription whose id is unknown; it expires some time after the last request that names it.',
    events: (id, lease) =>
      new Observable((subscriber) => {
        const joining = { id, connectionMinutes, stream, lease, subscriber };
        member = joining;
        pool.join(joining);
        return () => pool.leave(joining);
      }),
    leave: () => {
      if (member !== undefined) pool.leave(member);
    },
  });
}

/**
 * Returns an Observable of the events of a streaming subscription.
 *
 * Each subscriber has a subscription on the server. It is removed with Unsubscribe when the Observable's
 * subscription ends, however it ends.
 *
 * The streaming subscriptions of a connection share connections, up to 200 on each;
 * `streaming.maxConnections` of {@link connectExchange} limits how many. A connection that ends is opened
 * again with the same subscriptions. Events are emitted in the server's order; a `status` event means that
 * nothing has happened. A streaming subscription cannot resume. A `gap` event marks a position at which
 * events may be missing, because the connection broke, fell silent or could not be read, or because the
 * server lost the subscription.
 *
 * Transient failures are retried with backoff: without limit after the server has accepted a subscription,
 * and up to `retries` times (4 by default) before. A lost subscription is re-created. All other failures are
 * errors: a {@link SoapFault} or an {@link EwsError} for a refusal by the server, a {@link
 * ConnectionsFullError} if all connections are full, and errors of the core for a response that is not EWS.
 * The Observable completes only when the connection is closed. `exchange.releases` emits the outcome of each
 * removal.
 *
 * @see [EWS] How to: Stream notifications about mailbox events by using EWS in Exchange
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
 * @param exchange Returned by {@link connectExchange}.
 * @throws TypeError that names the option that cannot be used.
 */
export function streamingNotifications(exchange: Exchange, options: StreamingOptions): Observable<EwsEvent> {
  const session = sessionOf(exchange);
  const resolved = resolveStreamingOptions(options);
  return notifications(session, resolved, (server, stream) =>
    streamingSubscription(server, resolved, stream),
  );
}
