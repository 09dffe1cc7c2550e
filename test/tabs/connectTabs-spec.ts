import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { BehaviorSubject, concat, finalize, interval, NEVER, type Observable, of, Subject, take } from 'rxjs';
import type { CheckpointStore } from '../../lib/core/checkpoint/checkpoint.ts';
import { ClosedError, HttpError } from '../../lib/core/errors.ts';
import { connectTabs, type Tabs, type TabsGap, tabsOf } from '../../lib/tabs/connectTabs.ts';
import type { Link } from '../../lib/tabs/link.ts';
import { VERSION } from '../../lib/tabs/platform.ts';
import { type ServedTabs, serveTabs } from '../../lib/tabs/serveTabs.ts';
import { type CallTab, type StreamFunctions, tabServer } from '../../lib/tabs/tabServer.ts';
import { joinTab } from '../support/tabs/tabPorts.ts';

type Streams = Readonly<Record<string, (...args: readonly unknown[]) => Observable<unknown>>>;

const GAP: TabsGap = { type: 'gap', reason: 'workerChanged' };

/** Streams of a tab whose worker can be replaced. */
function tabWith(
  streams: (call: CallTab) => StreamFunctions,
  functions: Parameters<typeof tabsOf>[1] = {},
): {
  readonly tabs: Tabs<never>;
  readonly states: Streams;
  readonly events: Streams;
  readonly changeWorker: () => void;
  readonly links$: BehaviorSubject<Link | undefined>;
} {
  const define = (call: CallTab) => ({
    connections: [],
    states: streams(call),
    events: streams(call),
  });
  const link = (): Link => joinTab(tabServer(define, undefined), 'tab').link;
  const links$ = new BehaviorSubject<Link | undefined>(link());
  const tabs = tabsOf(links$, functions, { HttpError }) as Tabs<never> & {
    readonly states: Streams;
    readonly events: Streams;
  };
  return { tabs, states: tabs.states, events: tabs.events, links$, changeWorker: () => links$.next(link()) };
}

