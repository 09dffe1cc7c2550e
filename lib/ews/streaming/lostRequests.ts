import { asyncScheduler } from 'rxjs';
import type { Member } from './member.ts';

/**
 * The members whose GetStreamingEvents failed without a response.
 *
 * Such a request may still arrive, and replace the open one: then its events are lost, and no
 * message says which request it received. The member may be on another connection by then.
 */
export interface LostRequests {
  add(members: Iterable<Member>): void;
  /** Returns whether a lost request that names the member may still arrive. */
  mayArrive(member: Member): boolean;
  remove(member: Member): void;
}

/** Creates an empty {@link LostRequests}. A request may arrive for this many seconds. */
export function lostRequests(seconds: number): LostRequests {
  const untilOf = new Map<Member, number>();
  return {
    add: (members) => {
      const until = asyncScheduler.now() + seconds * 1000;
      for (const member of members) untilOf.set(member, until);
    },
    mayArrive: (member) => asyncScheduler.now() < (untilOf.get(member) ?? 0),
    remove: (member) => void untilOf.delete(member),
  };
}
