import { defer, map, merge, type Observable, of, ReplaySubject, take, timer } from 'rxjs';
import type { EventListener } from '../channel/eventRouter.ts';
import type { UcwaSession } from '../session/session.ts';

/** Observes whether the event channel announces the removal of a subscription. */
export interface DeletionWatch {
  /**
   * Emits once: `seen` if the `deleted` event came, `notSeen` if it did not come in time, `notWatched` if the
   * channel is closed.
   */
  readonly event$: Observable<'seen' | 'notSeen' | 'notWatched'>;
  close(): void;
}

/** The server's own default for how long it may hold back events of presence, in seconds. */
const MEDIUM_SECONDS = 5;
/** How long an event may be under way in addition. */
const MARGIN_MS = 2000;

/** Returns how long an event of presence may take to arrive, in milliseconds. */
export function eventDelayMs(mediumSeconds: number | undefined): number {
  return (mediumSeconds ?? MEDIUM_SECONDS) * 1000 + MARGIN_MS;
}

/** Creates a watch for a subscription, by the key of its href. It does not keep the channel open. */
export function deletionWatch(
  { router, mediumSeconds }: Pick<UcwaSession, 'router' | 'mediumSeconds'>,
  key: string,
): DeletionWatch {
  const seen = new ReplaySubject<'seen'>(1);
  const listener: EventListener = ({ event }) => {
    if (event.type === 'deleted') seen.next('seen');
  };
  router.route(listener, new Set([key]));
  return {
    event$: defer(() =>
      merge(
        seen,
        (router.isOpen ? router.closed$ : of(undefined)).pipe(map(() => 'notWatched' as const)),
        timer(eventDelayMs(mediumSeconds())).pipe(map(() => 'notSeen' as const)),
      ),
    ).pipe(take(1)),
    close: () => router.unregister(listener),
  };
}
