import { catchError, fromEvent, map, mergeMap, type Observable, of, shareReplay } from 'rxjs';
import type { CheckpointStore } from '../core/checkpoint/checkpoint.ts';
import { functionOption } from '../core/options.ts';
import type { TabMessage, WorkerMessage } from './messages.ts';
import { type Lock, messagePort, uniqueName, webLocks } from './platform.ts';
import { type ServedStreams, type TabServer, tabServer } from './tabServer.ts';

/** A function that creates connections, and returns them with their streams. */
export type DefineStreams = (call: never, store: CheckpointStore) => ServedStreams;

/** The streams that {@link serveTabs} serves. */
export interface ServedTabs<Define extends DefineStreams> {
  readonly define: Define;
  /** @internal For `connectTabs`: serves the streams from a tab. */
  readonly open: () => TabServer;
}

/**
 * Serves streams to the tabs of an application, if it is called in a SharedWorker.
 *
 * Elsewhere it does nothing until {@link connectTabs} uses the result. Call it before the first `await` of
 * its file, so that no tab is missed.
 *
 * - `define` is called when the first tab subscribes. When the last tab has left, all `connections` are
 *   closed, and the next tab calls `define` again.
 * - Tabs that use a stream with equal arguments share one subscription to it. Arguments are JSON.
 * - Values are copied: Maps, dates and plain objects stay what they are, functions cannot be sent. Of a Map
 *   only the changed entries are sent, so that unchanged ones are the same objects in the tab.
 *
 * @param define Creates the connections, and returns them with their streams. Its first argument calls a
 * function of a tab, such as one that signs the user in. Its second one is a store for checkpoints in the
 * memory of the tabs: if the worker or the elected tab crashes, the next one removes its resources.
 *
 * @example
 * ```ts
 * // connection.ts
 * import { bearer, type CheckpointStore } from 'rxchange';
 * import { type CallTab, serveTabs } from 'rxchange/tabs';
 * import { checkpointed, connectUcwa, presenceBoard } from 'rxchange/ucwa';
 *
 * const define = (call: CallTab<{ token(): Promise<string> }>, store: CheckpointStore) => {
 *   const server = 'https://pool.contoso.com/ucwa/oauth/v1/applications';
 *   const checkpoint = checkpointed(store, 'presence');
 *   const ucwa = connectUcwa({ server, auth: bearer(() => call('token')), checkpoint });
 *   return {
 *     connections: [ucwa],
 *     states: { board: (uris: readonly string[]) => presenceBoard(ucwa, uris) },
 *     events: { all: () => ucwa.events$ },
 *   };
 * };
 * export const streams = serveTabs(define);
 * ```
 */
export function serveTabs<Define extends DefineStreams>(define: Define): ServedTabs<Define> {
  functionOption('a function that returns the connections and their streams')('define', define);
  const lock = webLocks();
  const open = (): TabServer => tabServer(define as unknown as () => ServedStreams, lock);
  if ('onconnect' in globalThis) serveWorker(globalThis, open(), lock);
  return { define, open };
}

/** Serves the tabs that connect to a SharedWorker. */
function serveWorker(scope: EventTarget, server: TabServer, lock: Lock | undefined): void {
  const name = uniqueName('rxchange worker');
  const held$: Observable<string | undefined> =
    lock === undefined ? of(undefined) : lock(name).pipe(map(() => name));
  const lock$ = held$.pipe(
    // A page without storage may not use locks.
    catchError(() => of(undefined)),
    shareReplay({ bufferSize: 1, refCount: false }),
  );
  fromEvent<MessageEvent<unknown>>(scope, 'connect')
    .pipe(
      mergeMap(({ ports }) => ports.map((port) => messagePort<TabMessage, WorkerMessage>(port))),
      // The tab awaits this lock, so the worker must hold it first.
      mergeMap((port) => lock$.pipe(map((held) => ({ port, held })))),
    )
    .subscribe(({ port, held }) => {
      server.join(port);
      port.post({ type: 'welcome', lock: held });
    });
}
