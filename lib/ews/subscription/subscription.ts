import { asyncScheduler, defer, finalize, map, merge, Observable, of, throwError } from 'rxjs';
import { journaled } from '../../core/checkpoint/journaled.ts';
import { removeOrphans } from '../../core/checkpoint/orphans.ts';
import { decode } from '../../core/decode.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { type Lease, remoteResource, type RemoteResource } from '../../core/lifecycle/remoteResource.ts';
import type { RequestProgress } from '../../core/transport/transport.ts';
import { subscribeEnvelope, type SubscribeRequest, unsubscribeEnvelope } from '../protocol/envelope.ts';
import { EwsError, SoapFault } from '../protocol/errors.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { decideFailure, decideUnsubscribe } from '../protocol/failures.ts';
import { SubscribeResponse } from '../protocol/messages.ts';
import type { ServerSession } from '../session/session.ts';
import type { Ownership, SubscriptionIds, PreviousOwner } from '../session/subscriptionIds.ts';
import { type StreamProgress, gapEvent, reached, type StreamJournal } from './progress.ts';

/** How what was left is removed. */
interface UnsubscribePlan {
  /** As of a subscription that was answered at that time. */
  readonly expiresAt: (answeredAt: number) => number;
  /** What becomes of it where its id is not known: one sentence. */
  readonly ifLost: string;
  readonly remove: (id: string) => Observable<ReleaseResult>;
}

/**
 * Removes what the process before has left on the server: begun at once, and with an outcome in the ledger for
 * each.
 */
function removeSubscriptionOrphans(
  { ledger, subscriptionIds: claims, retry, backoff, url }: ServerSession,
  journal: StreamJournal,
  { expiresAt, ifLost, remove }: UnsubscribePlan,
): void {
  for (const left of journal.takeLeft()) {
    removeOrphans(ledger, left, { url, ifLost }, (id) => {
      const claim = claims.open();
      // Where the server gives ids anew, it may be that of a subscription which is in use.
      claims.adopt(claim, id);
      return {
        attempt: () => (claims.owns(claim, id) ? remove(id) : of({ alreadyGone: true })),
        decide: decideUnsubscribe,
        // When it was last heard of is not known, but it was before.
        expiresAt: expiresAt(asyncScheduler.now()),
        backoff: retry,
        pause: backoff.pause,
        done: () => claims.drop(claim),
      };
    });
  }
}

/** What tells one way to be notified from another. */
interface SubscriptionType {
  readonly resource: 'PullSubscription' | 'StreamingSubscription' | 'PushSubscription';
  /** What to subscribe to, from the watermark on where there is one. */
  readonly request: (watermark: string | undefined) => SubscribeRequest;
  /**
   * When the server removes it by itself, in milliseconds of the scheduler's clock: asked when its release
   * begins, unless the lease was extended.
   */
  readonly expiresAt: (answeredAt: number) => number;
  /** What becomes of it if the answer to the Subscribe is lost: one sentence. */
  readonly ifLost: string;
  /** What the events come with. */
  readonly operation: 'GetEvents' | 'GetStreamingEvents' | 'SendNotification';
  /** Called before the Subscribe; what it returns is called when that was answered, and the events taken up. */
  readonly prepare?: () => () => void;
  readonly events: (id: string, lease: Lease) => Observable<EwsEvent>;
  /** Called before the Unsubscribe: `events` may get no sign of what that brings about. */
  readonly leave?: () => void;
  /** Removes it, where Unsubscribe does not. `isLeft`: another process has made it. */
  readonly release?: (id: string, isLeft: boolean) => Observable<ReleaseResult>;
}

/** A subscription that the server has made. */
interface Handle {
  readonly id: string;
  readonly watermark: string | undefined;
  /** When it was asked for, and when that was answered, in milliseconds of the scheduler's clock. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Whether another subscription had this id until now. */
  readonly predecessor: PreviousOwner;
}

const readAnswer = decode(SubscribeResponse, 'Subscribe response');

/**
 * Returns an Observable that makes one subscription on the server, emits its events, and removes it. It errors
 * with whatever ends it before its subscriber does.
 */
