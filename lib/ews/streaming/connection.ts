import { asyncScheduler, type Observable, Subscription, timer } from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import { EwsError, SoapFault } from '../protocol/errors.ts';
import type { GapReason } from '../protocol/events.ts';
import { decideFailure, type EwsDecision } from '../protocol/failures.ts';
import type { ServerSession } from '../session/session.ts';
import { backoffTimer, countShortLives } from '../subscription/progress.ts';
import { DEFAULT_RETRIES } from '../subscription/resubscribe.ts';
import { pendingGaps } from './gaps.ts';
import { handover, type StreamRequest } from './handover.ts';
import type { Member } from './member.ts';
import type { StreamUpdate } from './request.ts';

/** One of the connections that the streaming subscriptions of a service share. */
export interface Connection {
  readonly size: number;
  /** How many requests hang: two while it changes over from one to the next. */
  readonly openRequests: number;
  /** @param gap What the member has to be told when the next request stands. */
  join(member: Member, gap?: GapReason): void;
  leave(member: Member): void;
  /** Changes over to a new request, if the members are others by now and it is possible. */
  reopen(): void;
  /** Hands its members over, with what they have to be told, and is over. */
  moveMembers(join: (member: Member, gap?: GapReason) => void): void;
}

/** What a connection has to know of the others of its service. */
export interface PoolContext {
  /** Whether one more request may hang beside those that do. */
  hasRoom(): boolean;
  /** Whether another connection is changing over, and lets a request go soon. */
  isOtherMoving(connection: Connection): boolean;
  /** A request has ended, so that there may be room. */
  freed(): void;
  /** The server does not allow as many requests as there are. */
  refused(): void;
  /** Hands the members of a connection that has no request to another one, if there is room for all. */
  adopt(connection: Connection): boolean;
  /** The last member has left. */
  emptied(connection: Connection): void;
}

/** For how long those who join and leave are gathered, so that many are one request. */
const GATHER_MS = 100;
/** The number in front of that of the first request. */
const NONE = 0;

/**
 * Creates a connection: a GetStreamingEvents request that hangs, for all its members, and is opened again
 * whenever it ends, until the last member has left.
 */
