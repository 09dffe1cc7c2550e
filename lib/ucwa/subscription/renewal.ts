import { asyncScheduler, defer, Observable } from 'rxjs';
import type { UcwaSession } from '../session/session.ts';
import type { RenewalTrigger, EventFilter } from './eventFilter.ts';
import { retryTransient } from '../transport/backoff.ts';
import { requestNothing } from '../protocol/request.ts';
import type { Created, SubscriptionType } from './subscriptionType.ts';

/** A subscription that is to be kept. */
interface Renewal<Made extends Created> {
  readonly kind: SubscriptionType<Made>;
  readonly made: Made;
  /** The server will have ended it by then, in milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
  /** Tells where it may have to be extended sooner. */
  readonly own: EventFilter;
  /** Told by when the server will have ended it after each extension. */
  readonly onExtended: (expiresAt: number) => void;
  /** Told of what ends it: the server refuses to extend the subscription, or no longer knows it. */
  readonly failed: (error: unknown) => void;
}

const MINUTE_MS = 60_000;
/** The server keeps none for longer, however often it is extended. [presenceSubscription_ref] */
const MOST_MINUTES = 30;
/** How long before its expiry one is extended at the latest. */
const MARGIN_MS = 5 * MINUTE_MS;
/** One that was extended just now is not about to expire: the server tells of the extension itself. */
const JUST_NOW_MS = MINUTE_MS;

/** How long after its creation or extension one is extended: a third of its time is left, or five minutes. */
export function renewAfterMs(durationMinutes: number): number {
  const duration = durationMinutes * MINUTE_MS;
  return duration - Math.min(MARGIN_MS, duration / 3);
}

/**
 * Returns an Observable that extends a subscription before it expires, again and again, with patience; also when
 * the server says that it is about to expire, and when it may have lost it. It emits nothing.
 * [ExtendAPresenceSubscription]
 */
export function renewal<Made extends Created>(
  { transport, pause, timers }: UcwaSession,
  { kind, made, expiresAt: endsAt, own, onExtended, failed }: Renewal<Made>,
): Observable<never> {
  const { resource, durationMinutes } = kind;
  const afterMs = renewAfterMs(durationMinutes);

  return new Observable((subscriber) => {
    let expiresAt = endsAt;
    /** Since when the next extension is waited for; undefined while it is under way. */
    let since: number | undefined;

    const wait = (): void => {
      since = asyncScheduler.now();
      timers.set(afterMs, extend);
    };

    const extend = (): void => {
      since = undefined;
      // Extending twice by accident does no harm: no more than 30 minutes come of it.
      const extended$ = defer(() =>
        requestNothing(transport, { ...kind.extend(made, durationMinutes), idempotent: true }, resource),
      );
      subscriber.add(
        extended$.pipe(retryTransient('release', pause)).subscribe({
          next: () => {
            const now = asyncScheduler.now();
            const longest = now + MOST_MINUTES * MINUTE_MS;
            expiresAt = Math.min(Math.max(expiresAt, now) + durationMinutes * MINUTE_MS, longest);
            onExtended(expiresAt);
          },
          error: failed,
          complete: wait,
        }),
      );
    };

    const doubted = (doubt: RenewalTrigger): void => {
      if (since === undefined) return;
      if (doubt !== 'resync' && asyncScheduler.now() - since < JUST_NOW_MS) return;
      timers.clear(afterMs, extend);
      extend();
    };

    own.doubted = doubted;
    subscriber.add(() => {
      timers.clear(afterMs, extend);
      if (own.doubted === doubted) own.doubted = undefined;
    });
    wait();
  });
}
