import { asyncScheduler, type Observable, Subject, timer } from 'rxjs';
import { failureOf } from '../../core/backoff/outage.ts';
import { NetworkError } from '../../core/errors.ts';
import { EwsError, SoapFault } from '../protocol/errors.ts';
import type { GapReason } from '../protocol/events.ts';
import { decideFailure, type EwsDecision } from '../protocol/failures.ts';
import type { ServerSession } from '../session/session.ts';
import { backoffTimer, DEFAULT_RETRIES } from '../subscription/resubscribe.ts';
import { pendingGaps } from './gaps.ts';
import { handover, type StreamRequest } from './handover.ts';
import { afterEnd, afterUnreadable, NO_HISTORY, type Reopening, type RequestHistory } from './history.ts';
import type { LostRequests, StreamUpdate } from './request.ts';
import { emitEvents, failMember, type Member, reportMembers } from './member.ts';
import { GATHER_MS, schedule } from './schedule.ts';

/**
 * A change that a connection reports to its pool.
 *
 * - `roomFreed`: a request has ended, so another connection may open one.
 * - `limitReached`: the server does not allow as many requests as are open.
 * - `disconnected`: it has members, but no request. The pool may move them.
 * - `emptied`: the last member has left.
 */
export type ConnectionChange = 'roomFreed' | 'limitReached' | 'disconnected' | 'emptied';

/** A connection that streaming subscriptions share. */
export interface Connection {
  readonly changes$: Observable<ConnectionChange>;
  readonly size: number;
  /** How many requests are open: two during a handover. */
  readonly openRequests: number;
  /** @param gap Emitted to the member once the next request is served. */
  join(member: Member, gap?: GapReason): void;
  leave(member: Member): void;
  /** Opens a new request if the members have changed, and that is possible now. */
  reopen(): void;
  /** Moves all members to other connections, with their pending gaps, and closes this one. */
  moveMembers(join: (member: Member, gap?: GapReason) => void): void;
}

/** The state of the other connections of a pool. */
export interface PoolContext {
  readonly lostRequests: LostRequests;
  /** Returns whether one more request may be open. */
  hasRoom(): boolean;
  /** Returns whether another connection is about to close one of its two requests. */
  isOtherHandingOver(connection: Connection): boolean;
}

const RETRY: EwsDecision = { action: 'retry' };
/** A number before that of the first request. */
const BEFORE_FIRST = 0;

/**
 * Creates a connection: one open GetStreamingEvents request for all its members.
 *
 * The request is opened again when it ends, until the last member has left.
 */
