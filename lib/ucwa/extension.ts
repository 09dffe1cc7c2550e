import {
  asyncScheduler,
  catchError,
  defer,
  filter,
  ignoreElements,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  of,
  repeat,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { Transport } from '../core/transport.ts';
import type { LiveApplication } from './application.ts';
import { decide } from './decision.ts';
import type { Doubt } from './ownEvents.ts';
import { isStillThere } from './isStillThere.ts';
import { patiently, type Pause } from './pause.ts';
import { requestNothing } from './request.ts';

/** A subscription that is to be kept. */
export interface Extension {
  readonly transport: Transport;
  readonly pause: Pause;
  readonly application: LiveApplication;
  /** Absolute. */
  readonly self: string;
  readonly durationMinutes: number;
  /** The server will have ended it by then, in milliseconds of the scheduler's clock. */
  readonly expiresAt: number;
  /** Emits where it may have to be extended sooner. */
  readonly doubtful$: Observable<Doubt>;
  /** Told by when the server will have ended it after each extension. */
  readonly onExtended: (expiresAt: number) => void;
}

const MINUTE_MS = 60_000;
/** The server keeps none for longer, however often it is extended. [presenceSubscription_ref] */
const MOST_MINUTES = 30;
/** How long before its expiry one is extended at the latest. */
const MARGIN_MS = 5 * MINUTE_MS;
/** One that was extended just now is not about to expire: the server tells of the extension itself. */
const JUST_NOW_MS = MINUTE_MS;

/** How long after its creation or extension one is extended: a third of its time is left, or five minutes. */
export function extendAfterMs(durationMinutes: number): number {
  const duration = durationMinutes * MINUTE_MS;
  return duration - Math.min(MARGIN_MS, duration / 3);
}

/**
 * Returns an Observable that extends a presence subscription before it expires, again and again, with
 * patience; also when the server says that it is about to expire, and when it may have lost it.
 *
 * It emits when it finds that the subscription is gone, but not the application: the documented answer is the
 * same for both, so the application is probed. When that is gone it is told so, and nothing is emitted. It
 * errors when the server refuses to extend it. [ExtendAPresenceSubscription]
 */
export function extension(subscription: Extension): Observable<void> {
  const { transport, pause, application, self, durationMinutes, doubtful$, onExtended } = subscription;

  const extend = defer(() => {
    const url = new URL(self);
    url.searchParams.set('duration', String(durationMinutes));
    // Extending twice by accident does no harm: no more than 30 minutes come of it.
    const request = { method: 'POST', url: url.href, idempotent: true };
    return requestNothing(transport, request, 'presenceSubscription');
  }).pipe(patiently('release', pause));

  return defer(() => {
    let { expiresAt } = subscription;

    const extended = (): void => {
      const now = asyncScheduler.now();
      const longest = now + MOST_MINUTES * MINUTE_MS;
      expiresAt = Math.min(Math.max(expiresAt, now) + durationMinutes * MINUTE_MS, longest);
      onExtended(expiresAt);
    };

    const once = defer(() => {
      const since = asyncScheduler.now();
      const isSerious = (doubt: Doubt): boolean =>
        doubt === 'resync' || asyncScheduler.now() - since >= JUST_NOW_MS;
      return merge(timer(extendAfterMs(durationMinutes)), doubtful$.pipe(filter(isSerious))).pipe(take(1));
    });

    return once.pipe(
      mergeMap(() => extend),
      tap(extended),
      ignoreElements(),
      repeat(),
      catchError((error: unknown) =>
        decide('release', error, 1) === 'gone'
          ? isStillThere(application, { transport, pause })
          : throwError(() => error),
      ),
      // With the application went everything on it: the channel tells of that, at its place.
      mergeMap((isThere) => (isThere ? of(undefined) : NEVER)),
    );
  });
}
