import { asyncScheduler, type Subscription, timer } from 'rxjs';
import { backOffMs } from './course.ts';
import type { Member } from './connectionMember.ts';
import type { Reading } from './connectionMessage.ts';
import { connectionRelay, type Leg } from './connectionRelay.ts';
import type { Connection, ConnectionSlots } from './connectionSlots.ts';
import { NetworkError } from '../core/errors.ts';
import { decide, type Decision } from './decision.ts';
import { EwsError, SoapFault } from './errors.ts';
import type { GapReason } from './events.ts';
import type { ServiceInternals } from './service.ts';

/** For how long those who join and leave are gathered, so that many are one request. */
const GATHER_MS = 100;
/** A request that has lasted so long was no failure. */
const STEADY_MS = 10_000;

/**
 * Creates a connection: a GetStreamingEvents request that hangs, for all its members, and is opened again
 * whenever it ends, until the last member has left.
 */
export function connection(internals: ServiceInternals, slots: ConnectionSlots): Connection {
  const members = new Map<string, Member>();
  const gaps = new Map<Member, GapReason>();
  let gathering: Subscription | undefined;
  let waiting: Subscription | undefined;
  /** Whether the server has to be asked for other members than it was. */
  let isStale = false;
  let failures = 0;

  const noteGaps = (leg: Leg, reason: GapReason): void => {
    for (const member of leg.members.values()) if (!gaps.has(member)) gaps.set(member, reason);
  };

  const tellGaps = (leg: Leg): void => {
    for (const [member, reason] of gaps) {
      if (leg.members.get(member.id) !== member) continue;
      gaps.delete(member);
      member.missed(reason);
    }
  };

  const forget = (member: Member): void => {
    for (const map of [members, relay.leg?.members, relay.old?.members]) {
      if (map?.get(member.id) === member) map.delete(member.id);
    }
    gaps.delete(member);
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

  const openAfter = (ms: number): void => {
    isStale = true;
    if (ms > 0) {
      waiting = timer(ms).subscribe(() => {
        waiting = undefined;
        regroup();
      });
    } else regroup();
  };

  /** How long to wait until the next request, when one was no good. */
  const waitAfter = (leg: Leg, error?: unknown): number => {
    failures = asyncScheduler.now() - leg.openedAt >= STEADY_MS ? 1 : failures + 1;
    const isEnd = error === undefined || leg.isClosed || error instanceof NetworkError;
    if (isEnd && failures === 1 && leg.hasAnswered) return 0;
    return backOffMs(internals.retry, failures, decideFor(leg, error));
  };

  const decideFor = ({ hasAnswered }: Leg, error: unknown): Decision =>
    error === undefined
      ? { action: 'backOff' }
      : decide(error, { operation: 'GetStreamingEvents', hasAnswered });

  /** Whether there is to be another request. Those whom it would not help are told the error. */
  const isToGoOn = (leg: Leg, error: unknown, concerned: readonly Member[]): boolean => {
    const { action, gap } = decideFor(leg, error);
    const isAnswer = error instanceof EwsError || error instanceof SoapFault;
    if (isAnswer && error.code === 'ErrorExceededConnectionCount') slots.refused();
    if (action !== 'backOff') {
      fail(concerned, error);
      return false;
    }
    const reason = gap ?? (leg.mayHaveActed && !isAnswer ? 'connectionLost' : undefined);
    if (reason !== undefined) noteGaps(leg, reason);
    return true;
  };

  const ended = (leg: Leg, cause: unknown): void => {
    const error = cause ?? leg.problem;
    if (error !== undefined && !leg.isClosed && !isToGoOn(leg, error, [...members.values()])) return;
    const wait = waitAfter(leg, error);
    if (members.size > 0 && !slots.adopt(self)) openAfter(wait);
    slots.freed();
  };

  const read = (leg: Leg, reading: Reading): void => {
    const { notifications, refused, gap, error } = reading;
    if (error !== undefined) {
      relay.stop();
      ended(leg, error);
      return;
    }
    if (reading.problem !== undefined) {
      if (!leg.stands) leg.problem ??= reading.problem;
      noteGaps(leg, 'unreadable');
      return;
    }
    leg.stands = true;
    leg.problem = undefined;
    if (gap !== undefined) noteGaps(leg, gap);
    if (refused === undefined) tellGaps(leg);
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

  const relay = connectionRelay(internals, {
    read,
    ended,
    refused: (leg, error) => {
      // What it said of some was read, and the next request is without them.
      if (relay.old !== undefined) return;
      const joined = [...leg.members.values()].filter(
        (member) => relay.leg?.members.get(member.id) !== member,
      );
      if (error === undefined || isToGoOn(leg, error, joined)) openAfter(waitAfter(leg, error));
      slots.freed();
    },
    relieved: (old, isCut) => {
      if (isCut) noteGaps(old, 'connectionLost');
      slots.freed();
    },
  });

  const self: Connection = {
    get size() {
      return members.size;
    },
    get hanging() {
      return (relay.leg === undefined ? 0 : 1) + (relay.old === undefined ? 0 : 1);
    },
    join: (member, gap) => {
      members.set(member.id, member);
      if (gap !== undefined) gaps.set(member, gap);
      regroupSoon();
    },
    leave: (member) => {
      const isMember = members.get(member.id) === member;
      forget(member);
      if (isMember && members.size === 0) close();
    },
    regroup,
    handOver: (join) => {
      const leaving = [...members.values()].map((member) => [member, gaps.get(member)] as const);
      members.clear();
      close();
      for (const [member, gap] of leaving) join(member, gap);
    },
  };
  return self;
}
