import { asyncScheduler, type Subscription, timer } from 'rxjs';
import type { StreamNotification } from '../responses/responses.ts';
import { partitionIds, type Stream, type StreamContext, type StreamBehavior } from './stream.ts';

/** How the versions of grommunio differ. */
interface GrommunioStreamOptions {
  /** Whether it is version 3.9 or earlier. */
  readonly isOld: boolean;
  /** How often it looks which streams have something to send; 0 sends at once. */
  readonly cacheIntervalMs: number;
}

/** An event makes a stream wait for others that belong to it. */
const GATHERING_MS = 100;

/**
 * Creates the streams of grommunio: each message names all subscriptions of the stream; what has waited comes
 * with the first heartbeat; a stream that is to end does so with its next message, and is closed as a whole
 * when one of its subscriptions is removed or taken over.
 */
export function grommunioStreams(
  { store, heartbeatMs, write, open, streamsOf, end }: StreamContext,
  { isOld, cacheIntervalMs }: GrommunioStreamOptions,
): StreamBehavior {
  const wakes = new WeakMap<Stream, Subscription>();
  /** How many events have waited for a stream without waking it. */
  const noticed = new WeakMap<Stream, number>();

  const pending = ({ ids }: Stream): number => [...ids].reduce((sum, id) => sum + store.countPending(id), 0);

  const wakeIn = (stream: Stream, ms: number): void => {
    wakes.get(stream)?.unsubscribe();
    const due = asyncScheduler.now() + ms;
    const wakeAt = cacheIntervalMs === 0 ? due : Math.ceil(due / cacheIntervalMs) * cacheIntervalMs;
    const waking = timer(wakeAt - asyncScheduler.now()).subscribe(() => {
      // A server notices that nobody reads when it writes.
      if (stream.body.isRead) update(stream);
      else end(stream);
    });
    wakes.set(stream, waking);
    stream.timers.add(waking);
  };

  /** Takes what has happened for those that are served. */
  const taken = (ids: readonly string[]): readonly StreamNotification[] =>
    ids.map((id) => ({ id, ...store.takeEvents(id) }));

  const goodbye = (stream: Stream): void => {
    write(stream, { status: 'Closed' });
    end(stream);
  };

  const update = (stream: Stream): void => {
    const { served, failed } = partitionIds(stream, store);
    const [code] = failed.keys();
    const failedIds = [...failed.values()].flat();
    for (const id of failedIds) stream.ids.delete(id);
    const notifications = taken(served);
    noticed.set(stream, pending(stream));
    const isClosing = served.length === 0 || asyncScheduler.now() >= stream.expiresAt;
    write(
      stream,
      isOld
        ? { notifications, failedIds, status: 'OK' }
        : { notifications, failedIds, code, status: isClosing || code !== undefined ? 'Closed' : 'OK' },
    );
    if (isClosing) goodbye(stream);
    else if (notifications.some(({ moreEvents }) => moreEvents)) update(stream);
    else wakeIn(stream, heartbeatMs);
  };

  return {
    begin: (stream) => {
      const { served, failed } = partitionIds(stream, store);
      const [code] = failed.keys();
      const failedIds = [...failed.values()].flat();
      // It names them again with its next message if it has no others.
      if (served.length > 0) for (const id of failedIds) stream.ids.delete(id);
      const rivals = streamsOf(served);
      noticed.set(stream, pending(stream));
      rivals.forEach(goodbye);
      open(stream);
      write(stream, {
        failedIds,
        code,
        status: code === undefined || isOld ? 'OK' : 'Closed',
      });
      // The end of the others has cancelled what they had, and that closes the streams of it.
      if (isOld && rivals.length > 0 && served.length > 0) goodbye(stream);
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
    removed: goodbye,
    close: (stream) => {
      write(stream, { notifications: taken(partitionIds(stream, store).served), status: 'Closed' });
      write(stream, { status: 'Closed' });
    },
  };
}
