import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  from,
  mergeMap,
  Observable,
  of,
  throwError,
} from 'rxjs';
import type { Lease } from '../../core/lifecycle/remoteResource.ts';
import { NetworkError } from '../../core/errors.ts';
import { getEventsEnvelope } from '../protocol/envelope.ts';
import { EwsError } from '../protocol/errors.ts';
import type { EwsEvent, ServerEvent } from '../protocol/events.ts';
import { decideFailure } from '../protocol/failures.ts';
import type { Notification, ResponseMessage } from '../protocol/messages.ts';
import type { ServerSession } from '../session/session.ts';
import { gapEvent } from '../subscription/progress.ts';
import { backoffTimer } from '../subscription/resubscribe.ts';
import { advance, endLeaseIfGone, saveProgress, type Stream } from '../subscription/stream.ts';
import type { ResolvedPullOptions } from './options.ts';

/** One subscription that is polled. */
interface Polling {
  readonly server: ServerSession;
  readonly options: ResolvedPullOptions;
  readonly stream: Stream;
  readonly id: string;
  readonly lease: Lease;
  /** When to send the next request after a response. */
  pace: PollPace;
  /** Emits when to send the next request after a failure. */
  retry$: Observable<unknown> | undefined;
}

/**
 * Returns an Observable that polls a subscription with GetEvents, and emits its events.
 *
 * The first request is sent at once, the others as {@link nextPace} decides. It never completes, and errors
 * with a failure that another GetEvents would not fix.
 */
export function getEventsLoop(
  server: ServerSession,
  options: ResolvedPullOptions,
  stream: Stream,
  id: string,
  lease: Lease,
): Observable<EwsEvent> {
  return new Observable((subscriber) => {
    const polling: Polling = {
      server,
      options,
      stream,
      id,
      lease,
      pace: { waitMs: 0, immediate: 0 },
      retry$: undefined,
    };
    const request = (): void => {
      polling.retry$ = undefined;
      const response$ = new Observable<EwsEvent>((inner) => {
        // Added before it is subscribed to: unsubscribing in the middle of a response stops it.
        subscriber.add(inner);
        poll(polling).subscribe(inner);
      });
      response$.subscribe({
        next: (event) => subscriber.next(event),
        error: (error: unknown) => subscriber.error(error),
        complete: scheduleNext,
      });
    };
    const scheduleNext = (): void => {
      if (polling.retry$ === undefined) server.timers.set(polling.pace.waitMs, request);
      else subscriber.add(polling.retry$.subscribe(request));
    };
    subscriber.add(() => server.timers.clear(polling.pace.waitMs, request));
    request();
  });
}

/** Returns an Observable that sends one GetEvents request, and emits the events of the response. */
function poll(polling: Polling): Observable<EwsEvent> {
  const { server, stream, id } = polling;
  return new Observable<EwsEvent>((subscriber) => {
    const requestedAt = asyncScheduler.now();
    let mayHaveActed = false;
    const pending: ServerEvent[] = [];
    let emitted = 0;
    // The server counts from the request, even if the response is lost or aborted.
    extendLease(polling);
    server
      .send({
        name: 'GetEvents',
        envelope: (head) => getEventsEnvelope(head, id, stream.progress.watermark ?? ''),
        onProgress: (progress) => (mayHaveActed = progress === 'sent'),
        onEvents: (events) => {
          pending.push(...events.filter(({ subscriptionId }) => subscriptionId === id));
          for (const event of deliverable(pending, polling)) {
            if (event.type !== 'status') emitted += 1;
            subscriber.next(event);
          }
        },
      })
      .pipe(
        mergeMap((response) => {
          const events$ = defer(() => deliver(polling, response, { pending, emitted, requestedAt }));
          return mayBelongToAnother(polling) ? concat(server.subscriptionIds.settled(), events$) : events$;
        }),
        catchError((error: unknown) => afterFailure(polling, error, mayHaveActed)),
      )
      .subscribe(subscriber);
  });
}

function extendLease({ lease, options }: Polling): void {
  lease.extendedTo(asyncScheduler.now() + options.timeoutMs);
}

/**
 * Returns whether the events may belong to another subscription.
 *
 * A server without watermarks may reuse ids. While a new id is on its way it may be this one, and the events
 * may be those of its new owner.
 */
function mayBelongToAnother({ server: { subscriptionIds }, stream }: Polling): boolean {
  return stream.progress.watermark === undefined && subscriptionIds.isAwaitingId;
}

/**
 * Takes from the pending events those that can be emitted before the response is complete.
 *
 * These are the events up to the last watermark: the server sends the later ones again if the rest is lost.
 * Without watermarks it sends nothing again.
 */