export function connection(internals: ServerSession, slots: PoolContext): Connection {
  const members = new Map<string, Member>();
  let gathering: Subscription | undefined;
  let waiting: Subscription | undefined;
  /** Whether the server has to be asked for other members than it was. */
  let isStale = false;
  let failures = 0;
  /** How many requests in a row ended with what could not be read. */
  let unreadable = 0;
  /** How many requests in a row had to be sent again soon because of what could not be read. */
  let renewals = 0;

  const gaps = pendingGaps(() => [relay.old, relay.leg].filter((leg) => leg !== undefined));

  /** @param behind The number of the request behind which it is told. @default the one on which it is missing */
  const noteGaps = (leg: StreamRequest, reason: GapReason, behind = leg.number): void => {
    for (const member of leg.members.values()) gaps.add(member, reason, behind);
  };

  const forget = (member: Member): void => {
    for (const map of [members, relay.leg?.members, relay.old?.members]) {
      if (map?.get(member.id) === member) map.delete(member.id);
    }
    gaps.remove(member);
  };

  const fail = (failing: readonly (Member | undefined)[], error: unknown): void => {
    for (const member of failing) {
      if (member === undefined) continue;
      forget(member);
      member.fail(error);
    }
    if (members.size === 0) close();
  };

  const close = (): void => {
    gathering?.unsubscribe();
    waiting?.unsubscribe();
    relay.stop();
    slots.emptied(self);
  };

  const open = (): void => {
    isStale = false;
    if (members.size > 0) relay.open(members);
  };

  const regroup = (): void => {
    if (!isStale || gathering !== undefined || waiting !== undefined) return;
    // The server must have one request before it gets the next: they travel apart, and the last one counts.
    if (relay.old !== undefined || relay.leg?.hasAnswered === false) return;
    if (slots.hasRoom()) {
      open();
    } else if (!slots.isOtherMoving(self)) {
      if (relay.leg !== undefined) noteGaps(relay.leg, 'connectionLost');
      relay.stop();
      open();
    }
  };

  const regroupSoon = (): void => {
    isStale = true;
    gathering ??= timer(GATHER_MS).subscribe(() => {
      gathering = undefined;
      regroup();
    });
  };

  const openAfter = (wait$: Observable<unknown> | undefined): void => {
    isStale = true;
    if (wait$ === undefined) {
      regroup();
      return;
    }
    waiting?.unsubscribe();
    const pause = (waiting = new Subscription());
    pause.add(
      wait$.subscribe(() => {
        waiting = undefined;
        regroup();
      }),
    );
  };

  const waitFor = (times: number, decision: EwsDecision): Observable<unknown> =>
    backoffTimer(internals.backoff.pause, internals.retry, times, decision);

  /** Emits when the next request may be sent, when one was no good; undefined is at once. */
  const waitAfter = (leg: StreamRequest, error?: unknown): Observable<unknown> | undefined => {
    // The end that our own Unsubscribe brings is no failure.
    if (error === undefined && leg.isClosed && leg.hasLostMembers) return timer(GATHER_MS);
    failures = countShortLives(failures, asyncScheduler.now() - leg.openedAt);
    const isEnd = error === undefined || error instanceof NetworkError;
    if (isEnd && failures === 1 && leg.hasAnswered) return undefined;
    return waitFor(failures, decideFor(leg, error));
  };

  /** Asks for all members again: at first soon, and then with backoff. */
  const renew = (leg: StreamRequest): void => {
    if (isStale) return;
    renewals = countShortLives(renewals, asyncScheduler.now() - leg.openedAt);
    if (renewals === 1) regroupSoon();
    else openAfter(waitFor(renewals, { action: 'retry' }));
  };

  const decideFor = ({ hasAnswered }: StreamRequest, error: unknown): EwsDecision =>
    error === undefined
      ? { action: 'retry' }
      : decideFailure(error, { operation: 'GetStreamingEvents', hasAnswered });

  /** Whether there is to be another request. Those whom it would not help are told the error. */
  const isToGoOn = (leg: StreamRequest, error: unknown, concerned: readonly Member[]): boolean => {
    const { action, gap } = decideFor(leg, error);
    const isAnswer = error instanceof EwsError || error instanceof SoapFault;
    if (isAnswer && error.code === 'ErrorExceededConnectionCount') slots.refused();
    if (action !== 'retry') {
      fail(concerned, error);
      return false;
    }
    const reason = gap ?? (leg.mayHaveActed && !isAnswer ? 'connectionLost' : undefined);
    if (reason !== undefined) noteGaps(leg, reason);
    return true;
  };

  const goOn = (leg: StreamRequest, error?: unknown): void => {
    const wait = waitAfter(leg, error);
    if (members.size > 0 && !slots.adopt(self)) openAfter(wait);
    slots.freed();
  };

  const broken = (leg: StreamRequest, error: unknown): void => {
    if (isToGoOn(leg, error, [...members.values()])) goOn(leg, error);
  };

  const read = (leg: StreamRequest, reading: StreamUpdate): void => {
    const { notifications, refused, gap, error } = reading;
    if (error !== undefined) {
      relay.stop();
      broken(leg, error);
      return;
    }
    if (reading.decodeError !== undefined) {
      leg.decodeError = reading.decodeError;
      noteGaps(leg, 'unreadable', leg.number - 1);
      return;
    }
    // What could not be read may have said that some are gone, so all are asked for again.
    if (leg.decodeError !== undefined) renew(leg);
    leg.decodeError = undefined;
    unreadable = 0;
    if (gap !== undefined) noteGaps(leg, gap, leg.number - 1);
    // Only what the server serves has taken over from a connection on which it still may lose something.
    else if (refused === undefined) gaps.flush(leg);
    for (const { subscriptionId, events } of notifications) leg.members.get(subscriptionId)?.next(events);
    if (refused !== undefined) {
      // Some servers send nothing to the others on a request that names one that is not there.
      regroupSoon();
      fail(
        refused.ids.map((id) => leg.members.get(id)),
        refused.error,
      );
    }
    regroup();
  };

  const relay = handover(internals, {
    read,
    ended: (leg, cause) => {
      // One that brought nothing that can be read may be an accident, several in a row are none.
      if (leg.decodeError !== undefined) unreadable += 1;
      const error =
        cause ?? (unreadable > (internals.retry.retries ?? DEFAULT_RETRIES) ? leg.decodeError : undefined);
      // Who has said that this is the end may leave as he likes.
      if (error === undefined || leg.isClosed) goOn(leg);
      else broken(leg, error);
    },
    refused: (leg, error) => {
      // What it said of some was read, and the next request is without them.
      if (relay.old !== undefined) return;
      const joined = [...leg.members.values()].filter(
        (member) => relay.leg?.members.get(member.id) !== member,
      );
      if (error === undefined || isToGoOn(leg, error, joined)) openAfter(waitAfter(leg, error));
      slots.freed();
    },
    cut: (leg) => noteGaps(leg, 'connectionLost'),
    relieved: () => slots.freed(),
  });

  const self: Connection = {
    get size() {
      return members.size;
    },
    get openRequests() {
      return (relay.leg === undefined ? 0 : 1) + (relay.old === undefined ? 0 : 1);
    },
    join: (member, gap) => {
      members.set(member.id, member);
      if (gap !== undefined) gaps.add(member, gap, NONE);
      regroupSoon();
    },
    leave: (member) => {
      const isMember = members.get(member.id) === member;
      for (const leg of [relay.leg, relay.old])
        if (leg?.members.get(member.id) === member) leg.hasLostMembers = true;
      forget(member);
      if (isMember && members.size === 0) close();
    },
    reopen: regroup,
    moveMembers: (join) => {
      const leaving = [...members.values()].map((member) => [member, gaps.of(member)] as const);
      members.clear();
      close();
      for (const [member, gap] of leaving) join(member, gap);
    },
  };
  return self;
}
