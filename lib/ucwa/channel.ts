import { finalize, Observable, share, Subject, switchMap, takeUntil, tap } from 'rxjs';
import type { EventBatch } from './cursor.ts';
import type { Dispatch } from './dispatch.ts';
import type { LiveApplication } from './liveApplication.ts';
import { longPoll, type LongPollConfig, type Turn } from './longPoll.ts';
import { lossEvent, recreationEvent } from './reset.ts';

/** How the event channel is read. */
export interface ChannelConfig extends LongPollConfig {
  readonly application$: Observable<LiveApplication>;
  readonly dispatch: Dispatch;
}

/**
 * Returns an Observable of what the event channel brings, one long poll that all subscribers share: it runs
 * while anybody is subscribed, and goes on where it was left.
 *
 * Answers without events are not emitted. What passes by itself is waited for, with backoff, at the same
 * cursor. When the application is gone and made again, a batch with a `reset` event stands at that place, and
 * the new channel follows. It errors with what does not pass, and with what ends the application.
 */
export function channel(config: ChannelConfig): Observable<EventBatch> {
  const { dispatch } = config;
  return polled(config).pipe(
    tap((batch) => dispatch.give(batch)),
    finalize(() => dispatch.close()),
    share(),
  );
}

function polled(config: ChannelConfig): Observable<EventBatch> {
  return new Observable((subscriber) => {
    const left = new Subject<void>();
    // Added before all else: the request that waits is over before the application is let go of.
    subscriber.add(() => left.next());
    config.dispatch.open();
    const turn: Turn = { isTaken: false, next: () => undefined };
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
  const { self, events, lost: reset = index === 0 ? undefined : 'recreated' } = application;
  application.lost = undefined;
  if (reset === undefined) return [];
  const event =
    reset === 'recreated'
      ? recreationEvent({ rel: 'application', href: self }, self)
      : lossEvent(reset, events, events);
  return [{ next: events, reset, events: [event] }];
}