describe('connectTabs', () => {
  it('returns the streams with their types', () => {
    const served: ServedTabs<
      (call: CallTab<{ token(): Promise<string> }>) => {
        readonly connections: readonly [];
        readonly states: { readonly count: (from: number) => Observable<number> };
        readonly events: { readonly texts: () => Observable<string> };
      }
    > = serveTabs((call) => ({
      connections: [],
      states: { count: (from: number) => of(from) },
      events: { texts: () => call('token') },
    }));
    const tabs = connectTabs({
      load: () => Promise.resolve(served),
      functions: { token: () => Promise.resolve('a') },
    });
    expectTypeOf(tabs.states.count).toEqualTypeOf<(from: number) => Observable<number>>();
    expectTypeOf(tabs.events.texts).toEqualTypeOf<() => Observable<string | TabsGap>>();
    // @ts-expect-error -- the worker calls token
    connectTabs({ load: () => Promise.resolve(served) });
    const without = serveTabs(() => ({ connections: [] }));
    connectTabs({ load: () => Promise.resolve(without) });
  });

  it('serves the streams in this thread if there is no worker', async () => {
    const log: unknown[] = [];
    const served = serveTabs((call: CallTab<{ add(one: number): Promise<number> }>) => ({
      connections: [{ suspend: () => log.push('suspend'), close: () => Promise.resolve(log.push('close')) }],
      states: { count: () => call('add', 1) },
    }));
    const tabs = connectTabs({
      load: () => Promise.resolve(served),
      functions: { add: (one) => Promise.resolve(one + 1) },
    });
    await tabs.states
      .count()
      .pipe(take(1))
      .forEach((value) => log.push(value));
    tabs.close();
    expect(log).to.deep.equal([2, 'suspend', 'close']);
  });

  it('continues states without a gap when the worker changes', () => {
    const source$ = new BehaviorSubject('a');
    const { states, changeWorker, links$ } = tabWith(() => ({ state: () => source$ }));
    const seen: unknown[] = [];
    states['state']!().subscribe((value) => seen.push(value));
    links$.next(undefined);
    source$.next('b');
    changeWorker();
    expect(seen).to.deep.equal(['a', 'b']);
  });

  it('emits boards as stale while there is no worker', () => {
    const source$ = new BehaviorSubject<unknown>(
      Object.assign(new Map([['a', 1]]), { isStale: false, asOf: 7 }),
    );
    const { states, changeWorker, links$ } = tabWith(() => ({ board: () => source$ }));
    const seen: unknown[] = [];
    states['board']!().subscribe((board) =>
      seen.push([...(board as Map<string, number>)], { ...(board as object) }),
    );
    links$.next(undefined);
    links$.next(undefined);
    changeWorker();
    const fresh = [[['a', 1]], { isStale: false, asOf: 7 }];
    expect(seen).to.deep.equal([...fresh, [['a', 1]], { isStale: true, asOf: 7 }, ...fresh]);
  });

  it('emits objects as stale, and leaves other values alone', () => {
    const { states, links$ } = tabWith(() => ({
      board: () => new BehaviorSubject({ isStale: false, count: 1 }),
      stale: () => new BehaviorSubject({ isStale: true }),
      count: () => new BehaviorSubject(1),
      nothing: () => new BehaviorSubject(null),
    }));
    const seen: unknown[] = [];
    for (const name of ['board', 'stale', 'count', 'nothing'])
      states[name]!().subscribe((value) => seen.push(value));
    seen.length = 0;
    links$.next(undefined);
    expect(seen).to.deep.equal([{ isStale: true, count: 1 }]);
  });

  it('gives the checkpoints of a worker that has died to the next', () => {
    const loaded: unknown[] = [];
    const defined = (_: CallTab, store: CheckpointStore) => {
      store.load('a').subscribe((value) => loaded.push(value));
      store.load('b').subscribe((value) => loaded.push(value));
      concat(store.save('a', 1), store.save('b', 2), store.remove('b')).subscribe();
      return { connections: [], states: { state: () => NEVER } };
    };
    const newest = () => tabServer(defined, undefined);
    const first = newest();
    const links = ['one', 'late'].map((tab) => {
      const links$ = new BehaviorSubject<Link | 'left'>(joinTab(first, tab).link);
      const tabs = tabsOf(links$, {}, {}) as unknown as { readonly states: Streams };
      tabs.states['state']!().subscribe();
      return links$;
    });
    expect(loaded).to.deep.equal([undefined, undefined]);
    const [one, late] = links;
    one?.next(joinTab(newest(), 'one').link);
    expect(loaded.slice(2)).to.deep.equal([1, undefined]);
    late?.next(joinTab(newest(), 'late').link);
    expect(loaded.slice(4)).to.deep.equal([1, undefined]);
    // A tab that leaves knows nothing about what happens then.
    late?.next('left');
    late?.next(joinTab(newest(), 'late').link);
    expect(loaded.slice(6)).to.deep.equal([undefined, undefined]);
  });

  it('emits a gap when the worker changes, and before its first event', () => {
    const source$ = new Subject<string>();
    const { events, changeWorker } = tabWith(() => ({ event: () => source$ }));
    const seen: unknown[] = [];
    events['event']!().subscribe((value) => seen.push(value));
    source$.next('a');
    changeWorker();
    expect(seen).to.deep.equal(['a', GAP]);
    source$.next('b');
    source$.next('c');
    expect(seen).to.deep.equal(['a', GAP, GAP, 'b', 'c']);
  });

  it('keeps the unchanged objects of a Map', () => {
    const source$ = new Subject<Map<string, object>>();
    const { states } = tabWith(() => ({ board: () => source$ }));
    const boards: Map<string, object>[] = [];
    states['board']!().subscribe((board) => boards.push(board as Map<string, object>));
    const sara = { name: 'sara' };
    source$.next(new Map([['sara', sara]]));
    source$.next(
      new Map<string, object>([
        ['sara', sara],
        ['bob', { name: 'bob' }],
      ]),
    );
    const [before, after] = boards;
    expect([...after!]).to.deep.equal([
      ['sara', sara],
      ['bob', { name: 'bob' }],
    ]);
    expect(after!.get('sara')).to.equal(before!.get('sara'));
  });

  it('keeps the properties and the order of a Map', () => {
    const source$ = new Subject<ReadonlyMap<string, number>>();
    const { states } = tabWith(() => ({ board: () => source$ }));
    const boards: unknown[] = [];
    states['board']!().subscribe((board) =>
      boards.push([...(board as Map<string, number>)], { ...(board as object) }),
    );
    const asOf = new Date(7);
    source$.next(
      Object.assign(
        new Map([
          ['a', 1],
          ['b', 2],
        ]),
        { isStale: false },
      ),
    );
    source$.next(
      Object.assign(
        new Map([
          ['b', 2],
          ['a', 1],
        ]),
        { isStale: true, asOf },
      ),
    );
    expect(boards).to.deep.equal([
      ...[
        [
          ['a', 1],
          ['b', 2],
        ],
        { isStale: false },
      ],
      ...[
        [
          ['b', 2],
          ['a', 1],
        ],
        { isStale: true, asOf },
      ],
    ]);
  });

  it('shares streams whose arguments have their members in another order', () => {
    const args: unknown[] = [];
    const { states } = tabWith(() => ({ board: (...given: unknown[]) => (args.push(given), NEVER) }));
    states['board']!({ a: 1, b: [{ c: 1, d: 2 }] }).subscribe();
    states['board']!({ b: [{ d: 2, c: 1 }], a: 1 }).subscribe();
    expect(args).to.deep.equal([[{ a: 1, b: [{ c: 1, d: 2 }] }]]);
  });

  it('emits the error and the completion of a stream, and unsubscribes', () => {
    const log: string[] = [];
    const source$ = new Subject<number>();
    const { states, events } = tabWith(() => ({ one: () => source$.pipe(finalize(() => log.push('end'))) }));
    states['one']!().subscribe({
      error: (error: unknown) => log.push(String(error instanceof HttpError)),
    });
    events['one']!().subscribe().unsubscribe();
    expect(log).to.deep.equal(['end']);
    source$.error(new HttpError(403, { method: 'GET', url: 'https://pool.contoso.com/' }));
    expect(log).to.have.members(['end', 'end', 'true']);
    const completing = tabWith(() => ({ one: () => of(1) }));
    completing.states['one']!().subscribe({ complete: () => log.push('complete') });
    expect(log.at(-1)).to.equal('complete');
  });

  it('emits whether there is a worker', () => {
    const { tabs, links$, changeWorker } = tabWith(() => ({}));
    const seen: boolean[] = [];
    tabs.isConnected$.subscribe((value) => seen.push(value));
    links$.next(undefined);
    changeWorker();
    changeWorker();
    expect(seen).to.deep.equal([false, true, false, true]);
  });

  it('completes streams when it is closed; later ones are an error', () => {
    const { tabs, states } = tabWith(() => ({ count: () => interval(1000) }));
    const log: unknown[] = [];
    states['count']!().subscribe({ complete: () => log.push('complete') });
    tabs.close();
    states['count']!().subscribe({ error: (error: unknown) => log.push(error instanceof ClosedError) });
    expect(log).to.deep.equal(['complete', true]);
  });

  it('errors for a function that the tab does not have', async () => {
    const { states } = tabWith((call) => ({ token: () => call('token' as never) }));
    const error = await new Promise<unknown>((resolve) => {
      states['token']!().subscribe({ error: resolve });
    });
    expect(error).to.be.instanceOf(TypeError).with.property('message').that.contains('no function token');
  });

  it('names workers by the version of the library', () => {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    expect((JSON.parse(text) as { readonly version: string }).version).to.equal(VERSION);
  });

  it('rejects options that it cannot use, and names them', () => {
    const withOptions = connectTabs as (options: unknown) => unknown;
    const load = (): unknown => undefined;
    for (const [options, message] of [
      [undefined, 'options must be an object'],
      [{}, 'load must be a function that loads the streams'],
      [{ load, sharedWorkr: load }, 'unknown name "sharedWorkr" in options: did you mean sharedWorker?'],
      [
        { load, sharedWorker: 'connection.js' },
        'sharedWorker must be a function that returns a SharedWorker',
      ],
    ] as const) {
      expect(() => withOptions(options)).to.throw(TypeError, message);
    }
    expect(() => serveTabs({} as never)).to.throw(TypeError, 'define must be a function');
  });

  it('does nothing before a subscription', () => {
    let loads = 0;
    const served = serveTabs(() => ({ connections: [], states: { one: () => of(1) } }));
    const tabs = connectTabs({ load: () => Promise.resolve((loads++, served)) });
    tabs.states.one();
    expect(loads).to.equal(0);
    tabs.close();
  });
});
