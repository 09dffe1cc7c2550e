import { asyncScheduler, timer, type Subscription } from 'rxjs';
import { partitionIds, type Stream, type StreamContext, type StreamBehavior } from './stream.ts';
import type { StreamNotification } from '../responses/responses.ts';

/**
 * Creates the behavior of Exchange streams.
 *
 * Pending events are sent at once, and heartbeats at fixed times if nothing else was sent. A single lost
 * subscription ends a request for several.
 */
export function exchangeStreams({
  store,
  heartbeatMs,
  write,
  open,
  streamsOf,
  end,
}: StreamContext): StreamBehavior {
  /** The streams that have sent something since their last heartbeat. */
  const busy = new WeakSet<Stream>();

  const deliver = (stream: Stream): void => {
    const notifications = [...stream.ids]
      .map((id) => ({ id, ...store.takeEvents(id) }))
      .filter(({ events }) => events.length > 0);
    if (notifications.length === 0) return;
    busy.add(stream);
    write(stream, { notifications, status: 'OK' });
  };

  const fail = (stream: Stream, ids: readonly string[], code: string): void => {
    for (const id of ids) stream.ids.delete(id);
    write(stream, { failedIds: ids, code, status: 'OK' });
  };

  const reportFailed = (stream: Stream): void => {
    for (const [code, ids] of partitionIds(stream, store).failed) fail(stream, ids, code);
  };

  const close = (stream: Stream): void => write(stream, { status: 'Closed' });

  const beat = (stream: Stream): void => {
    if (!stream.body.isRead) {
      end(stream);
      return;
    }
    reportFailed(stream);
    deliver(stream);
    if (!busy.has(stream)) {
      const notifications = [...stream.ids].map((id) => ({ id, events: [], moreEvents: false }));
      write(stream, { notifications, status: 'OK' });
    }
    busy.delete(stream);
    stream.timers.add(timer(heartbeatMs).subscribe(() => beat(stream)));
  };

  return {
    deliver,
    reportFailed,
    close,
    begin: (stream) => {
      const { failed } = partitionIds(stream, store);
      for (const [code, ids] of failed) write(stream, { failedIds: ids, code, status: 'Closed' });
      if (failed.size > 0) {
        end(stream);
        return;
      }
      for (const other of streamsOf([...stream.ids])) {
        write(other, { code: 'ErrorNewEventStreamConnectionOpened', status: 'Closed' });
        end(other);
      }
      open(stream);
      write(stream, { status: 'OK' });
      deliver(stream);
      stream.timers.add(timer(heartbeatMs).subscribe(() => beat(stream)));
      stream.timers.add(
        timer(stream.expiresAt - asyncScheduler.now()).subscribe(() => {
          close(stream);
          end(stream);
        }),
      );
    },
    removed: (stream, id) => {
      if (stream.ids.size > 1) {
        fail(stream, [id], 'ErrorSubscriptionUnsubscribed');
        return;
      }
      close(stream);
      end(stream);
    },
  };
}

/** The differences between versions of grommunio. */
interface GrommunioStreamOptions {
  /** Whether it is version 3.9 or earlier. */
  readonly isOld: boolean;
  /** The interval at which it checks streams for pending events; 0 sends at once. */
  readonly cacheIntervalMs: number;
}

/** The time in which a stream collects further events. */
const GATHERING_MS = 100;

/**
 * Creates the behavior of grommunio streams.
 *
 * Each message names all subscriptions of the stream, and pending events are sent with the first heartbeat. A
 * stream ends with its next message, and as a whole when one of its subscriptions is removed or another
 * stream opens for it.
 */
export function grommunioStreams(
  { store, heartbeatMs, write, open, streamsOf, end }: StreamContext,
  { isOld, cacheIntervalMs }: GrommunioStreamOptions,
): StreamBehavior {
  const wakes = new WeakMap<Stream, Subscription>();
  /** The number of pending events that have not woken a stream. */
  const noticed = new WeakMap<Stream, number>();

  const pending = ({ ids }: Stream): number => [...ids].reduce((sum, id) => sum + store.countPending(id), 0);

  const wakeIn = (stream: Stream, ms: number): void => {
    wakes.get(stream)?.unsubscribe();
    const due = asyncScheduler.now() + ms;
    const wakeAt = cacheIntervalMs === 0 ? due : Math.ceil(due / cacheIntervalMs) * cacheIntervalMs;
    const waking = timer(wakeAt - asyncScheduler.now()).subscribe(() => {
      // A server notices the missing reader when it writes.
      if (stream.body.isRead) update(stream);
      else end(stream);
    });
    wakes.set(stream, waking);
    stream.timers.add(waking);
  };

  /** Takes the pending events of subscriptions. */
  const take = (ids: readonly string[]): readonly StreamNotification[] =>
    ids.map((id) => ({ id, ...store.takeEvents(id) }));

  const finish = (stream: Stream): void => {
    write(stream, { status: 'Closed' });
    end(stream);
  };

  const update = (stream: Stream): void => {
    const { served, failed } = partitionIds(stream, store);
    const [code] = failed.keys();
    const failedIds = [...failed.values()].flat();
    for (const id of failedIds) stream.ids.delete(id);
    const notifications = take(served);
    noticed.set(stream, pending(stream));
    const isClosing = served.length === 0 || asyncScheduler.now() >= stream.expiresAt;
    write(
      stream,
      isOld
        ? { notifications, failedIds, status: 'OK' }
        : { notifications, failedIds, code, status: isClosing || code !== undefined ? 'Closed' : 'OK' },
    );
    if (isClosing) finish(stream);
    else if (notifications.some(({ moreEvents }) => moreEvents)) update(stream);
    else wakeIn(stream, heartbeatMs);
  };

  return {
    begin: (stream) => {
      const { served, failed } = partitionIds(stream, store);
      const [code] = failed.keys();
      const failedIds = [...failed.values()].flat();
      // Without others, its next message names them again.
      if (served.length > 0) for (const id of failedIds) stream.ids.delete(id);
      const rivals = streamsOf(served);
      noticed.set(stream, pending(stream));
      rivals.forEach(finish);
      open(stream);
      write(stream, {
        failedIds,
        code,
        status: code === undefined || isOld ? 'OK' : 'Closed',
      });
      // The end of the other streams has cancelled their subscriptions, which closes this stream as well.
      if (isOld && rivals.length > 0 && served.length > 0) finish(stream);
      else wakeIn(stream, heartbeatMs);
    },
    deliver: (stream) => {
      const waiting = pending(stream);
      if (waiting <= (noticed.get(stream) ?? 0)) return;
      noticed.set(stream, waiting);
      if (cacheIntervalMs === 0) update(stream);
      else wakeIn(stream, GATHERING_MS);
    },
    reportFailed: (stream) => {
      if (partitionIds(stream, store).failed.size > 0) update(stream);
    },
    removed: finish,
    close: (stream) => {
      write(stream, { notifications: take(partitionIds(stream, store).served), status: 'Closed' });
      write(stream, { status: 'Closed' });
    },
  };
}