export function connection(server: ServerSession, pool: PoolContext): Connection {
  const changes = new Subject<ConnectionChange>();
  const members = new Map<string, Member>();
  const requests = handover(server);
  /** Whether the open request does not name the current members. */
  let isStale = false;
  /** The last request that the server has served. */
  let served: StreamRequest | undefined;
  let history = NO_HISTORY;

  const gaps = pendingGaps(() =>
    [requests.previous, requests.current].filter((request) => request !== undefined),
  );

  /** @param after Emitted once a newer request is served. @default the request itself */
  const addGaps = (request: StreamRequest, reason: GapReason, after = request.number): void => {
    for (const member of request.members.values()) gaps.add(member, reason, after);
  };

  const remove = (member: Member): void => {
    if (members.get(member.id) === member) members.delete(member.id);
    requests.remove(member);
    gaps.remove(member);
  };

  const fail = (failing: readonly (Member | undefined)[], error: unknown): void => {
    for (const member of failing) {
      if (member === undefined) continue;
      remove(member);
      failMember(member, error);
    }
    if (members.size === 0) close();
  };

  const close = (): void => {
    waits.stop();
    requests.stop();
    changes.next('emptied');
  };

  const open = (): void => {
    isStale = false;
    if (members.size === 0) return;
    for (const member of members.values())
      if (pool.lostRequests.mayArrive(member))
        gaps.add(member, 'connectionLost', requests.current?.number ?? BEFORE_FIRST);
    requests.open(members);
  };

  const reopen = (): void => {
    if (!isStale || waits.isWaiting) return;
    // The server keeps the request that arrives last, so the open one must have arrived before the next is
    // sent.
    if (requests.previous !== undefined || requests.current?.hasResponded === false) return;
    if (pool.hasRoom()) {
      open();
    } else if (!pool.isOtherHandingOver(self)) {
      if (requests.current !== undefined) addGaps(requests.current, 'connectionLost');
      requests.stop();
      open();
    }
  };

  const waits = schedule(reopen);

  const reopenSoon = (): void => {
    isStale = true;
    waits.gather();
  };

  const reopenAfter = ({ when, failures }: Reopening, decision: EwsDecision, error: unknown): void => {
    isStale = true;
    if (when === 'now') reopen();
    else if (when === 'soon') waits.waitFor(timer(GATHER_MS));
    else waits.waitFor(backoffTimer(server.backoff.pause, server.retry, failures, decision, error));
  };

  const remember = ([next, reopening]: readonly [RequestHistory, Reopening]): Reopening => {
    history = next;
    return reopening;
  };

  const decide = ({ hasResponded }: StreamRequest, error: unknown): EwsDecision =>
    error === undefined ? RETRY : decideFailure(error, { operation: 'GetStreamingEvents', hasResponded });

  /** The reason for a wait, as the status shows it. */
  const reasonOf = ({ decodeError }: StreamRequest, error: unknown): unknown =>
    error ??
    decodeError ??
    new NetworkError('the server has ended the response at once', { method: 'POST', url: server.url });

  /**
   * Applies the failure policy. Returns whether another request may help; otherwise the members concerned
   * fail.
   */
  const canRetry = (request: StreamRequest, error: unknown, concerned: readonly Member[]): boolean => {
    const { action, gap } = decide(request, error);
    const isRefusal = error instanceof EwsError || error instanceof SoapFault;
    if (isRefusal && error.code === 'ErrorExceededConnectionCount') changes.next('limitReached');
    if (action !== 'retry') {
      fail(concerned, error);
      return false;
    }
    const reason = gap ?? (request.mayHaveActed && !isRefusal ? 'connectionLost' : undefined);
    if (reason !== undefined) addGaps(request, reason);
    return true;
  };

  const reconnect = (request: StreamRequest, error?: unknown): void => {
    const reopening = remember(afterEnd(history, request, error, asyncScheduler.now()));
    const isFailure = error !== undefined && reopening.when === 'now';
    if (isFailure) server.status.record(failureOf(error, history.shortLives, asyncScheduler.now()));
    if (isFailure) reportMembers(request.members.values(), 'disconnected');
    if (members.size > 0) changes.next('disconnected');
    if (members.size > 0) reopenAfter(reopening, decide(request, error), reasonOf(request, error));
    if (reopening.when !== 'now') reportMembers(request.members.values(), 'disconnected');
    changes.next('roomFreed');
  };

  const failed = (request: StreamRequest, error: unknown): void => {
    if (canRetry(request, error, [...members.values()])) reconnect(request, error);
  };

  const renew = (request: StreamRequest): void => {
    if (isStale) return;
    const reopening = remember(afterUnreadable(history, request, asyncScheduler.now()));
    if (reopening.when === 'soon') reopenSoon();
    else reopenAfter(reopening, RETRY, request.decodeError);
  };

  const updated = (request: StreamRequest, update: StreamUpdate, wasUnreadable: boolean): void => {
    const { notifications, refused, gap, error } = update;
    if (error !== undefined) {
      requests.stop();
      failed(request, error);
      return;
    }
    if (update.decodeError !== undefined) {
      addGaps(request, 'unreadable', request.number - 1);
      return;
    }
    if (wasUnreadable) renew(request);
    if (history.unreadable > 0) history = { ...history, unreadable: 0 };
    if (gap !== undefined) addGaps(request, gap, request.number - 1);
    // Only a request that is served has ended the older one, which could lose more events.
    else if (refused === undefined) gaps.flush(request);
    if (refused === undefined && served !== request) {
      served = request;
      reportMembers(request.members.values(), 'served');
    }
    for (const { subscriptionId, events } of notifications) {
      const member = request.members.get(subscriptionId);
      if (member !== undefined) emitEvents(member, events);
    }
    if (refused !== undefined) {
      // Some servers send nothing to the other members of a request that names an unknown id.
      reopenSoon();
      fail(
        refused.ids.map((id) => request.members.get(id)),
        refused.error,
      );
    }
    reopen();
  };

  const ended = (request: StreamRequest, cause: unknown): void => {
    // One unreadable request may be an accident; several in a row are not.
    if (request.decodeError !== undefined) history = { ...history, unreadable: history.unreadable + 1 };
    const isUnreadable = history.unreadable > (server.retry.retries ?? DEFAULT_RETRIES);
    const error = cause ?? (isUnreadable ? request.decodeError : undefined);
    // A server that has announced the end may break the connection.
    if (error === undefined || request.isClosed) reconnect(request);
    else failed(request, error);
  };

  const aborted = (request: StreamRequest, error: unknown): void => {
    // It has refused some members, and the next request is already open without them.
    if (requests.previous !== undefined) return;
    const joined = [...request.members.values()].filter(
      (member) => requests.current?.members.get(member.id) !== member,
    );
    if (error === undefined || canRetry(request, error, joined)) {
      const reopening = remember(afterEnd(history, request, error, asyncScheduler.now()));
      reopenAfter(reopening, decide(request, error), reasonOf(request, error));
    }
    changes.next('roomFreed');
  };

  requests.events$.subscribe((event) => {
    switch (event.type) {
      case 'update':
        updated(event.request, event.update, event.wasUnreadable);
        break;
      case 'ended':
        ended(event.request, event.error);
        break;
      case 'aborted':
        aborted(event.request, event.error);
        break;
      case 'interrupted':
        addGaps(event.request, 'connectionLost');
        break;
      case 'lost':
        pool.lostRequests.add(event.request.members.values());
        break;
      case 'completed':
        changes.next('roomFreed');
        break;
    }
  });

  const self: Connection = {
    changes$: changes,
    get size() {
      return members.size;
    },
    get openRequests() {
      return (requests.current === undefined ? 0 : 1) + (requests.previous === undefined ? 0 : 1);
    },
    join: (member, gap) => {
      members.set(member.id, member);
      if (gap !== undefined) gaps.add(member, gap, BEFORE_FIRST);
      reopenSoon();
    },
    leave: (member) => {
      const isMember = members.get(member.id) === member;
      requests.leave(member);
      remove(member);
      if (isMember && members.size === 0) close();
    },
    reopen,
    moveMembers: (join) => {
      const moving = [...members.values()].map((member) => [member, gaps.of(member)] as const);
      members.clear();
      close();
      for (const [member, gap] of moving) join(member, gap);
    },
  };
  return self;
}
