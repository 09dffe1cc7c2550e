import { asyncScheduler, type Subscription, timer } from 'rxjs';
import type { StreamNotification } from '../responses/responses.ts';
import { sortIds, type Stream, type StreamContext, type StreamCourse } from './stream.ts';

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
): StreamCourse {
  const wakes = new WeakMap<Stream, Subscription>();
  /** How many events have waited for a stream without waking it. */
  const noticed = new WeakMap<Stream, number>();

  const pending = ({ ids }: Stream): number => [...ids].reduce((sum, id) => sum + store.pending(id), 0);

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
    ids.map((id) => ({ id, ...store.handOut(id) }));

  const goodbye = (stream: Stream): void => {
    write(stream, { status: 'Closed' });
    end(stream);
  };

  const update = (stream: Stream): void => {
    const { served, refused } = sortIds(stream, store);
    const [code] = refused.keys();
    const refusedIds = [...refused.values()].flat();
    for (const id of refusedIds) stream.ids.delete(id);
    const notifications = taken(served);
    noticed.set(stream, pending(stream));
    const isClosing = served.length === 0 || asyncScheduler.now() >= stream.expiresAt;
    write(
      stream,
      isOld
        ? { notifications, refusedIds, status: 'OK' }
        : { notifications, refusedIds, code, status: isClosing || code !== undefined ? 'Closed' : 'OK' },
    );
    if (isClosing) goodbye(stream);
    else if (notifications.some(({ moreEvents }) => moreEvents)) update(stream);
    else wakeIn(stream, heartbeatMs);
  };

  return {
    begin: (stream) => {
      const { served, refused } = sortIds(stream, store);
      const [code] = refused.keys();
      const refusedIds = [...refused.values()].flat();
      // It names them again with its next message if it has no others.
      if (served.length > 0) for (const id of refusedIds) stream.ids.delete(id);
      const rivals = streamsOf(served);
      noticed.set(stream, pending(stream));
      rivals.forEach(goodbye);
      open(stream);
      write(stream, {
        refusedIds,
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
    refuseUnserved: (stream) => {
      if (sortIds(stream, store).refused.size > 0) update(stream);
    },
    removed: goodbye,
    close: (stream) => {
      write(stream, { notifications: taken(sortIds(stream, store).served), status: 'Closed' });
      write(stream, { status: 'Closed' });
    },
  };
}
