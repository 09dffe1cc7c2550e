import { asyncScheduler, concat, defer, EMPTY, map, merge, Observable, of, Subject, tap } from 'rxjs';
import { decode } from '../core/decode.ts';
import type { ReleaseResult } from '../core/release.ts';
import { type Lease, remoteResource } from '../core/remoteResource.ts';
import type { RequestProgress } from '../core/transport.ts';
import type { Claim, Claims } from './claims.ts';
import { type Course, gapEvent } from './course.ts';
import { decide, decideUnsubscribe } from './decision.ts';
import { subscribeEnvelope, unsubscribeEnvelope } from './envelope.ts';
import { EwsError, SoapFault } from './errors.ts';
import { polls } from './polls.ts';
import type { PullPlan } from './pullOptions.ts';
import { ANSWER_WITHIN_MS, type ServiceInternals } from './service.ts';
import type { EwsEvent } from './events.ts';
import { SubscribeAnswer } from './wire.ts';

/** A subscription that the server has made. */
interface PullHandle {
  readonly id: string;
  readonly watermark: string | undefined;
  /** When it was asked for, and when that was answered, in milliseconds of the scheduler's clock. */
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Whether an older subscription had this id until now, and may have been handed events of this one. */
  readonly wasShared: boolean;
  /** Errors when the server gives the same id to another subscription. */
  readonly lost$: Observable<never>;
}

const readAnswer = decode(SubscribeAnswer, 'Subscribe response');

/**
 * Returns an Observable that makes one pull subscription, emits its events, and removes it. It errors with
 * whatever ends it before its subscriber does.
 */
export function pullSubscription(
  internals: ServiceInternals,
  plan: PullPlan,
  course: Course,
): Observable<EwsEvent> {
  course.operation = 'Subscribe';
  course.hasAnswered = false;
  return remoteResource<PullHandle, EwsEvent, Claim>({
    resource: 'PullSubscription',
    ledger: internals.ledger,
    within: openClaim(internals.claims),
    acquire: (claim, onProgress) => subscribe(internals, plan, course.watermark, claim, onProgress),
    identify: ({ id }) => id,
    expiresAt: ({ answeredAt }) => answeredAt + plan.timeoutMs,
    use: (handle, lease) => follow(internals, plan, course, handle, lease),
    release: ({ id }, claim) => unsubscribe(internals, id, claim),
    decide: decideUnsubscribe,
    backoff: internals.retry,
    ifLost:
      'The server may hold a subscription whose id nobody knows; it ends by itself ' +
      `${plan.request.timeoutMinutes} minutes after it was asked for.`,
  });
}

/** The claim is there until the release is over. */
function openClaim(claims: Claims): Observable<Claim> {
  return new Observable((subscriber) => {
    const claim = claims.open();
    subscriber.next(claim);
    return () => claim.drop();
  });
}

function subscribe(
  { send, url }: ServiceInternals,
  plan: PullPlan,
  watermark: string | undefined,
  claim: Claim,
  onProgress: (progress: RequestProgress) => void,
): Observable<PullHandle> {
  return defer(() => {
    const askedAt = asyncScheduler.now();
    return send({
      name: 'Subscribe',
      envelope: (head) => subscribeEnvelope(head, { ...plan.request, watermark }),
      onProgress,
    }).pipe(
      map((answer) => {
        const { subscriptionId: id, watermark: given } = readAnswer(answer);
        const lost$ = new Subject<never>();
        const wasShared = claim.take(id, () => lost$.error(takenOver(url)));
        return { id, watermark: given, askedAt, answeredAt: asyncScheduler.now(), wasShared, lost$ };
      }),
    );
  });
}

function takenOver(url: string): EwsError {
  return new EwsError(
    { operation: 'Subscribe', url },
    {
      responseCode: 'ErrorSubscriptionNotFound',
      messageText: 'The server has given the id of this subscription to a new one.',
      values: new Map(),
    },
  );
}

function follow(
  internals: ServiceInternals,
  plan: PullPlan,
  course: Course,
  { id, watermark, askedAt, wasShared, lost$ }: PullHandle,
  lease: Lease,
): Observable<EwsEvent> {
  const reason = course.gap ?? (wasShared ? 'answerLost' : undefined);
  const gap$ = reason === undefined ? EMPTY : of(gapEvent(course, id, reason));
  // Where a watermark was asked for, the stream goes on from that one, whichever the answer names.
  if (course.watermark === undefined) {
    course.watermark = watermark;
    course.since = new Date(askedAt);
  }
  course.gap = undefined;
  course.hasSubscribed = true;
  course.operation = 'GetEvents';
  return concat<EwsEvent[]>(gap$, merge(lost$, polls(internals, plan, course, id, lease))).pipe(
    tap({
      error: (error: unknown) => {
        const isRefusal = error instanceof EwsError || error instanceof SoapFault;
        if (isRefusal && decide(error, course).gone === true) lease.endedByServer({ code: error.code });
      },
    }),
  );
}

function unsubscribe({ send }: ServiceInternals, id: string, claim: Claim): Observable<ReleaseResult> {
  // The id is another subscription's by now: this one is gone, and the other must stay.
  if (!claim.holds(id)) return of({ alreadyGone: true });
  return send({
    name: 'Unsubscribe',
    envelope: (head) => unsubscribeEnvelope(head, id),
    keepalive: true,
    answerWithinMs: ANSWER_WITHIN_MS,
  }).pipe(map(() => ({})));
}
