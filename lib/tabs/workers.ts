import {
  catchError,
  defer,
  filter,
  finalize,
  fromEvent,
  map,
  merge,
  type MonoTypeOperatorFunction,
  NEVER,
  Observable,
  of,
  repeat,
  share,
  Subject,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  throwError,
} from 'rxjs';
import { electedLinks, leadTabs } from './election.ts';
import { joined, type Link } from './link.ts';
import type { TabMessage, WorkerMessage } from './messages.ts';
import { broadcastChannel, type Lock, messagePort, uniqueName, webLocks } from './platform.ts';
import type { TabServer } from './tabServer.ts';

/** The time after which a worker that has died is started again. */
const RESTART_MS = 500;

/** The ways to the streams. */
export interface Sources {
  readonly sharedWorker: ((name: string) => SharedWorker) | undefined;
  /** Loads the streams into this tab, for browsers without SharedWorker. */
  readonly load: () => PromiseLike<{ readonly open: () => TabServer }>;
}

/**
 * Returns an Observable of the connection to the streams; undefined while there is none.
 *
 * They run in a SharedWorker, or in an elected tab, or in this tab, as the browser permits.
 */
export function links({ sharedWorker, load }: Sources, name: string): Observable<Link | undefined> {
  const lock = webLocks();
  const tab = uniqueName(`${name} tab`);
  const server$ = defer(load).pipe(map(({ open }) => open()));
  const own$: Observable<Link | undefined> = server$.pipe(switchMap((server) => ownLink(server, tab)));
  const elected$ =
    lock === undefined || typeof BroadcastChannel !== 'function'
      ? own$
      : broadcastChannel(name, (channel) =>
          electedLinks({
            ...{ tab, lock, channel, leaderLock: `${name} leader` },
            lead: (leader) =>
              server$.pipe(
                // A BroadcastChannel does not receive its own messages.
                switchMap((server) => broadcastChannel(name, (own) => leadTabs(own, leader, server))),
              ),
          }),
        ).pipe(orElse(own$));
  const shared$ =
    sharedWorker === undefined || typeof SharedWorker !== 'function'
      ? elected$
      : defer(() => workerLink(sharedWorker(name), tab, lock)).pipe(
          repeat({ delay: RESTART_MS }),
          orElse(elected$),
        );
  // The worker awaits this lock, so the tab must hold it first.
  const held$ = lock === undefined ? of(undefined) : lock(tab).pipe(orElse(of(undefined)));
  return held$.pipe(switchMap(() => shared$));
}

/** Returns an Observable of the connection to a worker; undefined when that has died. */
function workerLink(worker: SharedWorker, tab: string, lock: Lock | undefined): Observable<Link | undefined> {
  const { messages$: received$, post } = messagePort<WorkerMessage, TabMessage>(worker.port);
  const messages$ = received$.pipe(share());
  const welcome$ = messages$.pipe(
    filter((message) => message.type === 'welcome'),
    take(1),
    share(),
  );
  const link$ = welcome$.pipe(
    switchMap(({ lock: held }) => {
      const died$ =
        held === undefined || lock === undefined
          ? NEVER
          : lock(held, { mode: 'shared' }).pipe(map(() => undefined));
      return merge(joined({ messages$, post }, tab), died$);
    }),
    takeWhile((link) => link !== undefined, true),
  );
  const failed$ = fromEvent(worker, 'error').pipe(
    map(() => {
      throw new Error('the SharedWorker could not be started: check the URL of its file, and its console');
    }),
    takeUntil(welcome$),
  );
  return merge(link$, failed$).pipe(finalize(() => worker.port.close()));
}

/** Returns an Observable of the connection to streams in this tab. */
function ownLink(server: TabServer, tab: string): Observable<Link> {
  return new Observable((subscriber) => {
    const sent = new Subject<TabMessage>();
    const received = new Subject<WorkerMessage>();
    server.join({ messages$: sent, post: (message) => received.next(message) });
    joined({ messages$: received, post: (message) => sent.next(message) }, tab).subscribe(subscriber);
  });
}

/** Returns an operator that continues with another Observable if the page may not use a feature. */
function orElse<Value>(other$: Observable<Value>): MonoTypeOperatorFunction<Value> {
  return catchError((error: unknown) =>
    error instanceof Error && error.name === 'SecurityError' ? other$ : throwError(() => error),
  );
}
