import {
  defer,
  EMPTY,
  filter,
  finalize,
  from,
  map,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  type ObservableInput,
  type ObservedValueOf,
  of,
  repeat,
  ReplaySubject,
  share,
  Subscription,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  tap,
} from 'rxjs';
import type { CheckpointStore, Json } from '../core/checkpoint/checkpoint.ts';
import { decode, encode } from './encoded.ts';
import { differenceOf } from './mapPatch.ts';
import type { Port, Saved, TabMessage, WorkerMessage } from './messages.ts';
import type { Lock } from './platform.ts';

/** Functions that return streams. Their arguments are JSON, because they come from another thread. */
export type StreamFunctions = Readonly<Record<string, (...args: never[]) => Observable<unknown>>>;

/** A function that a worker may call in a tab. Its arguments are JSON. */
export type TabFunction = (...args: never[]) => ObservableInput<unknown>;

/** The functions that a worker may call in a tab, by name. */
export type TabFunctions<Names extends PropertyKey = string> = Readonly<Record<Names, TabFunction>>;

/**
 * Returns an Observable that calls a function of one tab, and emits the first value that the function
 * returns.
 *
 * The tab that was shown last is called; if it dies, another one. It errors as the function does, and if
 * there is no tab.
 */
export interface CallTab<Functions extends TabFunctions<keyof Functions> = TabFunctions> {
  <Name extends keyof Functions & string>(
    name: Name,
    ...args: Parameters<Functions[Name]>
  ): Observable<ObservedValueOf<ReturnType<Functions[Name]>>>;
}

/** The streams of a worker, and the connections that they use. */
export interface ServedStreams {
  /** The connections, which are closed when the last tab has left. */
  readonly connections: readonly {
    /** Removes everything from the server at once. */
    suspend(): void;
    /** Ends the connection. */
    close(): PromiseLike<unknown>;
  }[];
  /**
   * Streams of which only the latest value matters, such as boards. A late subscriber receives that value.
   */
  readonly states?: StreamFunctions;
  /** Streams of which each value matters. A late subscriber receives the values that follow. */
  readonly events?: StreamFunctions;
}

/** The side that has the connections. */
export interface TabServer {
  /** Serves a tab until it leaves or dies; unsubscribe to stop earlier. */
  readonly join: (port: Port<TabMessage, WorkerMessage>) => Subscription;
  /** Ends all tabs, and closes the connections. */
  readonly stop: () => void;
}

/** A tab that has joined. */
type Tab = Port<TabMessage, WorkerMessage>;

/** The streams in use. */
interface Serving {
  readonly streams: ServedStreams;
  /** By group, name and arguments. */
  readonly shared: Map<string, Observable<unknown>>;
}

/**
 * Creates the side of the worker. `define` is called for the first tab, and again after the last has left.
 */
