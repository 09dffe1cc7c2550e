import { finalize, Observable, share, Subject, switchMap, takeUntil, tap } from 'rxjs';
import type { EventBatch } from '../protocol/cursor.ts';
import type { EventRouter } from './eventRouter.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { longPoll, type LongPollConfig, type DeliveryLock } from './longPoll.ts';
import { gapEvent, recreatedEvent } from '../protocol/events.ts';

/** How the event channel is read. */
interface ChannelConfig extends LongPollConfig {
  readonly application$: Observable<LiveApplication>;
  readonly router: EventRouter;
}

/**
 * Returns an Observable of what the event channel brings, one long poll that all subscribers share: it runs
 * while anybody is subscribed, and goes on where it was left.
 *
 * Answers without events are not emitted. What passes by itself is waited for, with backoff, at the same
 * cursor. When the application is gone and made again, a batch with a `gap` event stands at that place, and
 * the new channel follows. It errors with what does not pass, and with what ends the application.
 */
export function channel(config: ChannelConfig): Observable<EventBatch> {
  const { router } = config;
  return polled(config).pipe(
    tap((batch) => router.publish(batch)),
    finalize(() => router.close()),
    share(),
  );
}

function polled(config: ChannelConfig): Observable<EventBatch> {
  return new Observable((subscriber) => {
    const left = new Subject<void>();
    // Added before all else: the request that waits is over before the application is let go of.
    subscriber.add(() => left.next());
    config.router.open();
    const turn: DeliveryLock = { isLocked: false, resume: () => undefined };
    config.application$
      .pipe(
        switchMap((application, index) =>
          longPoll(application, config, lossBefore(application, index), turn).pipe(takeUntil(left)),
        ),
      )
      .subscribe(subscriber);
  });
}

/** Stands in the stream where one application ends and the one that was made in its place begins. */
function lossBefore(application: LiveApplication, index: number): readonly EventBatch[] {
  const { self, events, pendingGap: gap = index === 0 ? undefined : 'recreated' } = application;
  application.pendingGap = undefined;
  if (gap === undefined) return [];
  const event =
    gap === 'recreated'
      ? recreatedEvent({ rel: 'application', href: self }, self)
      : gapEvent(gap, events, events);
  return [{ next: events, gap, events: [event] }];
}
