import { expect } from 'chai';
import { BehaviorSubject, filter, firstValueFrom, of, timer } from 'rxjs';
import { ClosedError } from '../../../lib/core/errors.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import type { ContactPresence } from '../../../lib/ucwa/presence/contactState.ts';
import { presenceBoard } from '../../../lib/ucwa/presence/contactPresence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected } from '../connected.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

type Board = ReadonlyMap<string, ContactPresence>;

const SARA = 'sip:Sara@contoso.com';
const BOB = 'sip:bob@contoso.com';

describe('presenceBoard', () => {
  it('emits a new Map for each change, by the given URIs', () => {
    const { ucwa, server } = connected({ latencyMs: 10 });
    const boards: Board[] = [];
    inVirtualTime(() => {
      const watching = presenceBoard(ucwa, [SARA, BOB], { details: [] }).subscribe((board) =>
        boards.push(board),
      );
      timer(1000).subscribe(() =>
        server.setPresence(SARA, { availability: 'Busy', lastActive: new Date(7) }),
      );
      timer(2000).subscribe(() =>
        server.setPresence(SARA, { availability: 'Busy', lastActive: new Date(7) }),
      );
      timer(3000).subscribe(() => server.reset('resync'));
      timer(4000).subscribe(() => watching.unsubscribe());
      timer(5000).subscribe(() => server.setPresence(SARA, { availability: 'Away' }));
    });
    expect(boards.map((board) => [...board.keys()])).to.deep.equal([
      [SARA, BOB],
      [SARA, BOB],
    ]);
    const [before, after] = boards as [Board, Board];
    expect(before.get(SARA)?.availability).to.equal('Offline');
    expect(after.get(SARA)?.availability).to.equal('Busy');
    expect(after.get(BOB)).to.equal(before.get(BOB));
  });

  for (const [what, uris] of [
    ['an empty list', []],
    ['an Observable of an empty list', of([])],
  ] as const) {
    it(`emits an empty Map and completes for ${what}`, () => {
      const { ucwa, sent } = connected();
      const seen: unknown[] = [];
      presenceBoard(ucwa, uris).subscribe({
        next: ({ size }) => seen.push(size),
        complete: () => seen.push('end'),
      });
      expect(seen).to.deep.equal([0, 'end']);
      expect(sent()).to.deep.equal([]);
    });
  }

  it('emits seldom for two hundred contacts', () => {
    const { ucwa } = connected({ latencyMs: 10 });
    const uris = Array.from({ length: 200 }, (_, index) => `sip:user${index}@contoso.com`);
    const sizes: number[] = [];
    inVirtualTime(() => {
      const watching = presenceBoard(ucwa, uris).subscribe(({ size }) => sizes.push(size));
      timer(60_000).subscribe(() => watching.unsubscribe());
    });
    expect(sizes.at(-1)).to.equal(200);
    expect(sizes.length).to.be.lessThan(20);
  });

  it('drops contacts that left the list', () => {
    const { ucwa } = connected({ latencyMs: 10 });
    const uris = new BehaviorSubject<readonly string[]>([SARA, BOB]);
    const boards: string[][] = [];
    inVirtualTime(() => {
      const watching = presenceBoard(ucwa, uris, { details: [] }).subscribe((board) =>
        boards.push([...board.keys()]),
      );
      timer(1000).subscribe(() => uris.next([BOB]));
      timer(2000).subscribe(() => uris.next([]));
      timer(3000).subscribe(() => uris.next([SARA]));
      timer(4000).subscribe(() => watching.unsubscribe());
    });
    expect(boards).to.deep.equal([[SARA, BOB], [BOB], [], [SARA]]);
  });

  it('throws, completes with the connection, and rejects later subscribers', async () => {
    const { ucwa } = connected();
    expect(() => presenceBoard(ucwa, ['sara'])).to.throw(TypeError, 'uris');
    let isComplete = false;
    presenceBoard(ucwa, [SARA]).subscribe({ complete: () => (isComplete = true) });
    await ucwa.close();
    expect(isComplete).to.equal(true);
    const refused = await firstValueFrom(presenceBoard(ucwa, [SARA])).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(ClosedError);
  });

  it('survives a lost application over real sockets', async () => {
    const server = ucwaSimulator({ mediumSeconds: 0.01, token: 'token' });
    const served = await serve(server.transport);
    const ucwa = connectUcwa({
      server: `${served.origin}${new URL(server.url).pathname}`,
      auth: bearer('token'),
      retry: { initialMs: 5 },
    });
    server.setPresence(SARA, { availability: 'Busy', note: 'Back soon' });
    const boards = new BehaviorSubject<Board>(new Map());
    const watching = presenceBoard(ucwa, [SARA, BOB]).subscribe(boards);
    const reaches = (isReached: (board: Board) => boolean): Promise<Board> =>
      firstValueFrom(boards.pipe(filter(isReached)));

    await reaches((board) => board.get(SARA)?.note === 'Back soon' && board.get(BOB) !== undefined);
    server.setPresence(BOB, { availability: 'Away' });
    await reaches((board) => board.get(BOB)?.availability === 'Away');
    server.endApplications();
    server.setPresence(SARA, { availability: 'Online', note: '' });
    const last = await reaches(
      (board) => board.get(SARA)?.availability === 'Online' && !board.get(SARA)?.note,
    );
    expect(last.get(BOB)?.availability).to.equal('Away');
    watching.unsubscribe();

    expect((await ucwa.close()).clean).to.equal(true);
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(server.applications).to.deep.equal([]);
    await served.close();
  });
});