export function tabServer(
  define: (call: CallTab, store: CheckpointStore) => ServedStreams,
  lock: Lock | undefined,
): TabServer {
  /** The one that was shown last is the last. */
  const tabs = new Map<Tab, Subscription>();
  let serving: Serving | undefined;
  let closing: Promise<unknown> | undefined;
  let calls = 0;
  let saved: Saved = new Map();

  const callOne = (tab: Tab, name: string, args: readonly unknown[]): Observable<unknown> => {
    const id = calls++;
    const send$ = defer(() => {
      tab.post({ type: 'call', id, name, args: JSON.stringify(args) });
      return EMPTY;
    });
    const results$ = tab.messages$.pipe(
      filter((message) => message.type === 'result' || message.type === 'failure'),
      filter((result) => result.id === id),
      map((result) => {
        if (result.type === 'failure') throw decode(result.error, {});
        return decode(result.value, {});
      }),
    );
    return merge(results$, send$);
  };

  const call: CallTab = (name, ...args) =>
    defer(() => {
      const last = [...tabs.keys()].at(-1);
      if (last === undefined) throw new Error(`${name} cannot be called, because no tab is open`);
      return callOne(last, name, args);
      // A tab that dies completes without a result.
    }).pipe(repeat(), take(1));

  const save = (change: (copy: Map<string, Json>) => void): Observable<never> =>
    defer(() => {
      const copy = new Map(saved);
      change(copy);
      saved = copy;
      for (const tab of tabs.keys()) tab.post({ type: 'saved', saved });
      return EMPTY;
    });
  const store: CheckpointStore = {
    load: (key) => defer(() => of(saved.get(key))),
    save: (key, value) => save((copy) => copy.set(key, value)),
    remove: (key) => save((copy) => copy.delete(key)),
  };

  const streamOf = ({ group, name, args }: SubscribeMessage): Observable<unknown> => {
    serving ??= { streams: define(call, store), shared: new Map() };
    const { streams, shared } = serving;
    const key = JSON.stringify([group, name, args]);
    const known = shared.get(key);
    if (known !== undefined) return known;
    const functions = streams[group] ?? {};
    const stream = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (stream === undefined)
      throw new TypeError(`the worker has no stream ${group}.${name}: reload the page if it is newer`);
    const stream$ = stream(...(JSON.parse(args) as never[])).pipe(
      finalize(() => shared.delete(key)),
      share(group === 'states' ? { connector: () => new ReplaySubject<unknown>(1) } : {}),
    );
    shared.set(key, stream$);
    return stream$;
  };

  const serve = (tab: Tab, message: SubscribeMessage): Subscription => {
    const { id } = message;
    let latest: unknown;
    const next = (value: unknown): WorkerMessage => {
      const difference = differenceOf(latest, value);
      latest = value;
      if (!(value instanceof Map)) return { type: 'next', id, value: encode(value) };
      const { set, deleted } = difference ?? { set: [...value], deleted: [] };
      const fields = encode(Object.fromEntries(Object.entries(value)));
      const isWhole = difference === undefined;
      return { type: 'patch', id, patch: { isWhole, set: encode(set), deleted, fields } };
    };
    // An earlier connection may be deleting the application that the next one would find.
    return defer(() => from(closing === undefined ? [undefined] : closing))
      .pipe(
        mergeMap(() => streamOf(message)),
        map(next),
        // It throws if the value cannot be sent.
        tap((sent) => tab.post(sent)),
      )
      .subscribe({
        error: (error: unknown) => tab.post({ type: 'error', id, error: encode(error) }),
        complete: () => tab.post({ type: 'complete', id }),
      });
  };

  /** Ends subscriptions, and the connections if there is no tab. */
  const end = (subscriptions: Iterable<Subscription>): void => {
    const connections = tabs.size > 0 || serving === undefined ? [] : serving.streams.connections;
    // Before each stream sends a request of its own: there may be time for only one.
    for (const connection of connections) connection.suspend();
    for (const one of subscriptions) one.unsubscribe();
    if (connections.length === 0) return;
    serving = undefined;
    const done = Promise.allSettled(connections.map((connection) => connection.close()));
    closing = done.then(() => (closing = undefined));
  };

  const join: TabServer['join'] = ({ messages$: received$, post }) => {
    const raw$ = received$.pipe(share());
    const died$ = raw$.pipe(
      filter((message) => message.type === 'join'),
      take(1),
      switchMap(({ tab }) => lock?.(tab) ?? NEVER),
    );
    const messages$ = raw$.pipe(
      takeWhile(({ type }) => type !== 'leave'),
      takeUntil(died$),
      share(),
    );
    const tab = { messages$, post };
    const subscriptions = new Map<number, Subscription>();
    const leave = (): void => {
      tabs.delete(tab);
      end(subscriptions.values());
    };
    const joined = new Subscription();
    joined.add(
      messages$.pipe(finalize(leave)).subscribe((message) => {
        if (message.type === 'join') {
          tabs.delete(tab);
          tabs.set(tab, joined);
        } else if (message.type === 'saved') {
          if (serving === undefined) saved = new Map([...saved, ...message.saved]);
          else post({ type: 'saved', saved });
        } else if (message.type === 'subscribe') {
          const { id } = message;
          const subscription = serve(tab, message);
          subscriptions.set(id, subscription);
          subscription.add(() => subscriptions.delete(id));
        } else if (message.type === 'unsubscribe') {
          subscriptions.get(message.id)?.unsubscribe();
        }
      }),
    );
    return joined;
  };

  return {
    join,
    stop: () => {
      for (const connection of serving?.streams.connections ?? []) connection.suspend();
      // Nothing is left for the next leader.
      save((copy) => copy.clear()).subscribe();
      for (const joined of [...tabs.values()]) joined.unsubscribe();
    },
  };
}

type SubscribeMessage = Extract<TabMessage, { readonly type: 'subscribe' }>;
