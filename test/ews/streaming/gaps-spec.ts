import { expect } from 'chai';
import { noop, Observable } from 'rxjs';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { pendingGaps, type PendingGaps } from '../../../lib/ews/streaming/gaps.ts';
import type { Member } from '../../../lib/ews/streaming/member.ts';
import type { StreamRequest } from '../../../lib/ews/streaming/handover.ts';
import { initialProgress } from '../../../lib/ews/subscription/progress.ts';

/** Returns the gaps that a member emits in a script. */
function emitted(
  script: (gaps: PendingGaps, member: Member, open: (...requests: StreamRequest[]) => void) => void,
): string[] {
  const seen: string[] = [];
  let openRequests: readonly StreamRequest[] = [];
  const stream = { progress: initialProgress(undefined), checkpoint: undefined, report: noop };
  const lease = { endedByServer: () => undefined, extendedTo: () => undefined };
  const events$ = new Observable<EwsEvent>((subscriber) =>
    script(
      pendingGaps(() => openRequests),
      { id: 'S1', connectionMinutes: 30, stream, lease, subscriber },
      (...requests) => (openRequests = requests),
    ),
  );
  events$.subscribe((event) => seen.push(event.type === 'gap' ? event.reason : event.type));
  return seen;
}

const request = (number: number, ...members: readonly Member[]): StreamRequest => ({
  number,
  members: new Map(members.map((member) => [member.id, member])),
  openedAt: 0,
  hasResponded: true,
  mayHaveActed: true,
  isClosed: false,
  hasLostMembers: false,
  decodeError: undefined,
});

describe('pendingGaps', () => {
  it('emits a gap once, on a request newer than the lost one', () => {
    const seen = emitted((gaps, member) => {
      gaps.add(member, 'connectionLost', 2);
      gaps.flush(request(1, member));
      gaps.flush(request(2, member));
      expect(gaps.of(member)).to.equal('connectionLost');
      gaps.flush(request(3, member));
      gaps.flush(request(3, member));
      expect(gaps.of(member)).to.equal(undefined);
    });
    expect(seen).to.deep.equal(['connectionLost']);
  });

  it('emits no gap to members that moved or left', () => {
    const seen = emitted((gaps, member) => {
      gaps.add(member, 'connectionLost', 1);
      gaps.flush(request(2));
      gaps.remove(member);
      gaps.flush(request(3, member));
    });
    expect(seen).to.deep.equal([]);
  });

  it('merges two gaps if no open request lies between them', () => {
    const seen = emitted((gaps, member) => {
      gaps.add(member, 'unreadable', 1);
      gaps.add(member, 'connectionLost', 2);
      gaps.flush(request(2, member));
      gaps.flush(request(3, member));
    });
    expect(seen).to.deep.equal(['unreadable']);
  });

  it('emits two gaps if an open request lies between them', () => {
    const seen = emitted((gaps, member, open) => {
      const between = request(2, member);
      gaps.add(member, 'unreadable', 1);
      open(between);
      gaps.add(member, 'connectionLost', 3);
      gaps.flush(between);
      gaps.flush(between);
      gaps.flush(request(4, member));
    });
    expect(seen).to.deep.equal(['unreadable', 'connectionLost']);
  });
});
