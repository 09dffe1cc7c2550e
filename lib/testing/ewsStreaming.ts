import { delay, Observable, type Subscriber, Subscription, timer } from 'rxjs';
import { NetworkError, type RequestIdentity } from '../core/errors.ts';
import type { EwsAnswers, StreamMessage } from './ewsAnswers.ts';
import { type EwsDialect, EwsRefusal } from './ewsDialect.ts';
import type { ImpersonatedUser } from './ewsRequests.ts';
import type { SubscriptionStore } from './ewsSubscriptions.ts';

/**
 * How a stream ends.
 *
 * - `closed`: the server says that it is closed, and ends the answer.
 * - `end`: it ends the answer without a word.
 * - `linger`: it says that it is closed, and leaves the answer open.
 * - `reset`: the connection breaks.
 */
export type StreamEnd = 'closed' | 'end' | 'linger' | 'reset';

/** A stream that a simulated server has open. */
export interface OpenEwsStream {
  readonly subscriptionIds: readonly string[];
}

/** The streams of a simulated server. */
export interface EwsStreams {
  readonly open: readonly OpenEwsStream[];
  /** The body of the answer to a GetStreamingEvents. */
  connect(request: StreamRequest, identity: RequestIdentity): Observable<Uint8Array>;
  /** Sends what has happened since, to those who watch it. */
  deliver(): void;
  /** Tells of those that cannot be served any more. */
  refuseUnserved(): void;
  /** A subscription was removed. */
  removed(subscriptionId: string): void;
  endAll(how: StreamEnd): void;
  silence(): void;
  corruptNext(): void;
}

/** What a GetStreamingEvents asks for. */
export interface StreamRequest {
  readonly subscriptionIds: readonly string[];
  readonly connectionMinutes: number;
  readonly impersonated: ImpersonatedUser | undefined;
}

/** How the streams of a simulated server behave. */
export interface StreamBehaviour {
  readonly dialect: EwsDialect;
  readonly heartbeatMs: number;
  /** How large the pieces are at most that an envelope comes in. */
  readonly chunkBytes: number;
  readonly latencyMs: number;
  /** How many may be open at a time. */
  readonly maxStreams: number;
}

interface Stream {
  readonly ids: Set<string>;
  readonly identity: RequestIdentity;
  readonly timers: Subscription;
  /** What was written while nobody had taken the body up. */
  unread: Uint8Array[];
  reader: Subscriber<Uint8Array> | undefined;
  isSilent: boolean;
  isBegun: boolean;
  /** Whether something was sent since the last heartbeat. */
  isBusy: boolean;
  isOver: boolean;
}

