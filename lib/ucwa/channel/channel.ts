import { finalize, merge, Observable, share, Subject, switchMap, takeUntil, tap } from 'rxjs';
import type { StatusTracker } from '../../core/connectionStatus.ts';
import type { EventBatch } from '../protocol/cursor.ts';
import type { EventRouter } from './eventRouter.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { longPoll, type LongPollConfig, type DeliveryLock } from './longPoll.ts';
import { gapEvent, recreatedEvent } from '../protocol/events.ts';

/** The configuration of the event channel. */
interface ChannelConfig extends LongPollConfig {
  readonly application$: Observable<LiveApplication>;
  readonly router: EventRouter;
  /** Emits when the connection is suspended: the pending request ends. */
  readonly suspended$: Observable<unknown>;
  readonly status: StatusTracker;
}

/**
 * Returns an Observable of the batches of the event channel, one long poll that all subscribers share.
 *
 * It polls while it is subscribed to, and resumes at the last cursor. Responses without events are not
 * emitted. After transient failures the same cursor is requested again, with backoff. If the application is
 * re-created, a batch with a `gap` event is emitted, and the new channel follows. It errors with permanent
 * failures, and with the error that ends the application.
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
    const unsubscribed = new Subject<void>();
    const report = config.status.begin();
    const suspended$ = config.suspended$.pipe(tap(() => report('behind')));
    // Added first, so that the pending request is aborted before the application is released.
    subscriber.add(() => unsubscribed.next());
    config.router.open();
    const lock: DeliveryLock = { isLocked: false, resume: () => undefined };
    config.application$
      .pipe(
        switchMap((application, index) =>
          longPoll(application, config, gapBefore(application, index), lock, report).pipe(
            takeUntil(application.isOwn ? merge(unsubscribed, suspended$) : unsubscribed),
          ),
        ),
      )
      .subscribe(subscriber);
    subscriber.add(() => report(undefined));
  });
}

/** Returns the batch that reports a loss before an application. */
function gapBefore(application: LiveApplication, index: number): readonly EventBatch[] {
  const { self, events, pendingGap: gap = index === 0 ? undefined : 'recreated' } = application;
  application.pendingGap = undefined;
  if (gap === undefined) return [];
  const event =
    gap === 'recreated'
      ? recreatedEvent({ rel: 'application', href: self }, self)
      : gapEvent(gap, events, events);
  return [{ next: events, gap, events: [event] }];
}
