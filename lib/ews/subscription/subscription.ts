import { asyncScheduler, defer, finalize, map, merge, Observable, of, throwError } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { type Lease, remoteResource, type RemoteResource } from '../../core/lifecycle/remoteResource.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import {
  SUBSCRIPTION_TYPES,
  subscribeEnvelope,
  type SubscribeRequest,
  unsubscribeEnvelope,
} from '../protocol/envelope.ts';
import { EwsError } from '../protocol/errors.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { decideUnsubscribe } from '../protocol/failures.ts';
import type { ResponseMessage } from '../protocol/messages.ts';
import type { ServerSession } from '../session/session.ts';
import type { Ownership, PreviousOwner, SubscriptionIds } from '../session/subscriptionIds.ts';
import { gapEvent } from './progress.ts';
import { advance, endLeaseIfGone, saveProgress, type Stream } from './stream.ts';

/** How a subscription of one type is created, read and removed. */
interface SubscriptionConfig {
  readonly type: SubscribeRequest['type'];
  /** Returns the request, which resumes from the watermark if there is one. */
  readonly request: (watermark: string | undefined) => SubscribeRequest;
  /**
   * Returns when the server removes the subscription on its own, in milliseconds of the scheduler's clock. It
   * is called when the release starts, unless the lease was extended.
   */
  readonly expiresAt: (respondedAt: number) => number;
  /** The fate of the subscription if the Subscribe response is lost: one sentence. */
  readonly ifLost: string;
  /** Called before Subscribe is sent; the function it returns is called when the events are subscribed to. */
  readonly prepare?: () => () => void;
  /** Returns the events. It ends the lease before it errors: {@link endLeaseIfGone}. */
  readonly events: (id: string, lease: Lease) => Observable<EwsEvent>;
  /** Called before Unsubscribe is sent; `events` must ignore the server's reaction to it. */
  readonly leave?: () => void;
  /**
   * Removes the subscription.
   *
   * @param isOrphan Whether another process has created it.
   * @default sends Unsubscribe
   */
  readonly release?: (id: string, isOrphan: boolean) => Observable<ReleaseResult>;
}

/** A subscription on the server. Times are milliseconds of the scheduler's clock. */
interface Handle {
  readonly id: string;
  readonly watermark: string | undefined;
  readonly requestedAt: number;
  readonly respondedAt: number;
  /** Whether the id had a previous owner. */
  readonly previousOwner: PreviousOwner;
}

/**
 * Returns an Observable that creates one subscription on the server, emits its events, and removes it.
 *
 * It errors when the subscription cannot be created, or ends before its subscriber leaves.
 */
export function subscription(
  server: ServerSession,
  stream: Stream,
  config: SubscriptionConfig,
): Observable<EwsEvent> {
  const { checkpoint } = stream;
  const { ledger, subscriptionIds } = server;
  const remove = (id: string, isOrphan: boolean): Observable<ReleaseResult> =>
    config.release?.(id, isOrphan) ?? unsubscribe(server, id);
  advance(stream, { type: 'subscribing' });
  const resource: RemoteResource<Handle, EwsEvent, Ownership> = {
    resource: SUBSCRIPTION_TYPES[config.type].resource,
    ledger,
    parent$: ownership(subscriptionIds),
    acquire: (owner, onProgress) =>
      defer(() => {
        const request = config.request(stream.progress.watermark);
        const handle$ = subscribe(server, request, owner, onProgress);
        return config.prepare === undefined ? handle$ : handle$.pipe(finalize(config.prepare()));
      }),
    identify: idOf,
    expiresAt: ({ respondedAt }) => config.expiresAt(respondedAt),
    use: (handle, lease, owner) => eventsOf(server, stream, config, { handle, lease, owner }),
    release: ({ id }, owner) => {
      config.leave?.();
      // If the id belongs to another subscription now, this one is gone and the other must stay.
      return subscriptionIds.owns(owner, id) ? remove(id, false) : of({ alreadyGone: true });
    },
    decide: decideUnsubscribe,
    backoff: server.retry,
    pause: server.backoff.pause,
    unknownHint: config.ifLost,
  };
  if (checkpoint === undefined) return remoteResource(resource);
  return checkpoint.recorded<Handle>(server, stream, checkpoint, {
    resource,
    request: config.request(undefined),
    removeOrphan: (id) => remove(id, true),
    handleOf: (id, now) => ({
      ...{ id, watermark: undefined, requestedAt: now, respondedAt: now },
      previousOwner: 'none',
    }),
  });
}

