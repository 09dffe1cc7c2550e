import {
  asyncScheduler,
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  Observable,
  of,
  share,
  startWith,
  Subject,
  switchMap,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { joined, type Link } from './link.ts';
import type { ChannelMessage, Port, TabMessage } from './messages.ts';
import type { Lock } from './platform.ts';
import type { TabServer } from './tabServer.ts';

/** How long a leader may be silent before it is sent a ping. */
const SILENCE_MS = 2000;
/** How long its response may take. Messages reach hidden pages at once; only their timers are late. */
const RESPONSE_MS = 4000;

/** The parts of the platform that an election needs. */
export interface Election {
  /** The tab, by the name of the Web Lock that it holds. */
  readonly tab: string;
  /** The name of the lock that the leader holds. */
  readonly leaderLock: string;
  readonly lock: Lock;
  readonly channel: Port<ChannelMessage, ChannelMessage>;
  /** Returns an Observable that serves all tabs from this one, and stops when it is unsubscribed. */
  readonly lead: (leader: number) => Observable<unknown>;
}

/**
 * Returns an Observable of the connection to the leading tab; undefined while there is none.
 *
 * The tab that holds a Web Lock leads. A tab that hangs keeps its lock, so another one steals it after a
 * silence. If the first continues, it stops leading.
 */
export function electedLinks({
  tab,
  leaderLock,
  lock,
  channel,
  lead,
}: Election): Observable<Link | undefined> {
  return defer(() => {
    let newest = 0;
    const own$ = new Subject<ChannelMessage>();
    // A frozen leader that continues is not heard.
    const heard$ = merge(channel.messages$, own$).pipe(
      filter((heard) => !('leader' in heard) || heard.leader >= newest),
      tap((heard) => {
        if ('leader' in heard) newest = heard.leader;
      }),
      share(),
    );
    const alive$ = heard$.pipe(filter((heard) => heard.type === 'alive'));
    const silent$ = heard$.pipe(
      filter(({ type }) => type === 'alive' || type === 'elected'),
      startWith(undefined),
      switchMap(() =>
        timer(SILENCE_MS).pipe(
          // This tab may have been frozen itself: the response arrives after the messages that wait.
          tap(() => channel.post({ type: 'ping' })),
          // At different times, so that one tab leads before the others notice.
          switchMap(() => timer(RESPONSE_MS * (1 + Math.random() / 2))),
        ),
      ),
      share(),
    );

    const compete = (steal: boolean): Observable<never> =>
      lock(leaderLock, { steal }).pipe(
        switchMap(() => {
          const leader = Math.max(newest + 1, asyncScheduler.now());
          const announce = (): void => {
            channel.post({ type: 'elected', leader });
            own$.next({ type: 'elected', leader });
          };
          // Loading the streams can take long.
          const loading$ = heard$.pipe(
            filter(({ type }) => type === 'ping'),
            startWith(undefined),
            tap(announce),
            takeUntil(alive$.pipe(filter((heard) => heard.leader === leader))),
          );
          return merge(loading$, lead(leader)).pipe(ignoreElements());
        }),
        catchError((error: unknown) => (isStolen(error) ? compete(false) : throwError(() => error))),
      );

    const linkTo = (leader: number): Link => ({
      messages$: heard$.pipe(
        filter((heard) => heard.type === 'toTab'),
        filter((heard) => heard.tab === tab && heard.leader === leader),
        map(({ message }) => message),
      ),
      post: (message) => channel.post({ type: 'toLeader', leader, tab, message }),
    });

    const links$ = merge(alive$.pipe(map(({ leader }) => leader)), silent$.pipe(map(() => undefined))).pipe(
      distinctUntilChanged(),
      switchMap((leader) => (leader === undefined ? of(undefined) : joined(linkTo(leader), tab))),
    );
    const leading$ = silent$.pipe(
      map(() => true),
      startWith(false),
      switchMap(compete),
    );
    const ping$ = defer(() => {
      channel.post({ type: 'ping' });
      return EMPTY;
    });
    return merge(links$, ping$, leading$);
  });
}

function isStolen(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/**
 * Returns an Observable that serves the tabs of a BroadcastChannel until it is unsubscribed.
 *
 * It completes if there is a later leader: this one was frozen.
 *
 * @param leader The number of this leader.
 */
export function leadTabs(
  { messages$, post }: Port<ChannelMessage, ChannelMessage>,
  leader: number,
  server: TabServer,
): Observable<never> {
  return new Observable((subscriber) => {
    const received = new Map<string, Subject<TabMessage>>();
    const join = (tab: string): Subject<TabMessage> => {
      const subject = new Subject<TabMessage>();
      received.set(tab, subject);
      server
        .join({ messages$: subject, post: (message) => post({ type: 'toTab', leader, tab, message }) })
        .add(() => received.delete(tab));
      return subject;
    };
    const alive = (): void => post({ type: 'alive', leader });
    const heard = messages$.subscribe((message) => {
      if (message.type === 'ping') alive();
      else if (message.type === 'toLeader') {
        const { tab } = message;
        if (message.leader === leader) (received.get(tab) ?? join(tab)).next(message.message);
      } else if (message.leader > leader) subscriber.complete();
    });
    subscriber.add(heard);
    subscriber.add(server.stop);
    alive();
  });
}
