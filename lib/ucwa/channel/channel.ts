import { finalize, merge, Observable, share, Subject, switchMap, takeUntil, tap, Subscription } from 'rxjs';
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

/** Receives the error that ends the event channel. It must not throw. */
export type OnChannelError = (error: unknown) => void;

/** Keeps the event channel open while it is in use, with one subscription for all users. */
export interface ChannelRefCount {
  /** Keeps the channel open until it is released or ends. Has no effect for a user that holds it. */
  readonly acquire: (onError: OnChannelError) => void;
  readonly release: (onError: OnChannelError) => void;
}

/** Creates a reference count of a channel. */
export function channelRefCount(channel$: Observable<unknown>): ChannelRefCount {
  const users = new Set<OnChannelError>();
  let open = Subscription.EMPTY;

  return {
    acquire: (onError) => {
      if (users.has(onError)) return;
      users.add(onError);
      if (users.size > 1) return;
      open = new Subscription();
      open.add(
        channel$.subscribe({
          error: (error: unknown) => {
            const all = [...users];
            // Before the calls: a user that acquires the channel because of the error opens it again.
            users.clear();
            for (const one of all) one(error);
          },
        }),
      );
    },
    release: (onError) => {
      if (users.delete(onError) && users.size === 0) open.unsubscribe();
    },
  };
}
