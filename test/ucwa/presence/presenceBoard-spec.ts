import { expect } from 'chai';
import {
  asyncScheduler,
  BehaviorSubject,
  filter,
  firstValueFrom,
  of,
  Subject,
  takeUntil,
  throwError,
  throwIfEmpty,
  timer,
} from 'rxjs';
import { ClosedError, NetworkError } from '../../../lib/core/errors.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import type { ContactPresence } from '../../../lib/ucwa/presence/contactState.ts';
import { type PresenceBoard, presenceBoard } from '../../../lib/ucwa/presence/presenceBoard.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';
import { connected, type Connected } from '../connected.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

type Board = ReadonlyMap<string, ContactPresence>;

const SARA = 'sip:Sara@contoso.com';
const BOB = 'sip:bob@contoso.com';

function describeBoard(board: PresenceBoard): string {
  const states = [...board.values()].map(({ availability }) => availability).join(' ');
  return `${states}${board.isStale ? ' stale' : ''} as of ${Number(board.asOf) / 1000}`;
}

/** A connection whose network can be cut for some seconds. */
function offline(): Connected & { readonly boards: string[]; readonly cut: (seconds: number) => void } {
  const broken = new Subject<void>();
  let isUp = true;
  const world = connected(
    {},
    {
      retry: { random: () => 1 },
      transport: (request) => {
        const lost = (): NetworkError => new NetworkError('the connection broke', request);
        if (!isUp) return throwError(lost);
        return world.server.transport(request).pipe(takeUntil(broken), throwIfEmpty(lost));
      },
    },
  );
  const cut = (seconds: number): void => {
    isUp = false;
    broken.next();
    timer(seconds * 1000).subscribe(() => (isUp = true));
  };
  return { ...world, boards: [], cut };
}

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

  it('says since when it is stale, and when it is current again', () => {
    const { server, ucwa, boards, cut } = offline();
    inVirtualTime(() => {
      const watching = presenceBoard(ucwa, [SARA], { details: [] }).subscribe((board) =>
        boards.push(`${asyncScheduler.now() / 1000} ${describeBoard(board)}`),
      );
      at(100, () => server.setPresence(SARA, { availability: 'Busy' }));
      at(200, () => cut(60));
      at(250, () => server.setPresence(SARA, { availability: 'Away' }));
      at(400, () => watching.unsubscribe());
    });
    expect(boards).to.deep.equal([
      '0 Offline as of 0',
      '100 Busy as of 100',
      '200 Busy stale as of 200',
      '261.5 Away as of 261.5',
    ]);
  });

  it('is not stale while a gap is filled quickly', () => {
    const { server, ucwa, boards } = offline();
    inVirtualTime(() => {
      const watching = presenceBoard(ucwa, [SARA], { details: [] }).subscribe((board) =>
        boards.push(`${asyncScheduler.now() / 1000} ${describeBoard(board)}`),
      );
      at(10, () => {
        server.failNext(1, { delayMs: 900 }, ({ url }) => url.endsWith('/presence'));
        server.reset('resync');
      });
      at(20, () => {
        server.failNext(1, { delayMs: 3000 }, ({ url }) => url.endsWith('/presence'));
        server.reset('resync');
      });
      at(40, () => watching.unsubscribe());
    });
    expect(boards).to.deep.equal(['0 Offline as of 0', '21 Offline stale as of 21', '23 Offline as of 23']);
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
