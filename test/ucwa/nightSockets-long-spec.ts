import { expect } from 'chai';
import {
  defer,
  filter,
  firstValueFrom,
  merge,
  mergeMap,
  startWith,
  Subject,
  take,
  tap,
  throwError,
} from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../lib/core/transport/transport.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { ucwaDomain } from '../../lib/testing/ucwa/discovery/domain.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presenceBoard } from '../../lib/ucwa/presence/presenceBoard.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';

const people = Array.from({ length: 200 }, (_, index) => `sip:p${index}@contoso.com`);

/** A network in front of a server that can be unavailable, and reports every response. */
function network(server: Transport): {
  readonly transport: Transport;
  readonly answered$: Subject<unknown>;
  /** Breaks the pending requests, and rejects this many requests. */
  readonly unplug: (requests: number) => void;
  readonly isBack: () => boolean;
} {
  const answered$ = new Subject<unknown>();
  const unplugged$ = new Subject<void>();
  let gone = 0;
  const lost = (request: HttpRequest) =>
    throwError(() => new NetworkError('no answer', request, { code: 'ECONNRESET' }));
  return {
    answered$,
    transport: (request) =>
      defer(() => {
        if (gone === 0)
          return merge(server(request), unplugged$.pipe(mergeMap(() => lost(request)))).pipe(take(1));
        gone -= 1;
        return lost(request);
      }).pipe(tap({ next: () => answered$.next(undefined), error: () => answered$.next(undefined) })),
    unplug: (requests) => {
      gone = requests;
      unplugged$.next();
    },
    isBack: () => gone === 0,
  };
}

describe('presence through a night, over real sockets', () => {
  it('emits each change or a gap, and leaves nothing', async () => {
    // A minute of the server lasts two seconds, and tokens last one minute.
    const hosts = ucwaDomain({
      ...{ speed: 30, mediumSeconds: 0.3, timeoutSeconds: 10, tokenSeconds: 60 },
      users: { 'lene@contoso.com': 's3cret' },
    });
    const { transport, answered$, unplug, isBack } = network(hosts.transport);
    const served = await serve(transport);
    const ucwa = connectUcwa({
      ...{ server: discovered('contoso.com', { urls: [`${served.origin}/`] }) },
      auth: password({ username: 'lene@contoso.com', password: 's3cret' }),
      retry: { initialMs: 2, maxMs: 20, retries: 8 },
    });

    const expected = new Map(people.map((uri) => [uri, 'Offline']));
    const untold = new Set<string>();
    let gaps = 0;
    let board: ReadonlyMap<string, { readonly availability?: string | undefined }> = new Map();
    const changed$ = new Subject<unknown>();
    let failure: unknown;
    ucwa.events$.subscribe({
      next: ({ type, link }) => {
        if (type === 'gap') {
          gaps += 1;
          // After a gap, all contacts are requested again.
          untold.clear();
        } else if (link.rel === 'contactPresence') {
          untold.delete(`sip:${/people\/([^/]+)\/presence/.exec(link.href)?.[1] ?? ''}`);
        }
        changed$.next(undefined);
      },
      error: (error: unknown) => (failure = error),
    });
    const watching = presenceBoard(ucwa, people, { details: [] }).subscribe({
      next: (now) => {
        board = now;
        changed$.next(undefined);
      },
      error: (error: unknown) => (failure = error),
    });

    const until = (holds: () => boolean): Promise<unknown> =>
      firstValueFrom(
        merge(answered$, changed$).pipe(
          startWith(undefined),
          filter(() => failure !== undefined || holds()),
        ),
      ).then(() => expect(failure).to.equal(undefined));
    const isRight = (): boolean =>
      untold.size === 0 && people.every((uri) => board.get(uri)?.availability === expected.get(uri));
    let changes = 0;
    const change = (): void => {
      for (let count = 0; count < 10; count += 1) {
        changes += 1;
        const uri = people[(changes * 37) % people.length]!;
        const availability = ['Online', 'Busy', 'Away'][changes % 3]!;
        expected.set(uri, availability);
        untold.add(uri);
        hosts.setPresence(uri, { availability });
      }
    };
    await until(isRight);
    const losses: readonly (() => void)[] = [
      () => unplug(5),
      () => hosts.pool.endApplications(),
      () => hosts.pool.reset('resync'),
      () => unplug(5),
      () => hosts.pool.restart(),
      () => hosts.pool.reset('resume'),
      () => unplug(5),
      () => hosts.movePool(),
    ];
    for (const lose of losses) {
      change();
      lose();
      change();
      await until(() => isBack() && isRight());
    }
    const { length: issued } = hosts.tokens;
    await until(() => hosts.tokens.length > issued);
    change();
    await until(isRight);
    expect(gaps, 'two losses of the application, a resync, a resume and a move').to.be.at.least(5);
    expect(hosts.pool.presenceSubscriptions.map(({ uris }) => [...uris].sort())).to.deep.equal([
      [...people].sort(),
    ]);

    watching.unsubscribe();
    const { clean } = await ucwa.close();
    expect(clean).to.equal(true);
    expect(hosts.pool.presenceSubscriptions).to.deep.equal([]);
    expect(hosts.pool.applications).to.deep.equal([]);
    await served.close();
  }).timeout(120_000);
});
