import { asyncScheduler, timer } from 'rxjs';
import { partitionIds, type Stream, type StreamContext, type StreamBehavior } from './stream.ts';

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
