import { asyncScheduler, defer, type Subscription } from 'rxjs';
import { requestNothing } from '../protocol/request.ts';
import type { UcwaSession } from '../session/session.ts';
import { retryTransient } from '../transport/backoff.ts';
import type { Created, SubscriptionType } from './subscriptionType.ts';

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
