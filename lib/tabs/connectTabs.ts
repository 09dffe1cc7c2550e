import {
  defer,
  dematerialize,
  distinctUntilChanged,
  EMPTY,
  ignoreElements,
  map,
  materialize,
  merge,
  mergeMap,
  NEVER,
  Observable,
  type ObservedValueOf,
  of,
  ReplaySubject,
  share,
  startWith,
  switchMap,
  takeUntil,
  tap,
  throwError,
} from 'rxjs';
import { ClosedError } from '../core/errors.ts';
import { functionOption, objectOption, type OptionNames } from '../core/options.ts';
import { decode, type ErrorClasses } from './encoded.ts';
import { calls, type Link } from './link.ts';
import { patched } from './mapPatch.ts';
import type { Saved, StreamGroup, TabMessage } from './messages.ts';
import { pageIsActive, VERSION } from './platform.ts';
import type { DefineStreams, ServedTabs } from './serveTabs.ts';
import type { CallTab, ServedStreams, StreamFunctions, TabFunctions } from './tabServer.ts';
import { links } from './workers.ts';

/** Events may be missing here: the stream continues in another worker. */
export interface TabsGap {
  readonly type: 'gap';
  readonly reason: 'workerChanged';
}

/** The options of {@link connectTabs}. */
export type TabsOptions<Define extends DefineStreams> = {
  /**
   * Returns a SharedWorker with this name, whose file calls `serveTabs`.
   * @default the streams always run in a tab
   */
  readonly sharedWorker?: (name: string) => SharedWorker;
  /** Loads the streams into this tab, in browsers without SharedWorker. */
  readonly load: () => PromiseLike<ServedTabs<Define>>;
  /**
   * Names the worker. Tabs share a worker if its name and its URL are the same. Add the version of your
   * application, so that a tab that was reloaded after an update does not use an old worker.
   * @default 'rxchange'
   */
  readonly name?: string;
  /**
   * The error classes that the tab tests with `instanceof`, such as `{ HttpError, EndedError }`. Other errors
   * are plain ones with the same `name`, `message` and fields.
   * @default none
   */
  readonly errors?: ErrorClasses;
} & (Parameters<Define> extends []
  ? unknown
  : {
      /** The functions that the streams call with {@link CallTab}. */
      readonly functions: Define extends (call: CallTab<infer Functions>, store: never) => ServedStreams
        ? Functions
        : never;
    });

const loads = functionOption('a function that loads the streams, such as () => import(…)');

const RULES: OptionNames<TabsOptions<(call: CallTab) => ServedStreams>> = {
  sharedWorker: functionOption('a function that returns a SharedWorker with a name'),
  load: loads,
  ...{ name: 1, errors: 1, functions: 1 },
};

/** The functions of a group of streams, as a tab calls them. */
export type TabEvents<Functions extends StreamFunctions> = {
  readonly [Name in keyof Functions]: (
    ...args: Parameters<Functions[Name]>
  ) => Observable<ObservedValueOf<ReturnType<Functions[Name]>> | TabsGap>;
};

/** The streams of a worker in a tab. */
export interface Tabs<Streams extends ServedStreams> {
  /**
   * The states of the worker. Each emits its current value when it is subscribed. When no worker serves this
   * tab, a state that has `isStale`, such as a board, is emitted with `isStale: true`.
   */
  readonly states: Streams extends { readonly states: infer States } ? States : unknown;
  /** The events of the worker, and a {@link TabsGap} when the worker has changed. */
  readonly events: Streams extends { readonly events: infer Events extends StreamFunctions }
    ? TabEvents<Events>
    : unknown;
  /**
   * Emits whether a worker serves this tab: on subscription, and on every change. While it is false, states
   * may be outdated. Subscribing to it connects the tab.
   */
  readonly isConnected$: Observable<boolean>;
  /** Leaves the worker, and completes all streams. Subscribing later is a {@link ClosedError}. */
  close(): void;
}

/**
 * Connects a tab to the streams that all tabs of an application share.
 *
 * Nothing happens before a subscription. `states` and `events` have the functions that {@link serveTabs} was
 * given; they return Observables of the same values.
 *
 * - The streams run in a SharedWorker. In browsers without it they run in one tab, which a Web Lock elects:
 *   if that tab is closed, crashes or is frozen, another one continues. In browsers without Web Locks, such
 *   as for pages without https, each tab runs its own.
 * - A tab leaves when it is closed, hidden in the browser's cache, or frozen, and returns with the current
 *   states. The worker notices a tab that crashes by its Web Lock.
 * - An error has the name, message and fields of the original. It has the class, too, if `errors` has it.
 *
 * @throws TypeError that names the option that cannot be used.
 *
 * @example
 * ```ts
 * import { interval, map, take } from 'rxjs';
 * import { connectTabs, serveTabs } from 'rxchange/tabs';
 *
 * const streams = serveTabs(() => ({
 *   connections: [],
 *   states: { count: (from: number) => interval(10).pipe(map((index) => from + index)) },
 * }));
 *
 * const tabs = connectTabs({
 *   // In a page: sharedWorker: (name) =>
 *   //   new SharedWorker(new URL('./connection.ts', import.meta.url), { type: 'module', name }),
 *   // load: async () => (await import('./connection.ts')).streams,
 *   load: () => Promise.resolve(streams),
 * });
 * await tabs.states.count(5).pipe(take(2)).forEach((count) => console.log(count));
 * // prints: 5
 * // prints: 6
 * tabs.close();
 * ```
 */
