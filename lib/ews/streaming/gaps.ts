import type { GapReason } from '../protocol/events.ts';
import type { StreamRequest } from './handover.ts';
import { emitGap, type Member } from './member.ts';

/** A gap to emit once a request newer than `after` is served. */
interface Gap {
  after: number;
  readonly reason: GapReason;
}

/** The gaps that the members of a connection have not emitted. */
export interface PendingGaps {
  /** Adds a gap that is emitted once a request newer than `after` is served. */
  add(member: Member, reason: GapReason, after: number): void;
  /** Emits one gap to each member of a request, if that request is new enough. */
  flush(request: StreamRequest): void;
  /** Returns the first gap of a member. */
  of(member: Member): GapReason | undefined;
  remove(member: Member): void;
}

/**
 * Creates a list of gaps.
 *
 * A gap is emitted only when no more events from before it can arrive. An older request may still deliver
 * such events, so a newer one has to be served first.
 *
 * @param openRequests Returns the requests that may still deliver something.
 */
export function pendingGaps(openRequests: () => readonly StreamRequest[]): PendingGaps {
  const gaps = new Map<Member, readonly Gap[]>();

  /** Returns whether every open request would emit both gaps, or neither. */
  const areTogether = (one: number, other: number): boolean =>
    openRequests().every(({ number }) => number > one === number > other);

  return {
    add: (member, reason, after) => {
      const pending = gaps.get(member) ?? [];
      const together = pending.find((gap) => areTogether(gap.after, after));
      if (together === undefined) gaps.set(member, [...pending, { after, reason }]);
      else together.after = Math.max(together.after, after);
    },
    flush: (request) => {
      for (const [member, pending] of gaps) {
        if (request.members.get(member.id) !== member) continue;
        const due = pending.find(({ after }) => after < request.number);
        if (due === undefined) continue;
        const later = pending.filter(({ after }) => after >= request.number);
        if (later.length === 0) gaps.delete(member);
        else gaps.set(member, later);
        emitGap(member, due.reason);
      }
    },
    of: (member) => gaps.get(member)?.[0]?.reason,
    remove: (member) => void gaps.delete(member),
  };
}
