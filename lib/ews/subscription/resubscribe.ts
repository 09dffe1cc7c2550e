import {
  defer,
  filter,
  merge,
  mergeMap,
  type Observable,
  retry,
  switchMap,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { backoff, type Pause } from '../../core/backoff/backoff.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import { backoffTimer, type StreamProgress, lost } from './progress.ts';
import { decideFailure, type EwsDecision } from '../protocol/failures.ts';
import type { EwsSession, ServerSession } from '../session/session.ts';
import type { EwsEvent } from '../protocol/events.ts';

/** A mailbox that is being moved, or whose store is failing over, is not back in seconds. */
const MOVE_RETRY_MS = 60_000;
/** How often to try again what has never worked, where the service names nothing. */
export const DEFAULT_RETRIES = 4;

/**
 * Returns an Observable that keeps one subscription after another on the server, until it is unsubscribed from
 * or an error comes up that another subscription would not mend.
 *
 * @param resume Whether to go on from the last watermark when the server has lost the subscription.
 * @param one Makes one subscription, where the service is, on the course that outlives it.
 */
export function resubscribe(
  service: EwsSession,
  course: StreamProgress,
  resume: boolean,
  one: (here: ServerSession) => Observable<EwsEvent>,
): Observable<EwsEvent> {
  // Until it is known where the service is, the lookup itself waits: once for all.
  let pause: Pause = () => timer(0);
  const oneHere = (here: ServerSession): Observable<EwsEvent> => {
    ({ pause } = here.backoff);
    return one(here);
  };
  return whereItIs(service, course, oneHere).pipe(
    retry({
      delay: (error: unknown) => {
        course.ended?.(error);
        return whenToGoOn(service, course, { resume, pause }, error);
      },
    }),
  );
}

function whereItIs(
  { fixed, current$: here$ }: EwsSession,
  course: StreamProgress,
  one: (here: ServerSession) => Observable<EwsEvent>,
): Observable<EwsEvent> {
  // Where there is nothing to switch to, each of thousands is without a switchMap.
  if (fixed !== undefined) return defer(() => one(fixed()));
  let place: string | undefined;
  return here$.pipe(
    // What was made elsewhere is removed there, and its watermarks are good for nothing here.
    switchMap((here) => {
      if (place !== undefined && place !== here.url) goAfresh(course, { gap: 'mailboxMoved' });
      place = here.url;
      return one(here);
    }),
  );
}

/** Emits when it is time for the next subscription; errors where there is to be none. */
function whenToGoOn(
  { retry: policy, ledger, invalidateLocation: relocate, whenUnreachable }: EwsSession,
  course: StreamProgress,
  { resume, pause }: { readonly resume: boolean; readonly pause: Pause },
  error: unknown,
): Observable<unknown> {
  course.failures += 1;
  lost(course);
  const decision = decideFailure(error, course);
  const isPatient = course.hasSubscribed || (whenUnreachable === 'wait' && decision.action === 'retry');
  if (!isPatient && course.failures > (policy.retries ?? DEFAULT_RETRIES)) return throwError(() => error);
  const inARow = Math.max(course.failures, course.losses);
  const waited = (): Observable<unknown> => backoffTimer(pause, policy, inARow, decision);
  // A first loss is mended at once; losses in a row are no accident.
  const soon = (): Observable<unknown> => (inARow === 1 ? timer(0) : waited());
  switch (decision.action) {
    case 'resubscribe':
      if (!resume || course.watermark === undefined) goAfresh(course, decision);
      return soon();
    case 'resubscribeFromNow':
      goAfresh(course, decision);
      return soon();
    case 'resubscribeDelayed':
      goAfresh(course, decision);
      // Only now: until here, the old one is unsubscribed from where it was.
      return timer(backoff(inARow, policy, decision.delayMs ?? MOVE_RETRY_MS)).pipe(tap(relocate));
    case 'retry':
      return waited();
    case 'waitForReleases':
      return afterReleases(ledger, error);
    default:
      return throwError(() => error);
  }
}

/** Where nothing was followed yet, nothing can be missing. */
function goAfresh(course: StreamProgress, { gap }: Pick<EwsDecision, 'gap'>): void {
  if (course.hasSubscribed || course.watermark !== undefined) course.gap ??= gap;
  course.watermark = undefined;
}

/** How long to wait for releases at most: those at another server, which may be down, make no room at this one. */
const RELEASES_MS = 30_000;

/** The server's limit is reached: what this process is about to release makes room, if there is any. */
function afterReleases({ pending$ }: ReleaseLedger, error: unknown): Observable<unknown> {
  return pending$.pipe(
    take(1),
    mergeMap((pending) =>
      pending === 0
        ? throwError(() => error)
        : merge(pending$.pipe(filter((count) => count === 0)), timer(RELEASES_MS)).pipe(take(1)),
    ),
  );
}
