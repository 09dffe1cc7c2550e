import {
  asyncScheduler,
  defer,
  EMPTY,
  filter,
  merge,
  mergeMap,
  type Observable,
  of,
  retry,
  switchMap,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { backoff, type Pause } from '../../core/backoff/backoff.ts';
import { failureOf } from '../../core/backoff/outage.ts';
import { DEFAULT_MAX_RETRY_AFTER_MS, type RetryPolicy } from '../../core/backoff/withRetry.ts';
import { NetworkError } from '../../core/errors.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import { SuspendedError } from '../../core/lifecycle/suspension.ts';
import type { EwsEvent } from '../protocol/events.ts';
import { decideFailure, type EwsDecision } from '../protocol/failures.ts';
import type { EwsSession, ServerSession } from '../session/session.ts';
import type { OnLost } from './options.ts';
import { advance, type Stream } from './stream.ts';

/** A mailbox that is moving, or whose store fails over, is unavailable for minutes. */
const MOVE_RETRY_MS = 60_000;
/** How long to wait for releases: those at another server, which may be down, free nothing at this one. */
const RELEASES_MS = 30_000;
/** How often a request that never succeeded is sent again, if the connection has no `retries`. */
export const DEFAULT_RETRIES = 4;

/**
 * Returns an Observable that creates one subscription after another on the server, as the failure policy
 * decides.
 *
 * It errors with a failure that another subscription would not fix.
 *
 * @param onLost What to do when the server has lost the subscription.
 * @param subscribeAt Returns the events of one subscription at a server.
 */
export function resubscribe(
  session: EwsSession,
  stream: Stream,
  onLost: 'resume' | OnLost,
  subscribeAt: (server: ServerSession) => Observable<EwsEvent>,
): Observable<EwsEvent> {
  // The lookup of the server has a backoff of its own.
  let pause: Pause = () => timer(0);
  const subscribeHere = (server: ServerSession): Observable<EwsEvent> => {
    ({ pause } = server.backoff);
    return subscribeAt(server);
  };
  return atCurrentServer(session, stream, subscribeHere).pipe(
    retry({ delay: (error: unknown) => resubscribeDelay(session, stream, { onLost, pause }, error) }),
  );
}

function atCurrentServer(
  { fixed, current$ }: EwsSession,
  stream: Stream,
  subscribeAt: (server: ServerSession) => Observable<EwsEvent>,
): Observable<EwsEvent> {
  // One switchMap for each of thousands of streams takes memory: with a fixed URL there is nothing to switch
  // to.
  if (fixed !== undefined) return defer(() => subscribeAt(fixed()));
  let lastUrl: string | undefined;
  return current$.pipe(
    // The old subscription is removed at the old server, whose watermarks mean nothing to the new one.
    switchMap((server) => {
      if (lastUrl !== undefined && lastUrl !== server.url) advance(stream, { type: 'moved' });
      lastUrl = server.url;
      return subscribeAt(server);
    }),
  );
}

/**
 * Returns an Observable that emits when to subscribe again.
 *
 * It completes or errors if the stream is to do so.
 */
function resubscribeDelay(
  session: EwsSession,
  stream: Stream,
  { onLost, pause }: { readonly onLost: 'resume' | OnLost; readonly pause: Pause },
  error: unknown,
): Observable<unknown> {
  if (error instanceof SuspendedError) {
    advance(stream, { type: 'suspended', canResume: onLost === 'resume' });
    return of(undefined);
  }
  const { retry: policy, ledger, invalidateLocation, whenUnreachable, status } = session;
  const decision = decideFailure(error, stream.progress);
  const wasSubscribed = stream.progress.subscribedAt !== undefined;
  advance(stream, { type: 'failed', now: asyncScheduler.now(), decision, canResume: onLost === 'resume' });
  const { failures, shortLives, hasSubscribed } = stream.progress;
  // A network that fails for all streams of a working connection must not end the one that has just begun.
  const isOutage = error instanceof NetworkError && status.hasBeenCurrent();
  const waits = whenUnreachable === 'wait' || isOutage;
  const isUnlimited = hasSubscribed || (waits && decision.action === 'retry');
  if (!isUnlimited && failures > (policy.retries ?? DEFAULT_RETRIES)) return throwError(() => error);
  const inARow = Math.max(failures, shortLives);
  switch (decision.action) {
    case 'resubscribe':
    case 'resubscribeFromNow':
      if (wasSubscribed && onLost === 'error') return throwError(() => error);
      if (wasSubscribed && onLost === 'complete') return EMPTY;
      // One loss may be an accident; several in a row are not.
      return inARow === 1 ? timer(0) : backoffTimer(pause, policy, inARow, decision, error);
    case 'resubscribeDelayed': {
      // Invalidated after the wait: until then the old subscription is removed at the known server.
      const waitMs = backoff(inARow, policy, decision.delayMs ?? MOVE_RETRY_MS);
      status.record(failureOf(error, inARow, asyncScheduler.now() + waitMs));
      return timer(waitMs).pipe(tap(invalidateLocation));
    }
    case 'retry':
      return backoffTimer(pause, policy, inARow, decision, error);
    case 'waitForReleases':
      status.record(failureOf(error, inARow, asyncScheduler.now() + RELEASES_MS));
      return releasesOver(ledger, error);
    default:
      return throwError(() => error);
  }
}

/** Returns an Observable that emits when the current releases are over, and errors if there are none. */
function releasesOver({ pending$ }: ReleaseLedger, error: unknown): Observable<unknown> {
  return pending$.pipe(
    take(1),
    mergeMap((pending) =>
      pending === 0
        ? throwError(() => error)
        : merge(pending$.pipe(filter((count) => count === 0)), timer(RELEASES_MS)).pipe(take(1)),
    ),
  );
}

/**
 * Returns an Observable that emits once when the next attempt may start.
 *
 * @param failures The number of failures in a row.
 * @param decision Its `delayMs`, which the server chose, is bounded by `maxRetryAfterMs`.
 * @param error The last failure, for the status.
 */
export function backoffTimer(
  pause: Pause,
  { maxRetryAfterMs = DEFAULT_MAX_RETRY_AFTER_MS }: RetryPolicy,
  failures: number,
  { delayMs = 0 }: EwsDecision,
  error: unknown,
): Observable<unknown> {
  return pause(failures, { retryAfterMs: Math.min(delayMs, maxRetryAfterMs) }, error);
}
