import { catchError, EMPTY, Observable, Subscription, tap, throwError, asyncScheduler, defer } from 'rxjs';
import type { Lease } from '../../core/lifecycle/remoteResource.ts';
import { SuspendedError } from '../../core/lifecycle/suspension.ts';
import { type LiveApplication, probeApplication } from '../application/liveApplication.ts';
import { consume } from '../channel/eventBuffer.ts';
import type { KeyedEvent } from '../channel/eventRouter.ts';
import { type GapReason, gapReasonOf, recreatedEvent } from '../protocol/events.ts';
import { decide } from '../protocol/failures.ts';
import { hrefKey } from '../protocol/href.ts';
import type { UcwaSession } from '../session/session.ts';
import { retryTransient } from '../transport/backoff.ts';
import { classify, type EventRole, identified } from './eventFilter.ts';
import { type EventSource, setFilter } from './eventSource.ts';
import { memberships } from './memberships.ts';
import type { Ending, SubscriptionEnded } from './recreation.ts';
import type { Created, StreamConfig, SubscriptionSignal, SubscriptionType } from './subscriptionType.ts';
import { requestNothing } from '../protocol/request.ts';

/** A subscription that exists on the server. */
interface ActiveSubscription<Made extends Created> {
  readonly made: Made;
  readonly lease: Lease;
  readonly application: LiveApplication;
  readonly expiresAt: number;
  readonly isReplacement: boolean;
  /** Returns the error with which the subscription ends. */
  readonly ended: (ending: Ending) => SubscriptionEnded;
}

/**
 * Returns an Observable of the signals of a subscription that was created, which it renews and updates.
 *
 * It is one Observable instead of a chain of operators: thousands of subscriptions are active at a time.
 */
export function activeSubscription<Made extends Created, Value>(
  { session, type, source, select }: StreamConfig<Made, Value>,
  { made, lease, application, expiresAt, isReplacement, ended }: ActiveSubscription<Made>,
): Observable<Value> {
  return new Observable((subscriber) => {
    let isAnnounced = false;
    let updating = Subscription.EMPTY;
    let renewNow: ((trigger: RenewalTrigger) => void) | undefined;

    const emit = (signal: SubscriptionSignal<Made>): void => {
      const value = select(signal);
      if (value !== undefined) subscriber.next(value);
    };

    const process = (keyed: KeyedEvent, role: EventRole): void => {
      if (role === 'foreign') return;
      const reason = gapReasonOf(keyed.event);
      if (role === 'created') isAnnounced = true;
      if (role === 'deleted') lease.endedByServer({ deletedEvent: 'seen' });
      const loss = lossBy(reason, application, isAnnounced);
      if (loss?.isRemoved === true) lease.endedByServer();
      emit(keyed);
      if (role === 'deleted') subscriber.error(ended('deleted'));
      else if (loss !== undefined) subscriber.error(ended(isSuspension(application) ? 'suspended' : 'lost'));
      else if (subscriber.closed) return;
      else if (role === 'expiring') renewNow?.('expiring');
      else if (reason === 'resync') renewNow?.('resync');
    };

    const take = (keyed: KeyedEvent): Observable<unknown> | undefined => {
      const role = classify(source.filter, keyed);
      if (role !== 'unidentified') process(keyed, role);
      else if (made.memberships !== undefined) {
        return identification(session, source, made.self, made.memberships).pipe(
          tap(() => process(keyed, classify(source.filter, keyed))),
        );
      }
      return undefined;
    };

    const failed = (error: unknown): void => {
      // Everything on an application is gone together with it.
      if (application.isGone) lease.endedByServer();
      subscriber.error(error);
    };

    const onRefused = (error: unknown): void => {
      updating.unsubscribe();
      if (decide('release', error, 1) !== 'gone') {
        subscriber.error(error);
        return;
      }
      subscriber.add(
        probeApplication(application, session).subscribe({
          next: (isThere) => {
            // If the application is gone, the channel reports it at the right position.
            if (!isThere) return;
            lease.endedByServer();
            subscriber.error(ended('gone'));
          },
          error: (cause: unknown) => subscriber.error(cause),
        }),
      );
    };

    emit({ made, application });
    source.report('current');
    session.ledger.inspection?.created(source.inspected, made.self);
    updating =
      type.update?.(made)?.subscribe({ next: () => subscriber.error(ended('replaced')), error: onRefused }) ??
      updating;
    subscriber.add(updating);
    if (isReplacement) {
      emit({ event: recreatedEvent({ rel: type.resource, href: made.self }, application.self), keys: [] });
    }
    consume(source.buffer, { take, failed }).subscribe(subscriber);
    // Gaps that were buffered are older than the subscription: they are no reason to renew it.
    if (!subscriber.closed) {
      renewNow = renewal(
        { session, type, made, expiresAt, onExtended: lease.extendedTo, onRefused },
        subscriber,
      );
    }
  });
}

