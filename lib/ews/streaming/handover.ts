import { asyncScheduler, Subscription, timer } from 'rxjs';
import type { RequestProgress } from '../../core/transport/transport.ts';
import type { ServerSession } from '../session/session.ts';
import type { Member } from './member.ts';
import { openStream, type StreamUpdate } from './request.ts';

/** One request in the relay. */
export interface StreamRequest {
  /** The first is 1. */
  readonly number: number;
  /** Whom its messages are for, by subscription id. */
  readonly members: Map<string, Member>;
  readonly openedAt: number;
  hasAnswered: boolean;
  /** Whether the server may have sent something on it. */
  mayHaveActed: boolean;
  /** Whether the last word of the server was that it ends. */
  isClosed: boolean;
  /** Whether one of its members has left: some servers end the request when that is removed. */
  hasLostMembers: boolean;
  /** Why the last that came of it could not be read. */
  decodeError: unknown;
}

/** What a relay tells. */
interface RelayRunner {
  /** What a request has brought: in order, behind all that the request before it has brought. */
  readonly read: (leg: StreamRequest, reading: StreamUpdate) => void;
  /** The one request has ended, and there is none any more. */
  readonly ended: (leg: StreamRequest, error: unknown) => void;
  /** A request could not take over: the one from before goes on. */
  readonly refused: (leg: StreamRequest, error: unknown) => void;
  /** A request may have lost something that nothing tells of. */
  readonly cut: (leg: StreamRequest) => void;
  /** A request has taken over, and all that it was behind with is read. */
  readonly relieved: () => void;
}

/** Hanging requests, one of which takes over from the other. */
interface Handover {
  /** The newest request, if there is one. */
  readonly leg: StreamRequest | undefined;
  /** The request that it is taking over from, if there is one. */
  readonly old: StreamRequest | undefined;
  /** Opens a request for the members; it takes over from the one that hangs, if there is one. */
  open(members: ReadonlyMap<string, Member>): void;
  /** Leaves all requests, and tells nothing of it. */
  stop(): void;
}

/** Whether the server serves those whom it does not name: then it has ended the request before. */
function isServing({ refused, decodeError: problem }: StreamUpdate): boolean {
  return refused === undefined && problem === undefined;
}

/** How long an old request may take to end when the new one stands. */
const CHANGE_OVER_MS = 5000;

/**
 * Creates a relay of GetStreamingEvents requests.
 *
 * Where a second request names a subscription, the server ends the first one. What it has sent on that one may
 * arrive later all the same, so what the second brings is held back until the first has ended.
 */
export function handover(internals: ServerSession, runner: RelayRunner): Handover {
  const running = new Map<StreamRequest, Subscription>();
  let leg: StreamRequest | undefined;
  let old: StreamRequest | undefined;
  /** What has come of the newest request while the one before had not ended. */
  let held: (() => void)[] = [];
  let isTakenOver = false;
  let isReleasing = false;
  let count = 0;
  /** Until then, a lost request may arrive and end the one that hangs: nothing says which request took over. */
  let straysUntil = 0;
  let changeOver: Subscription | undefined;

  const drop = (dropped: StreamRequest): void => {
    running.get(dropped)?.unsubscribe();
    running.delete(dropped);
  };

  const read = (from: StreamRequest, reading: StreamUpdate): void => {
    if (running.has(from)) runner.read(from, reading);
  };

  const finish = (finished: StreamRequest, error: unknown): void => {
    if (!running.has(finished)) return;
    drop(finished);
    leg = undefined;
    if (asyncScheduler.now() < straysUntil) runner.cut(finished);
    runner.ended(finished, error);
  };

  const relieve = (relieved: StreamRequest, isCut: boolean): void => {
    changeOver?.unsubscribe();
    drop(relieved);
    if (isCut || asyncScheduler.now() < straysUntil) runner.cut(relieved);
    // Until all is told that was held back, nothing else is, and nothing takes over: it would overtake that.
    isReleasing = true;
    for (let next = held.shift(); next !== undefined; next = held.shift()) next();
    isReleasing = false;
    old = undefined;
    runner.relieved();
  };

  const refuse = (heir: StreamRequest, predecessor: StreamRequest, error: unknown): void => {
    changeOver?.unsubscribe();
    leg = predecessor;
    old = undefined;
    for (const next of held.splice(0)) next();
    drop(heir);
    runner.refused(heir, error);
  };

  const received = (from: StreamRequest, reading: StreamUpdate): void => {
    from.hasAnswered = true;
    from.isClosed = reading.isClosed;
    if (isReleasing) {
      held.push(() => read(from, reading));
    } else if (old === undefined) {
      read(from, reading);
    } else if (from === old) {
      // That another connection was opened is what was to be expected.
      if (reading.error === undefined) read(from, reading);
      else relieve(from, false);
    } else if (!isTakenOver && reading.error !== undefined) {
      refuse(from, old, reading.error);
    } else {
      const predecessor = old;
      if (held.length === 0) {
        changeOver = timer(CHANGE_OVER_MS).subscribe(() => relieve(predecessor, !predecessor.isClosed));
      }
      isTakenOver ||= isServing(reading);
      held.push(() => read(from, reading));
    }
  };

  const ended = (from: StreamRequest, error: unknown): void => {
    const isLost = error !== undefined && from.mayHaveActed && !from.hasAnswered;
    if (isLost) straysUntil = asyncScheduler.now() + internals.limits.headersSeconds * 1000;
    if (isReleasing) {
      held.push(() => finish(from, error));
    } else if (from === old) {
      relieve(from, error !== undefined && !from.isClosed);
    } else if (old !== undefined && !isTakenOver) {
      refuse(from, old, error);
    } else if (old !== undefined) {
      // Behind what it has brought, and before another one is opened.
      held.push(() => finish(from, error));
      relieve(old, !old.isClosed);
    } else finish(from, error);
  };

  return {
    get leg() {
      return leg;
    },
    get old() {
      return old;
    },
    open: (members) => {
      count += 1;
      const opened: StreamRequest = {
        number: count,
        members: new Map(members),
        openedAt: asyncScheduler.now(),
        hasAnswered: false,
        mayHaveActed: false,
        isClosed: false,
        hasLostMembers: false,
        decodeError: undefined,
      };
      const all = [...members.values()];
      const request = {
        ids: [...members.keys()],
        connectionMinutes: Math.min(...all.map(({ connectionMinutes }) => connectionMinutes)),
        onProgress: (progress: RequestProgress) => (opened.mayHaveActed = progress === 'sent'),
      };
      const hanging = new Subscription();
      running.set(opened, hanging);
      old = leg;
      leg = opened;
      held = [];
      isTakenOver = false;
      hanging.add(
        openStream(internals, request).subscribe({
          next: (reading) => received(opened, reading),
          error: (error: unknown) => ended(opened, error),
          complete: () => ended(opened, undefined),
        }),
      );
    },
    stop: () => {
      changeOver?.unsubscribe();
      for (const each of [...running.keys()]) drop(each);
      leg = undefined;
      old = undefined;
      held = [];
    },
  };
}