/** Creates the streams of a server, of which there are none yet. */
export function ewsStreams(
  store: SubscriptionStore,
  answers: EwsAnswers,
  { dialect, heartbeatMs, chunkBytes, latencyMs, maxStreams }: StreamBehaviour,
): EwsStreams {
  const streams = new Set<Stream>();
  let corrupt = 0;

  const write = (stream: Stream, message: StreamMessage): void => {
    const text = answers.streamed(message, !stream.isBegun);
    stream.isBegun = true;
    if (stream.isSilent || stream.isOver) return;
    const isCorrupt = corrupt > 0;
    if (isCorrupt) corrupt -= 1;
    const bytes = new TextEncoder().encode(isCorrupt ? text.replace('</', '<//') : text);
    for (let from = 0; from < bytes.length; from += chunkBytes) {
      const chunk = bytes.subarray(from, from + chunkBytes);
      if (stream.reader === undefined) stream.unread.push(chunk);
      else stream.reader.next(chunk);
    }
  };

  const detach = (stream: Stream): void => {
    if (!streams.delete(stream)) return;
    stream.timers.unsubscribe();
    for (const id of stream.ids) store.detached(id);
  };

  const end = (stream: Stream, how: StreamEnd): void => {
    const { isSilent } = stream;
    if (how === 'closed' || how === 'linger') {
      write(stream, { status: 'Closed' });
      // The second family says it twice.
      if (dialect === 'grommunio') write(stream, { status: 'Closed' });
    }
    detach(stream);
    if (isSilent) return;
    if (how === 'reset') {
      stream.reader?.error(new NetworkError('the answer broke off', stream.identity, { code: 'ECONNRESET' }));
    }
    stream.isOver = how !== 'linger';
    if (stream.isOver) stream.reader?.complete();
  };

  const handOut = (stream: Stream): void => {
    const notifications = [...stream.ids]
      .map((id) => ({ id, events: store.handOut(id) }))
      .filter(({ events }) => events.length > 0);
    if (notifications.length === 0) return;
    stream.isBusy = true;
    write(stream, { notifications, status: 'OK' });
  };

  const refuse = (stream: Stream, ids: readonly string[], code: string): void => {
    for (const id of ids) stream.ids.delete(id);
    // In the second family, Closed counts for those that are named, and the others go on.
    write(stream, { refused: { ids, code }, status: dialect === 'exchange' ? 'OK' : 'Closed' });
  };

  const refuseUnserved = (stream: Stream): void => {
    const { refused } = sort([...stream.ids], (id) => store.refusalOf(id));
    for (const [code, ids] of refused) refuse(stream, ids, code);
  };

  const beat = (stream: Stream): void => {
    // A server notices that nobody reads when it writes.
    if (stream.reader === undefined) {
      detach(stream);
      return;
    }
    refuseUnserved(stream);
    handOut(stream);
    if (!stream.isBusy) {
      const notifications = [...stream.ids].map((id) => ({ id, events: [] }));
      write(stream, { notifications, status: 'OK' });
    }
    stream.isBusy = false;
    stream.timers.add(timer(heartbeatMs).subscribe(() => beat(stream)));
  };

  const takeOver = (ids: readonly string[]): void => {
    for (const other of [...streams]) {
      if (!ids.some((id) => other.ids.has(id))) continue;
      if (dialect === 'exchange')
        write(other, { code: 'ErrorNewEventStreamConnectionOpened', status: 'Closed' });
      end(other, dialect === 'exchange' ? 'end' : 'closed');
    }
  };

  const bodyOf = (stream: Stream): Observable<Uint8Array> => {
    const body$ = new Observable<Uint8Array>((reader) => {
      // What is written because of a chunk waits for its turn here, too.
      for (let next = stream.unread.shift(); next !== undefined; next = stream.unread.shift())
        reader.next(next);
      if (stream.isOver) reader.complete();
      stream.reader = reader;
      return () => {
        stream.reader = undefined;
        // Over a dead connection that is noticed only later.
        if (!stream.isSilent) detach(stream);
      };
    });
    return latencyMs === 0 ? body$ : body$.pipe(delay(latencyMs / 2));
  };

  const serveStream = (stream: Stream, connectionMinutes: number, isRefusing: boolean): void => {
    takeOver([...stream.ids]);
    streams.add(stream);
    for (const id of stream.ids) store.attached(id);
    if (!isRefusing) write(stream, { status: 'OK' });
    // The second family hands out what has waited only with the first heartbeat.
    if (dialect === 'exchange') handOut(stream);
    stream.timers.add(timer(heartbeatMs).subscribe(() => beat(stream)));
    stream.timers.add(timer(connectionMinutes * 60_000).subscribe(() => end(stream, 'closed')));
  };

  return {
    get open() {
      return [...streams].map(({ ids }) => ({ subscriptionIds: [...ids] }));
    },
    connect: ({ subscriptionIds, connectionMinutes, impersonated }, identity) => {
      if (streams.size >= maxStreams) {
        const message = 'You have exceeded the available concurrent connections for your account.';
        throw new EwsRefusal('error', 'ErrorExceededConnectionCount', message);
      }
      const { served, refused } = sort(subscriptionIds, (id) => store.refusalOf(id, impersonated));
      const stream: Stream = {
        ids: new Set(dialect === 'exchange' && refused.size > 0 ? [] : served),
        identity,
        timers: new Subscription(),
        unread: [],
        reader: undefined,
        isSilent: false,
        isBegun: false,
        isBusy: false,
        isOver: false,
      };
      const refuseAll = (): void => {
        for (const [code, ids] of refused) write(stream, { refused: { ids, code }, status: 'Closed' });
      };
      refuseAll();
      if (stream.ids.size > 0) {
        serveStream(stream, connectionMinutes, refused.size > 0);
      } else if (dialect === 'exchange') {
        stream.isOver = true;
      } else {
        // Of those that are gone the second family says so again, and leaves the socket open for a while.
        refuseAll();
        streams.add(stream);
        stream.timers.add(timer(heartbeatMs).subscribe(() => end(stream, 'closed')));
      }
      return bodyOf(stream);
    },
    deliver: () => {
      for (const stream of [...streams]) handOut(stream);
    },
    refuseUnserved: () => {
      for (const stream of [...streams]) refuseUnserved(stream);
    },
    removed: (id) => {
      for (const stream of [...streams]) {
        if (!stream.ids.has(id)) continue;
        if (stream.ids.size === 1) end(stream, 'closed');
        else
          refuse(
            stream,
            [id],
            dialect === 'exchange' ? 'ErrorSubscriptionUnsubscribed' : 'ErrorInvalidSubscription',
          );
      }
    },
    endAll: (how) => {
      for (const stream of [...streams]) end(stream, how);
    },
    silence: () => {
      for (const stream of streams) stream.isSilent = true;
    },
    corruptNext: () => {
      corrupt += 1;
    },
  };
}

/** Those that can be served, and by the code why not, those that cannot. */
function sort(
  ids: readonly string[],
  refusalOf: (id: string) => string | undefined,
): { readonly served: readonly string[]; readonly refused: ReadonlyMap<string, readonly string[]> } {
  const served: string[] = [];
  const refused = new Map<string, string[]>();
  for (const id of ids) {
    const code = refusalOf(id);
    if (code === undefined) served.push(id);
    else refused.set(code, [...(refused.get(code) ?? []), id]);
  }
  return { served, refused };
}