export function subscription(
  internals: ServerSession,
  course: StreamProgress,
  kind: SubscriptionType,
): Observable<EwsEvent> {
  const { resource, ifLost, expiresAt } = kind;
  const { ledger } = internals;
  const remove = (id: string, isLeft: boolean): Observable<ReleaseResult> =>
    kind.release?.(id, isLeft) ?? unsubscribe(internals, id);
  const { journal } = course;
  const removeLeft = (id: string): Observable<ReleaseResult> => remove(id, true);
  if (journal !== undefined)
    removeSubscriptionOrphans(internals, journal, { expiresAt, ifLost, remove: removeLeft });
  course.operation = 'Subscribe';
  course.hasAnswered = false;
  course.ended = undefined;
  const config: RemoteResource<Handle, EwsEvent, Ownership> = {
    resource,
    ledger,
    within: openClaim(internals.subscriptionIds),
    acquire: (claim, onProgress) =>
      defer(() => {
        const handle$ = subscribe(internals, kind.request(course.watermark), claim, onProgress);
        return kind.prepare === undefined ? handle$ : handle$.pipe(finalize(kind.prepare()));
      }),
    identify: idOf,
    expiresAt: ({ answeredAt }) => expiresAt(answeredAt),
    use: (handle, lease, claim) => follow(internals, course, kind, { handle, lease, claim }),
    release: ({ id }, claim) => {
      kind.leave?.();
      // The id is another subscription's by now: this one is gone, and the other must stay.
      if (!internals.subscriptionIds.owns(claim, id)) return of({ alreadyGone: true });
      return remove(id, false);
    },
    decide: decideUnsubscribe,
    backoff: internals.retry,
    pause: internals.backoff.pause,
    ifLost,
  };
  return journal === undefined ? remoteResource(config) : journaled(config, () => journal);
}

function idOf({ id }: Handle): string {
  return id;
}

/** The claim is there until the release is over. */
function openClaim(claims: SubscriptionIds): Observable<Ownership> {
  return new Observable((subscriber) => {
    const claim = claims.open();
    subscriber.next(claim);
    return () => claims.drop(claim);
  });
}

function subscribe(
  { send, subscriptionIds: claims }: ServerSession,
  request: SubscribeRequest,
  claim: Ownership,
  onProgress: (progress: RequestProgress) => void,
): Observable<Handle> {
  return defer(() => {
    const askedAt = asyncScheduler.now();
    let settle: (() => void) | undefined;
    return send({
      name: 'Subscribe',
      envelope: (head) => subscribeEnvelope(head, request),
      onProgress: (progress) => {
        settle?.();
        settle = progress === 'sent' ? claims.expectId() : undefined;
        onProgress(progress);
      },
    }).pipe(
      map((answer) => {
        const { subscriptionId: id, watermark: given } = readAnswer(answer);
        const predecessor = claims.assign(claim, id, askedAt);
        // Before the subscription itself is asked for events.
        settle?.();
        // No stream resumes from a watermark: its checkpoint is a time.
        const watermark = request.type === 'streaming' ? undefined : given;
        return { id, watermark, askedAt, answeredAt: asyncScheduler.now(), predecessor };
      }),
      finalize(() => settle?.()),
    );
  });
}

/** What ends a subscription whose id is not its own any more, or may never have been. */
function idLost(url: string, responseCode: string, messageText: string): EwsError {
  return new EwsError({ operation: 'Subscribe', url }, { responseCode, messageText, values: new Map() });
}

/** A subscription that is in use. */
interface InUse {
  readonly handle: Handle;
  readonly lease: Lease;
  readonly claim: Ownership;
}

function follow(
  { url }: ServerSession,
  course: StreamProgress,
  { operation, events }: SubscriptionType,
  { handle: { id, watermark, askedAt, predecessor }, lease, claim }: InUse,
): Observable<EwsEvent> {
  if (predecessor === 'disputed')
    return throwError(() =>
      idLost(url, 'ErrorReadEventsFailed', 'The server has given the id to two subscriptions at a time.'),
    );
  return new Observable((subscriber) => {
    const reason = course.gap ?? (predecessor === 'forgotten' ? 'responseLost' : undefined);
    const gap = reason === undefined ? undefined : gapEvent(course, id, reason);
    // Where a watermark was asked for, the stream goes on from that one, whichever the answer names.
    if (course.watermark === undefined) {
      course.watermark = watermark;
      course.since = new Date(askedAt);
    }
    course.gap = undefined;
    course.hasSubscribed = true;
    course.subscribedAt = asyncScheduler.now();
    course.operation = operation;
    course.ended = (error) => {
      const isRefusal = error instanceof EwsError || error instanceof SoapFault;
      if (isRefusal && decideFailure(error, course).isGone === true)
        lease.endedByServer({ code: error.code });
    };
    claim.lost = () =>
      subscriber.error(
        idLost(
          url,
          'ErrorSubscriptionNotFound',
          'The server has given the id of this subscription to a new one.',
        ),
      );
    const events$ = events(id, lease);
    if (gap !== undefined) subscriber.next(gap);
    if (subscriber.closed) return;
    const all$ = course.journal === undefined ? events$ : merge(reached(course), events$);
    // With the subscriber itself: who leaves in the middle of a burst has ended it there.
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
