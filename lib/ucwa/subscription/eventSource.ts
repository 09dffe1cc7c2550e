import type { StatusTracker, StreamReport } from '../../core/connectionStatus.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import type { ChannelRefCount } from '../channel/channel.ts';
import { close as closeBuffer, type EventBuffer, eventBuffer, fail, push } from '../channel/eventBuffer.ts';
import type { EventListener, EventRouter, KeyedEvent } from '../channel/eventRouter.ts';
import { type EventFilter, initialFilter, type Interest, routingKeys, unbound } from './eventFilter.ts';
import { defer, map, merge, type Observable, of, ReplaySubject, take, timer } from 'rxjs';
import type { UcwaSession } from '../session/session.ts';

/** The members of a session that an {@link EventSource} uses. */
interface Channel {
  readonly status: StatusTracker;
  readonly router: EventRouter;
  readonly channelRefCount: ChannelRefCount;
  readonly ledger: Pick<ReleaseLedger, 'inspection'>;
}

/**
 * The events of one stream, through all of its subscriptions, and the filter that belongs to the current one.
 *
 * A record and functions, like its buffer: there may be ten thousand.
 */
export interface EventSource {
  readonly channel: Channel;
  /** Holds the events that arrive before the subscription is known. */
  readonly buffer: EventBuffer<KeyedEvent>;
  /** Written by {@link setFilter} only. */
  filter: EventFilter;
  readonly listener: EventListener;
  readonly failed: (error: unknown) => void;
  /** Reports whether the stream has a subscription. */
  readonly report: StreamReport;
  /** The number of the stream, for inspectors. */
  readonly inspected: number | undefined;
}

/** Creates a source that receives nothing yet. It counts as a stream until it is closed. */
export function eventSource(channel: Channel, interest: Interest): EventSource {
  const buffer = eventBuffer<KeyedEvent>();
  return {
    channel,
    buffer,
    filter: initialFilter(interest),
    listener: (keyed) => push(buffer, keyed),
    failed: (error) => fail(buffer, error),
    report: channel.status.begin(),
    inspected: channel.ledger.inspection?.subscribing,
  };
}

/** Opens the channel, and buffers the events of interest until the next subscription is known. */
export function listen(source: EventSource): void {
  setFilter(source, unbound(source.filter));
  // An error of the channel ends the stream, which must not reopen the channel.
  if (source.buffer.failure === undefined) source.channel.channelRefCount.acquire(source.failed);
}

/** Replaces the filter, and receives the events that it needs. */
export function setFilter(source: EventSource, filter: EventFilter): void {
  if (source.buffer.isClosed || source.filter === filter) return;
  source.filter = filter;
  source.channel.router.route(source.listener, routingKeys(filter));
}

/** Releases the channel, and drops all buffered events. */
export function close({ channel, buffer, listener, failed, report }: EventSource): void {
  report(undefined);
  closeBuffer(buffer);
  channel.router.unregister(listener);
  channel.channelRefCount.release(failed);
}

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
