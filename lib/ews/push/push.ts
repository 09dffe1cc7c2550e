import {
  asyncScheduler,
  concat,
  EMPTY,
  from,
  isObservable,
  mergeMap,
  type Observable,
  of,
  tap,
  throwError,
  timeout,
} from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import type { Lease } from '../../core/lifecycle/remoteResource.ts';
import {
  invalidOption,
  invalidSecret,
  numberOption,
  objectOption,
  type OptionNames,
  urlOption,
} from '../../core/options.ts';
import { EwsError } from '../protocol/errors.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { decideFailure } from '../protocol/failures.ts';
import type { ResponseMessage } from '../protocol/messages.ts';
import { type Exchange, type ServerSession, sessionOf } from '../session/session.ts';
import { notifications } from '../subscription/notifications.ts';
import { gapEvent } from '../subscription/progress.ts';
import { advanceNotified, endLeaseIfGone, saveProgress, type Stream } from '../subscription/stream.ts';
import { subscription } from '../subscription/subscription.ts';
import { newSecret, withSecret, SECRET_PARAMETER, secretIn, type PushRequest } from './pushRequest.ts';
import { postLog } from './postLog.ts';
import { type PushRouter, routerOf } from './router.ts';
import { deduplicate } from './sendNotification.ts';
import type { PushSubscriptionRequest } from '../protocol/envelope.ts';
import {
  type OnLost,
  RESUMABLE_NAMES,
  resolveFolders,
  resolveNotificationOptions,
  resolveResumption,
  type ResolvedNotificationOptions,
  type ResumableOptions,
} from '../subscription/options.ts';

/** Options of `pushNotifications`. @inline */
export interface PushOptions extends ResumableOptions {
  /**
   * The absolute URL that the server posts to, which reaches the listener of `incoming`. The server must be
   * able to reach it and must trust its certificate. Each process needs its own URL.
   */
  readonly callbackUrl: string;
  /**
   * Adds a secret to the query of `callbackUrl`, as the parameter `pushKey`: 128 random bits, different for
   * each subscription. A post without it reaches no subscription, whatever ids it contains.
   *
   * `false` leaves `callbackUrl` as it is, for a URL that cannot have a query, or an adapter that does not
   * give the URL of a request. Then anybody who knows `callbackUrl` and a subscription id can post events for
   * it, and unknown posts can delay the first events of a new subscription: let only your Exchange servers
   * reach it.
   * @default true
   */
  readonly callbackSecret?: boolean;
  /**
   * How often the server posts a `status` when nothing happens, in whole minutes from 1 to 1440.
   *
   * The server retries a failed post for this long, and then ends the subscription. An unsubscribed
   * subscription lasts until the next post, so at most for this long.
   * @default 5
   */
  readonly statusFrequencyMinutes?: number;
}

const NAMES: OptionNames<PushOptions> = {
  ...RESUMABLE_NAMES,
  callbackUrl: 1,
  callbackSecret: 1,
  statusFrequencyMinutes: 1,
};

/** {@link PushOptions} with their defaults. */
export interface ResolvedPushOptions extends ResolvedNotificationOptions {
  readonly request: PushSubscriptionRequest;
  readonly hasSecret: boolean;
  /** After this long without a post the server has ended the subscription. */
  readonly silenceMs: number;
  readonly onLost: 'resume' | OnLost;
}

/** How late a post may be. */
const LATE_MS = 30_000;

/**
 * Returns the options with their defaults.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolvePushOptions(options: PushOptions): ResolvedPushOptions {
  objectOption('options', options, NAMES);
  const { statusFrequencyMinutes = 5, callbackSecret = true } = options;
  const shared = resolveNotificationOptions(options);
  numberOption('statusFrequencyMinutes', statusFrequencyMinutes, { min: 1, max: 1440, integer: true });
  const { watermark, onLost } = resolveResumption(options);
  // Checked although it is typed: no mistake of an untyped caller may switch the secret off.
  if (typeof (callbackSecret as unknown) !== 'boolean') {
    throw invalidOption('callbackSecret', callbackSecret, 'true or false');
  }
  const callbackUrl = urlOption('callbackUrl', options.callbackUrl).href;
  if (callbackSecret && secretIn(callbackUrl) !== undefined) {
    throw invalidSecret(
      'callbackUrl',
      `a URL without the parameter ${SECRET_PARAMETER}, which the library adds`,
    );
  }
  return {
    ...shared,
    request: { type: 'push', ...resolveFolders(options), watermark, statusFrequencyMinutes, callbackUrl },
    hasSecret: callbackSecret,
    // The server posts after one period at the latest, and retries for another.
    silenceMs: statusFrequencyMinutes * 120_000 + LATE_MS,
    onLost,
  };
}

function pushSubscription(
  server: ServerSession,
  { request, hasSecret, silenceMs }: ResolvedPushOptions,
  stream: Stream,
  router: PushRouter,
): Observable<EwsEvent> {
  const { url } = server;
  // A new secret each time: posts for a lost subscription never reach its replacement.
  const secret = hasSecret ? newSecret() : undefined;
  const callbackUrl = secret === undefined ? request.callbackUrl : withSecret(request.callbackUrl, secret);
  const sender = router.senderFor(secret, postLog(server.logged, callbackUrl));
  /** When the server ends the subscription if it cannot post. */
  let endsAt: number | undefined;
  return subscription(server, stream, {
    type: 'push',
    request: (watermark) => ({ ...request, callbackUrl, watermark }),
    expiresAt: (respondedAt) => respondedAt + silenceMs,
    ifLost:
      'The server may hold a subscription whose id is unknown. It is removed with its next post to callbackUrl ' +
      'while anything subscribes there, and otherwise expires when its posts fail.',
    prepare: () => sender.expectSubscription(),
    events: (id, lease) => {
      const extendLease = (): void => {
        endsAt = asyncScheduler.now() + silenceMs;
        lease.extendedTo(endsAt);
      };
      extendLease();
      return sender
        .messagesFor(id)
        .pipe(
          timeout({ each: silenceMs, with: () => throwError(() => silenceError(silenceMs, url)) }),
          tap(extendLease),
          mergeMap(deliveries(server, stream, id, lease)),
        );
    },
    release: (id, isOrphan) => {
      const leftMs = (endsAt ?? asyncScheduler.now() + silenceMs) - asyncScheduler.now();
      // The secret of another process is unknown, so its posts arrive as those of unknown senders.
      return (isOrphan ? router.senderFor(undefined) : sender)
        .unsubscribeOnNextPost(id)
        .pipe(timeout({ first: Math.max(0, leftMs), with: () => throwError(() => noPostError(url)) }));
    },
  });
}