/** Whether this connection has removed the application, because it was suspended. */
function isSuspension({ endedBy }: LiveApplication): boolean {
  return endedBy instanceof SuspendedError;
}

/** Returns whether a gap ends the subscription, and whether it is certain that the server has removed it. */
function lossBy(
  reason: GapReason | undefined,
  { isEnded, isGone }: LiveApplication,
  isAnnounced: boolean,
): { readonly isRemoved: boolean } | undefined {
  // An application that was handed over to another client still has the subscription: it has to be removed.
  if (reason === 'recreated') return isEnded ? { isRemoved: isGone } : undefined;
  // A subscription that was announced before the gap is gone. Another one may have been created after the
  // loss.
  return reason === 'resume' ? { isRemoved: isAnnounced } : undefined;
}

/** Returns an Observable that reads which contacts belong to the subscription. */
function identification(
  { transport, pause }: UcwaSession,
  source: EventSource,
  self: string,
  url: string,
): Observable<unknown> {
  return memberships(transport, url, hrefKey(self)).pipe(
    retryTransient('channel', pause),
    // The event that reports the end of the subscription follows.
    catchError((error: unknown) =>
      decide('channel', error, 1) === 'gone' ? EMPTY : throwError(() => error),
    ),
    tap((found) => setFilter(source, identified(source.filter, found))),
  );
}

/** Why a renewal may be due now: the server announced the expiry, or it has dropped events. */
export type RenewalTrigger = 'expiring' | 'resync';

/** A subscription to renew. */
interface RenewalConfig<Made extends Created> {
  readonly session: UcwaSession;
  readonly type: SubscriptionType<Made>;
  readonly made: Made;
  /** When the server ends it, in milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
  /** Receives the new expiry after each renewal. */
  readonly onExtended: (expiresAt: number) => void;
  /** Receives the error of a renewal that is not transient. */
  readonly onRefused: (error: unknown) => void;
}

const MINUTE_MS = 60_000;
/** The server keeps no subscription for longer, however often it is extended. [presenceSubscription_ref] */
const MOST_MINUTES = 30;
/** The latest renewal before the expiry. */
const MARGIN_MS = 5 * MINUTE_MS;
/** The server announces each extension as `updated`, too. */
const JUST_RENEWED_MS = MINUTE_MS;

/**
 * Returns the time between renewals, in milliseconds: two thirds of the duration, or all but five minutes.
 */
export function renewAfterMs(durationMinutes: number): number {
  const duration = durationMinutes * MINUTE_MS;
  return duration - Math.min(MARGIN_MS, duration / 3);
}

/**
 * Renews a subscription before it expires, until `lifetime` is unsubscribed. Transient failures are retried.
 *
 * @returns A function that renews it now, unless a renewal is under way or has just been done.
 *
 * @see [MS-UCWA] ExtendAPresenceSubscription
 */
export function renewal<Made extends Created>(
  { session, type, made, expiresAt: firstExpiry, onExtended, onRefused }: RenewalConfig<Made>,
  lifetime: Subscription,
): (trigger: RenewalTrigger) => void {
  const { transport, pause, timers } = session;
  const { resource, durationMinutes } = type;
  const afterMs = renewAfterMs(durationMinutes);
  let expiresAt = firstExpiry;
  /** When the current wait began; undefined while a renewal is under way. */
  let waitingSince: number | undefined;

  const wait = (): void => {
    waitingSince = asyncScheduler.now();
    timers.set(afterMs, renew);
  };

  const renew = (): void => {
    waitingSince = undefined;
    // A repeated extension is harmless: the server caps the time that is left at 30 minutes.
    const renewed$ = defer(() =>
      requestNothing(transport, { ...type.extend(made, durationMinutes), idempotent: true }, resource),
    );
    lifetime.add(
      renewed$.pipe(retryTransient('release', pause)).subscribe({
        next: () => {
          const now = asyncScheduler.now();
          const latest = now + MOST_MINUTES * MINUTE_MS;
          expiresAt = Math.min(Math.max(expiresAt, now) + durationMinutes * MINUTE_MS, latest);
          onExtended(expiresAt);
        },
        error: onRefused,
        complete: wait,
      }),
    );
  };

  lifetime.add(() => timers.clear(afterMs, renew));
  wait();
  return (trigger) => {
    if (waitingSince === undefined) return;
    if (trigger === 'expiring' && asyncScheduler.now() - waitingSince < JUST_RENEWED_MS) return;
    timers.clear(afterMs, renew);
    renew();
  };
}