export function connectTabs<Define extends DefineStreams>(
  options: TabsOptions<Define>,
): Tabs<ReturnType<Define>> {
  const { sharedWorker, load, name = 'rxchange', errors = {} } = objectOption('options', options, RULES);
  loads('load', load);
  const { functions = {} } = options as { readonly functions?: TabFunctions };
  const links$ = pageIsActive().pipe(
    switchMap((isActive) =>
      isActive ? links({ sharedWorker, load }, `${name} ${VERSION}`) : of('left' as const),
    ),
  );
  return tabsOf(links$, functions, errors);
}

/**
 * Returns the streams of a tab with these connections, one after another.
 *
 * @param connections$ Emits `undefined` when the worker is gone, and `left` when the tab has left it.
 */
export function tabsOf(
  connections$: Observable<Link | 'left' | undefined>,
  functions: TabFunctions,
  errors: ErrorClasses,
): Tabs<ServedStreams> {
  const closed$ = new ReplaySubject<void>(1);
  let isClosed = false;
  let ids = 0;
  let saved: Saved = new Map();
  const links$ = connections$.pipe(
    switchMap((link) => {
      if (link === 'left') saved = new Map();
      if (link === undefined || link === 'left') return of(undefined);
      const saves$ = link.messages$.pipe(
        tap((message) => {
          if (message.type === 'saved') saved = message.saved;
        }),
        ignoreElements(),
      );
      const joined$ = defer(() => {
        link.post({ type: 'saved', saved });
        return of(link);
      });
      return merge(calls(link, functions), saves$, joined$);
    }),
    takeUntil(closed$),
    share({ connector: () => new ReplaySubject<Link | undefined>(1), resetOnRefCountZero: false }),
  );

  /** Returns an Observable of a stream in one worker. */
  const remote = (link: Link, subscribe: Omit<SubscribeMessage, 'id'>): Observable<unknown> =>
    new Observable((subscriber) => {
      const id = ids++;
      let latest: unknown;
      const next = (value: unknown): void => {
        latest = value;
        subscriber.next(value);
      };
      const received = link.messages$.subscribe((message) => {
        if (!('id' in message) || message.id !== id) return;
        if (message.type === 'next') next(decode(message.value, errors));
        else if (message.type === 'patch') {
          const { isWhole, set, deleted, fields } = message.patch;
          const before = isWhole ? new Map() : (latest as ReadonlyMap<unknown, unknown>);
          const difference = { set: decode(set, errors) as (readonly [unknown, unknown])[], deleted };
          next(Object.assign(patched(before, difference), decode(fields, errors)));
        } else if (message.type === 'error') subscriber.error(decode(message.error, errors));
        else if (message.type === 'complete') subscriber.complete();
      });
      subscriber.add(received);
      link.post({ ...subscribe, id });
      return () => link.post({ type: 'unsubscribe', id });
    });

  const stream = (group: StreamGroup, name: string, args: readonly unknown[]): Observable<unknown> => {
    const message = { type: 'subscribe', group, name, args: canonicalJson(args) } as const;
    return defer(() => {
      if (isClosed) return throwError(() => new ClosedError(`${group}.${name}`));
      let isFirst = true;
      let latest: unknown;
      return links$.pipe(
        switchMap((link) => {
          const latest$ = tap((value: unknown) => (latest = value));
          if (link === undefined) return merge(staleCopy(latest), NEVER).pipe(latest$, materialize());
          const values$ = remote(link, message).pipe(latest$);
          const continued$ = isFirst || group === 'states' ? values$ : afterGap(values$);
          isFirst = false;
          // The end of the stream is not the end of one connection.
          return continued$.pipe(materialize());
        }),
        dematerialize(),
        takeUntil(closed$),
      );
    });
  };

  const group = (which: StreamGroup): unknown =>
    new Proxy(
      {},
      {
        get: (_, name) =>
          typeof name === 'string' ? (...args: unknown[]) => stream(which, name, args) : undefined,
      },
    );

  return {
    states: group('states'),
    events: group('events'),
    isConnected$: links$.pipe(
      map((link) => link !== undefined),
      startWith(false),
      distinctUntilChanged(),
    ),
    close: () => {
      isClosed = true;
      closed$.next();
    },
  };
}

type SubscribeMessage = Extract<TabMessage, { readonly type: 'subscribe' }>;

/** Returns JSON in which members are sorted: equal arguments are equal texts. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  );
}

/** Returns an Observable that emits a stale copy of a value that has `isStale`, such as a board. */
function staleCopy(value: unknown): Observable<unknown> {
  if (!(value instanceof Object && 'isStale' in value) || value.isStale === true) return EMPTY;
  const copy: object = value instanceof Map ? new Map(value) : {};
  return of(Object.assign(copy, value, { isStale: true }));
}

const GAP: TabsGap = { type: 'gap', reason: 'workerChanged' };

/**
 * Returns an Observable that emits a gap now, and again before the first event.
 *
 * Now, because there may be no event for hours; again, because only then does the subscription surely exist.
 */
function afterGap(events$: Observable<unknown>): Observable<unknown> {
  return merge(of(GAP), events$.pipe(mergeMap((event, index) => (index === 0 ? [GAP, event] : [event]))));
}
