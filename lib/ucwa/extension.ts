import {
  asyncScheduler,
  defer,
  filter,
  ignoreElements,
  merge,
  mergeMap,
  type Observable,
  repeat,
  take,
  tap,
  timer,
} from 'rxjs';
import type { Transport } from '../core/transport.ts';
import type { Doubt } from './ownEvents.ts';
import { patiently, type Pause } from './pause.ts';
import { requestNothing, type UcwaRequest } from './request.ts';

/** A subscription that is to be kept. */
export interface Extension {
  readonly transport: Transport;
  readonly pause: Pause;
  /** In the protocol's own word. */
  readonly resource: string;
  /** What extends it. */
  readonly request: () => UcwaRequest;
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
 * Returns an Observable that extends a subscription before it expires, again and again, with patience; also when
 * the server says that it is about to expire, and when it may have lost it. It emits nothing, and errors when it
 * cannot be extended: because the server refuses to, or no longer knows it. [ExtendAPresenceSubscription]
 */
export function extension(subscription: Extension): Observable<never> {
  const { transport, pause, resource, request, durationMinutes, doubtful$, onExtended } = subscription;

  // Extending twice by accident does no harm: no more than 30 minutes come of it.
  const extend = defer(() => requestNothing(transport, { ...request(), idempotent: true }, resource)).pipe(
    patiently('release', pause),
  );

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
    );
  });
}