function idOf({ id }: Handle): string {
  return id;
}

/** Returns an Observable of an ownership, which is dropped when the release is over. */
function ownership(subscriptionIds: SubscriptionIds): Observable<Ownership> {
  return new Observable((subscriber) => {
    const owner = subscriptionIds.open();
    subscriber.next(owner);
    return () => subscriptionIds.drop(owner);
  });
}

function subscribe(
  { send, subscriptionIds }: ServerSession,
  request: SubscribeRequest,
  owner: Ownership,
  onProgress: (progress: RequestProgress) => void,
): Observable<Handle> {
  return defer(() => {
    const requestedAt = asyncScheduler.now();
    let idArrived: (() => void) | undefined;
    return send({
      name: 'Subscribe',
      envelope: (head) => subscribeEnvelope(head, request),
      onProgress: (progress) => {
        idArrived?.();
        idArrived = progress === 'sent' ? subscriptionIds.expectId() : undefined;
        onProgress(progress);
      },
    }).pipe(
      map((response) => {
        const { watermark } = response;
        const id = idIn(response);
        const previousOwner = subscriptionIds.assign(owner, id, requestedAt);
        // Before the first request for events, which waits for expected ids.
        idArrived?.();
        return {
          id,
          // A streaming subscription cannot resume: its checkpoint is a time.
          watermark: request.type === 'streaming' ? undefined : watermark,
          requestedAt,
          respondedAt: asyncScheduler.now(),
          previousOwner,
        };
      }),
      finalize(() => idArrived?.()),
    );
  });
}

/** The parser has checked the rest. */
function idIn({ subscriptionId }: ResponseMessage): string {
  if (subscriptionId !== undefined) return subscriptionId;
  throw new DecodeError('Subscribe response', {
    path: '/subscriptionId',
    expected: 'string',
    actual: 'nothing',
  });
}

/** Creates the error for a subscription whose id belongs to another one, or may. */
function idLost(url: string, responseCode: string, messageText: string): EwsError {
  return new EwsError({ operation: 'Subscribe', url }, { responseCode, messageText, values: new Map() });
}

/** The parameters of `use`. */
interface InUse {
  readonly handle: Handle;
  readonly lease: Lease;
  readonly owner: Ownership;
}

function eventsOf(
  { url, ledger, suspension }: ServerSession,
  stream: Stream,
  { type, events }: SubscriptionConfig,
  { handle: { id, watermark, requestedAt, previousOwner }, lease, owner }: InUse,
): Observable<EwsEvent> {
  if (previousOwner === 'disputed') {
    return throwError(() =>
      idLost(url, 'ErrorReadEventsFailed', 'The server has given the id to two subscriptions at a time.'),
    );
  }
  return new Observable<EwsEvent>((subscriber) => {
    suspension.track(subscriber);
    if (suspension.isSuspended) return;
    const before = stream.progress;
    const reason = before.gap ?? (previousOwner === 'forgotten' ? 'responseLost' : undefined);
    const { operation } = SUBSCRIPTION_TYPES[type];
    advance(stream, { type: 'subscribed', operation, requestedAt, now: asyncScheduler.now(), watermark });
    ledger.inspection?.created(stream.inspected, id);
    owner.lost = () => {
      const text = 'The server has given the id of this subscription to a new one.';
      const error = idLost(url, 'ErrorSubscriptionNotFound', text);
      endLeaseIfGone(stream, lease, error);
      subscriber.error(error);
    };
    const events$ = events(id, lease);
    if (reason !== undefined) subscriber.next(gapEvent(before, id, reason));
    if (subscriber.closed) return;
    const all$ = stream.checkpoint === undefined ? events$ : merge(saveProgress(stream), events$);
    // Subscribing with the subscriber itself stops a synchronous burst when it unsubscribes.
    all$.subscribe(subscriber);
  });
}

function unsubscribe({ send }: ServerSession, id: string): Observable<ReleaseResult> {
  return send({
    name: 'Unsubscribe',
    envelope: (head) => unsubscribeEnvelope(head, id),
    keepalive: true,
  }).pipe(map(() => ({})));
}