/** Returns a function that returns the events of each message for a subscription. */
function deliveries(
  { url }: ServerSession,
  stream: Stream,
  id: string,
  lease: Lease,
): (message: ResponseMessage) => Observable<EwsEvent> {
  const firstDelivery = deduplicate();
  return (message) => {
    if (message.responseClass === 'Error') {
      const error = new EwsError({ operation: 'SendNotification', url }, message);
      endLeaseIfGone(stream, lease, error);
      return afterError(error, stream, id);
    }
    const { events, watermark } = firstDelivery(message.notifications);
    const moreEvents = message.notifications.some((notification) => notification.moreEvents);
    advanceNotified(stream, watermark, moreEvents);
    return concat(from(events), saveProgress(stream));
  };
}

function afterError(error: EwsError, stream: Stream, id: string): Observable<EwsEvent> {
  const { action, gap } = decideFailure(error, stream.progress);
  if (action === 'continue') return of(gapEvent(stream.progress, id, gap ?? 'eventsMissed'));
  // Nothing can be sent again: a transient failure is over when the server posts again.
  return action === 'retry' ? EMPTY : throwError(() => error);
}

/**
 * A server whose posts are not answered, or do not reach this process, ends the subscription without a
 * message.
 */
function silenceError(ms: number, url: string): EwsError {
  return new EwsError(
    { operation: 'SendNotification', url },
    {
      responseCode: 'ErrorReadEventsFailed',
      messageText: `The server has posted nothing for ${ms / 60_000} minutes.`,
      values: new Map(),
    },
  );
}

function noPostError(url: string): NetworkError {
  return new NetworkError('no notification came that could be answered Unsubscribe', { method: 'POST', url });
}

/**
 * Returns an Observable of the events that a server posts for a push subscription.
 *
 * Each subscriber has its own subscription on the server, which ends when the Observable's subscription ends,
 * however it ends. Each post is answered after its events were emitted, and the response to a post is the
 * only way to end a push subscription. Unsubscribing while an event is emitted ends it with the response to
 * that very post. Otherwise `exchange.releases` counts it as pending until the server posts again, for
 * `statusFrequencyMinutes` at most. If the server does not post again, it has ended the subscription by then:
 * the outcome is `Expired`.
 *
 * The library adds a secret to `callbackUrl`: random bits, different for each subscription. A post without
 * the secret of a subscription reaches none, and the response ends its subscription on the server. This also
 * removes the subscriptions that another process has left. See `callbackSecret` for a URL that cannot have a
 * query.
 *
 * A `status` event means that nothing has happened. Events that the server posts twice, because it missed the
 * response, are emitted once. After silence, and when the server has lost the subscription, it is re-created
 * from the last watermark; a `gap` event marks a position at which events may be missing. Errors are those of
 * `pullNotifications`; if `incoming` errors or completes, the Observable errors.
 *
 * @see [EWS] Notification subscriptions, mailbox events, and EWS in Exchange
 *
 * @example
 * ```ts
 * import { connectExchange, pushNotifications } from 'rxchange/ews';
 * import { ewsSimulator, pushCallback } from 'rxchange/testing';
 *
 * // In an application: const { handler, incoming$ } = pushListener(), and createServer(handler).listen(443).
 * const { transport, incoming$ } = pushCallback();
 * const server = ewsSimulator({ push: transport });
 * const exchange = connectExchange({ server: server.url, transport: server.transport });
 * const watching = pushNotifications(
 *   exchange,
 *   { folders: ['inbox'], events: ['newMail'], callbackUrl: 'https://me.contoso.com/notified' },
 *   incoming$,
 * ).subscribe(({ type }) => {
 *   console.log(type);
 *   if (type === 'newMail') watching.unsubscribe();
 * });
 * // prints: status
 * server.deliverMail();
 * // prints: newMail
 * console.log((await exchange.drain()).clean, server.subscriptions.length);
 * // prints: true 0
 * ```
 *
 * @param exchange Returned by {@link connectExchange}.
 * @param incoming The posts to `callbackUrl`, such as `incoming$` of a `pushListener`. One Observable serves
 * many subscriptions, of several connections too: pass the same one each time, not one derived from it.
 * @throws TypeError that names the option that cannot be used.
 */
export function pushNotifications(
  exchange: Exchange,
  options: PushOptions,
  incoming: Observable<PushRequest>,
): Observable<EwsEvent> {
  const session = sessionOf(exchange);
  const resolved = resolvePushOptions(options);
  if (!isObservable(incoming)) throw invalidOption('incoming', incoming, 'an Observable of notifications');
  const router = routerOf(incoming);
  return notifications(session, resolved, (server, stream) =>
    pushSubscription(server, resolved, stream, router),
  );
}
