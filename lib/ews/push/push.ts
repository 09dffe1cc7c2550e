import {
  asyncScheduler,
  concat,
  defer,
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
import { shareWithGrace, untilClosed } from '../../core/lifecycle/closing.ts';
import { invalidOption } from '../../core/options.ts';
import { type Exchange, sessionOf, type EwsSession, type ServerSession } from '../session/session.ts';
import { EwsError } from '../protocol/errors.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { decideFailure } from '../protocol/failures.ts';
import type { ResponseMessage } from '../protocol/messages.ts';
import { checkSubscription } from '../protocol/version.ts';
import { type StreamProgress, gapEvent, heard, reached, withProgress } from '../subscription/progress.ts';
import { resubscribe } from '../subscription/resubscribe.ts';
import { subscription } from '../subscription/subscription.ts';
import { newSecret, withSecret } from './callbackSecret.ts';
import { type PushOptions, type ResolvedPushOptions, resolvePushOptions } from './options.ts';
import type { PushRequest } from './pushRequest.ts';
import { type PushRouter, routerOf } from './router.ts';
import { deduplicate } from './sendNotification.ts';

/**
 * Returns an Observable that keeps one push subscription after another on the server, until it is
 * unsubscribed from or an error comes up that another subscription would not mend.
 */
function pushStream(
  service: EwsSession,
  plan: ResolvedPushOptions,
  router: PushRouter,
): Observable<EwsEvent> {
  const { checkpoint, request, resume } = plan;
  return withProgress(service, { checkpoint, watermark: request.watermark }, true, (course) =>
    resubscribe(service, course, resume, (here) => pushSubscription(here, plan, course, router)),
  );
}

function pushSubscription(
  internals: ServerSession,
  plan: ResolvedPushOptions,
  course: StreamProgress,
  router: PushRouter,
): Observable<EwsEvent> {
  const { silenceMs } = plan;
  const { url } = internals;
  // A new one each time: posts for a subscription that was lost can never reach its successor.
  const secret = plan.hasSecret ? newSecret() : undefined;
  const callbackUrl =
    secret === undefined ? plan.request.callbackUrl : withSecret(plan.request.callbackUrl, secret);
  const line = router.senderFor(secret);
  /** When the server has given the subscription up, if nothing comes. */
  let endsAt: number | undefined;
  return subscription(internals, course, {
    resource: 'PushSubscription',
    request: (watermark) => ({ ...plan.request, callbackUrl, watermark }),
    expiresAt: (answeredAt) => answeredAt + silenceMs,
    ifLost:
      'The server may hold a subscription whose id nobody knows; it is told to end when it next posts to ' +
      'callbackUrl while something here is notified there, and ends by itself where it finds nobody.',
    operation: 'SendNotification',
    prepare: () => line.expectSubscription(),
    events: (id, lease) => {
      const deliver = deliveries(internals, course, id);
      const extend = (): void => {
        endsAt = asyncScheduler.now() + silenceMs;
        lease.extendedTo(endsAt);
      };
      extend();
      return line
        .messagesFor(id)
        .pipe(
          timeout({ each: silenceMs, with: () => throwError(() => silentFor(silenceMs, url)) }),
          tap(extend),
          mergeMap(deliver),
        );
    },
    release: (id, isLeft) => {
      const leftMs = (endsAt ?? asyncScheduler.now() + silenceMs) - asyncScheduler.now();
      // The secret of another process is not known: its posts arrive as those of strangers.
      return (isLeft ? router.senderFor(undefined) : line)
        .unsubscribeOnNextPost(id)
        .pipe(timeout({ first: Math.max(0, leftMs), with: () => throwError(() => neverAsked(url)) }));
    },
  });
}

/** What the messages for one subscription bring: an error of those that another subscription would mend. */
function deliveries(
  { url }: ServerSession,
  course: StreamProgress,
  id: string,
): (message: ResponseMessage) => Observable<EwsEvent> {
  const once = deduplicate();
  return (message) => {
    if (message.responseClass === 'Error') return refused(message, course, id, url);
    const { notifications } = message;
    const { events, watermark } = once(notifications);
    course.watermark = watermark ?? course.watermark;
    const { since } = course;
    heard(course);
    if (notifications.some(({ moreEvents }) => moreEvents)) course.since = since;
    return concat(from(events), reached(course));
  };
}

function refused(
  message: ResponseMessage,
  course: StreamProgress,
  id: string,
  url: string,
): Observable<EwsEvent> {
  const error = new EwsError({ operation: 'SendNotification', url }, message);
  const { action, gap } = decideFailure(error, course);
  if (action === 'continue') return of(gapEvent(course, id, gap ?? 'eventsMissed'));
  // There is nothing to ask again: what passes by itself is over when the server posts again.
  return action === 'retry' ? EMPTY : throwError(() => error);
}

/** A server that was not answered, or cannot reach us, gives a subscription up without telling. */
function silentFor(ms: number, url: string): EwsError {
  return new EwsError(
    { operation: 'SendNotification', url },
    {
      responseCode: 'ErrorReadEventsFailed',
      messageText: `The server has posted nothing for ${ms / 60_000} minutes.`,
      values: new Map(),
    },
  );
}

function neverAsked(url: string): NetworkError {
  return new NetworkError('no notification came that could be answered Unsubscribe', { method: 'POST', url });
}

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
 * @param service What {@link exchange} returned.
 * @param incoming The posts to `callbackUrl`, such as `incoming$` of a `pushListener`. One serves many subscriptions,
 * of several services too: give all of them the same Observable, not one derived from it for each.
 * @throws TypeError that names the option, for one that cannot be used.
 */
export function pushNotifications(
  service: Exchange,
  options: PushOptions,
  incoming: Observable<PushRequest>,
): Observable<EwsEvent> {
  const internals = sessionOf(service);
  const plan = resolvePushOptions(options);
  checkSubscription(internals.version, plan.request);
  if (!isObservable(incoming)) throw invalidOption('incoming', incoming, 'an Observable of notifications');
  const router = routerOf(incoming);
  const events$ = defer(() => pushStream(internals, plan, router)).pipe(
    untilClosed<EwsEvent>(internals.ledger, 'pushNotifications'),
  );
  return plan.graceMs === undefined ? events$ : events$.pipe(shareWithGrace(internals.ledger, plan.graceMs));
}