function deliverable(pending: ServerEvent[], polling: Polling): readonly ServerEvent[] {
  const { stream } = polling;
  const last = pending.findLastIndex(({ watermark }) => watermark !== undefined);
  const { watermark } = pending[last] ?? {};
  if (watermark === undefined && stream.progress.watermark === undefined) {
    return mayBelongToAnother(polling) ? [] : pending.splice(0);
  }
  advance(stream, { type: 'eventsArrived', watermark });
  return pending.splice(0, last + 1);
}

/** A request whose response is complete. */
interface Requested {
  /** Events that have arrived, but were not emitted. */
  readonly pending: readonly ServerEvent[];
  /** How many events were emitted, except `status`. */
  readonly emitted: number;
  readonly requestedAt: number;
}

function deliver(
  polling: Polling,
  { notifications }: ResponseMessage,
  { pending, emitted, requestedAt }: Requested,
): Observable<EwsEvent> {
  const { server, options, stream, id } = polling;
  const events = [
    ...pending,
    ...notifications.flatMap((notification) => eventsFor(id, notification, server.url)),
  ];
  const moreEvents = notifications.some((notification) => notification.moreEvents);
  const watermark =
    notifications.at(-1)?.unknownLastWatermark ??
    events.findLast((event) => event.watermark !== undefined)?.watermark;
  extendLease(polling);
  advance(stream, { type: 'polled', requestedAt, watermark, moreEvents });
  const unknown = notifications.reduce(
    (sum, { unknownWatermarks = [] }) => sum + unknownWatermarks.length,
    0,
  );
  const count = emitted + unknown + events.filter(({ type }) => type !== 'status').length;
  polling.pace = nextPace(polling.pace, { moreEvents, events: count }, options.intervalMs);
  return concat(from(events), saveProgress(stream));
}

function afterFailure(polling: Polling, error: unknown, mayHaveActed: boolean): Observable<EwsEvent> {
  const { server, options, stream, id } = polling;
  const progress = stream.progress;
  const decision = decideFailure(error, progress);
  if (decision.action === 'continue') {
    polling.pace = { waitMs: options.intervalMs, immediate: 0 };
    return of(gapEvent(progress, id, decision.gap ?? 'eventsMissed'));
  }
  if (decision.action !== 'retry') {
    endLeaseIfGone(stream, polling.lease, error);
    advance(stream, { type: 'refused' });
    return throwError(() => error);
  }
  // Without watermarks, a server sends each event once. The lost response may have had some, and the
  // request may still arrive and take others. After a restart, it may take those of another process.
  if (progress.watermark === undefined && (mayHaveActed || error instanceof NetworkError)) {
    advance(stream, { type: 'responseLost' });
    return throwError(() => error);
  }
  advance(stream, { type: 'pollFailed' });
  const { failures } = stream.progress;
  polling.retry$ = backoffTimer(server.backoff.pause, server.retry, failures, decision, error);
  return EMPTY;
}

/**
 * Returns the events of a notification. It throws if that is for another subscription: some servers reuse
 * ids.
 */
function eventsFor(
  id: string,
  { subscriptionId, events }: Notification,
  url: string,
): readonly ServerEvent[] {
  if (subscriptionId === id) return events;
  throw new EwsError(
    { operation: 'GetEvents', url },
    {
      responseCode: 'ErrorReadEventsFailed',
      messageText: 'The response was for another subscription.',
      values: new Map(),
    },
  );
}

/**
 * How many requests may follow one another without a wait: 25,000 events at 50 in each response.
 *
 * @see [EWS] GetEvents operation
 */
export const MAX_IMMEDIATE = 500;

/** When to send the next GetEvents request. */
export interface PollPace {
  readonly waitMs: number;
  /** How many requests in a row were sent without a wait, the next one included. */
  readonly immediate: number;
}

/** The part of a GetEvents response that decides about the next request. */
export interface PollResult {
  /** Whether the server has more events. */
  readonly moreEvents: boolean;
  /** How many events it brought, except `status`. */
  readonly events: number;
}

/**
 * Returns when to send the next request after a response: a pure function.
 *
 * The next request is sent at once if the server has more events. The interval applies if the response
 * brought no events, and after 500 requests without a wait: a server that always has more must not be polled
 * without a pause.
 *
 * @param before The pace after the previous response.
 */
export function nextPace(before: PollPace, { moreEvents, events }: PollResult, intervalMs: number): PollPace {
  const isImmediate = moreEvents && events > 0 && before.immediate < MAX_IMMEDIATE;
  return isImmediate ? { waitMs: 0, immediate: before.immediate + 1 } : { waitMs: intervalMs, immediate: 0 };
}
