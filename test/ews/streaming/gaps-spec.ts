import { expect } from 'chai';
import { pendingGaps, type PendingGaps } from '../../../lib/ews/streaming/gaps.ts';
import type { Member } from '../../../lib/ews/streaming/member.ts';
import type { StreamRequest } from '../../../lib/ews/streaming/handover.ts';

/** A member, and the requests of its connection. */
function recorded(
  script: (gaps: PendingGaps, member: Member, hang: (...legs: StreamRequest[]) => void) => void,
): string[] {
  const seen: string[] = [];
  let hanging: readonly StreamRequest[] = [];
  const member: Member = {
    id: 'S1',
    connectionMinutes: 30,
    next: () => undefined,
    missed: (reason) => seen.push(reason),
    fail: () => undefined,
  };
  script(
    pendingGaps(() => hanging),
    member,
    (...legs) => (hanging = legs),
  );
  return seen;
}

const leg = (number: number, ...members: readonly Member[]): StreamRequest => ({
  number,
  members: new Map(members.map((member) => [member.id, member])),
  openedAt: 0,
  hasAnswered: true,
  mayHaveActed: true,
  isClosed: false,
  hasLostMembers: false,
  decodeError: undefined,
});

describe('connectionGaps', () => {
  it('should be told once, by a request that was opened behind the one on which something is missing', () => {
    const seen = recorded((gaps, member) => {
      gaps.add(member, 'connectionLost', 2);
      gaps.flush(leg(1, member));
      gaps.flush(leg(2, member));
      expect(gaps.of(member)).to.equal('connectionLost');
      gaps.flush(leg(3, member));
      gaps.flush(leg(3, member));
      expect(gaps.of(member)).to.equal(undefined);
    });
    expect(seen).to.deep.equal(['connectionLost']);
  });

  it('should not be told by a request that is not for the member, nor to one that has left', () => {
    const seen = recorded((gaps, member) => {
      gaps.add(member, 'connectionLost', 1);
      gaps.flush(leg(2));
      gaps.remove(member);
      gaps.flush(leg(3, member));
    });
    expect(seen).to.deep.equal([]);
  });

  it('should be told as one, by the last of them, where no request hangs that could tell the first alone', () => {
    const seen = recorded((gaps, member) => {
      gaps.add(member, 'unreadable', 1);
      gaps.add(member, 'connectionLost', 2);
      gaps.flush(leg(2, member));
      gaps.flush(leg(3, member));
    });
    expect(seen).to.deep.equal(['unreadable']);
  });

  it('should be told one by one where the request between them goes on', () => {
    const seen = recorded((gaps, member, hang) => {
      const goesOn = leg(2, member);
      gaps.add(member, 'unreadable', 1);
      hang(goesOn);
      gaps.add(member, 'connectionLost', 3);
      gaps.flush(goesOn);
      gaps.flush(goesOn);
      gaps.flush(leg(4, member));
    });
    expect(seen).to.deep.equal(['unreadable', 'connectionLost']);
  });
});
