import type { Member } from './member.ts';
import type { StreamRequest } from './handover.ts';
import type { GapReason } from '../protocol/events.ts';

/** Something may be missing, of which a request tells that was opened behind another one. */
interface Gap {
  /** The number of the other one. */
  behind: number;
  readonly reason: GapReason;
}

/** What the members of a connection have yet to be told is missing. */
export interface PendingGaps {
  /** Something may be missing for a member, of which the requests tell that were opened behind the given one. */
  add(member: Member, reason: GapReason, behind: number): void;
  /** Tells each member of a request what that one has to tell of. */
  flush(leg: StreamRequest): void;
  /** The first that a member has yet to be told. */
  of(member: Member): GapReason | undefined;
  remove(member: Member): void;
}

/**
 * Creates a list of gaps. They are told by the request that can lose nothing more of what they stand for: a request
 * that hung before goes on with what the server had sent on it until then, and that has to come in front.
 *
 * @param hanging The requests of which something may come now.
 */
export function pendingGaps(hanging: () => readonly StreamRequest[]): PendingGaps {
  const gaps = new Map<Member, readonly Gap[]>();

  /** Whether all that can tell of one of them can tell of the other as well. */
  const areTogether = (one: number, other: number): boolean =>
    hanging().every(({ number }) => number > one === number > other);

  return {
    add: (member, reason, behind) => {
      const noted = gaps.get(member) ?? [];
      const together = noted.find((gap) => areTogether(gap.behind, behind));
      if (together === undefined) gaps.set(member, [...noted, { behind, reason }]);
      else together.behind = Math.max(together.behind, behind);
    },
    flush: (leg) => {
      for (const [member, noted] of gaps) {
        if (leg.members.get(member.id) !== member) continue;
        const told = noted.find(({ behind }) => behind < leg.number);
        if (told === undefined) continue;
        const untold = noted.filter(({ behind }) => behind >= leg.number);
        if (untold.length === 0) gaps.delete(member);
        else gaps.set(member, untold);
        member.missed(told.reason);
      }
    },
    of: (member) => gaps.get(member)?.[0]?.reason,
    remove: (member) => void gaps.delete(member),
  };
}
