import {
  asyncScheduler,
  auditTime,
  combineLatest,
  connect,
  defaultIfEmpty,
  distinctUntilChanged,
  endWith,
  ignoreElements,
  map,
  type Observable,
  of,
  scan,
  startWith,
  switchMap,
  takeUntil,
  timer,
} from 'rxjs';
import type { ConnectionStatus } from '../../core/connectionStatus.ts';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { sessionOf, type Ucwa } from '../session/session.ts';
import { checkContactPresence, type ContactPresenceOptions, sharedSnapshots } from './contactPresence.ts';
import type { ContactPresence } from './contactState.ts';

/** The states of all contacts by URI, and whether they are current. */
export interface PresenceBoard extends ReadonlyMap<string, ContactPresence> {
  /** When the states were last known to be current; while they are, the time of the emission. */
  readonly asOf: Date;
  /** Whether the connection was live before, and is not any more: the states may have changed. */
  readonly isStale: boolean;
}

/** How long a connection may connect again before its data is stale, in milliseconds. */
const RECONNECTING_MS = 1000;

/**
 * Returns an Observable that emits since when the data of a connection is stale, in milliseconds; undefined
 * if it is current.
 */
function staleSince(status$: Observable<ConnectionStatus>): Observable<number | undefined> {
  return status$.pipe(
    switchMap(({ state }) =>
      state === 'connecting' ? timer(RECONNECTING_MS).pipe(map(() => 'reconnecting')) : of(state),
    ),
    scan(
      ({ wasLive, since }: { readonly wasLive: boolean; readonly since: number | undefined }, state) => {
        if (state === 'live') return { wasLive: true, since: undefined };
        const isStale = state === 'waiting' || (state === 'reconnecting' && wasLive);
        return { wasLive, since: since ?? (isStale ? asyncScheduler.now() : undefined) };
      },
      { wasLive: false, since: undefined },
    ),
    map(({ since }) => since),
    startWith(undefined),
    distinctUntilChanged(),
  );
}

function boardOf(states: Iterable<readonly [string, ContactPresence]>, since?: number): PresenceBoard {
  const asOf = new Date(since ?? asyncScheduler.now());
  return Object.assign(new Map(states), { asOf, isStale: since !== undefined });
}

/**
 * Returns an Observable of the states of all contacts as one Map, for user interfaces.
 *
 * The keys are the URIs as the caller wrote them. Each emission is a new Map that never changes; unchanged
 * states are the same objects as in the last Map. Changes in one turn of the event loop are one emission. The
 * Map contains a contact as soon as its presence is known, or its request has failed, and until the contact
 * leaves the list.
 *
 * `board.isStale` is true while the connection waits, because the states may have changed since `board.asOf`.
 * The states are emitted again when that begins, and when it ends.
 *
 * It errors and throws as {@link contactPresence} does.
 *
 * @param uris The contacts, as `sip:` URIs, or an Observable of such lists. An empty list sends nothing; if
 * no other follows, the Observable emits an empty Map and completes.
 *
 * @example
 * ```ts
 * import { take } from 'rxjs';
 * import { bearer } from 'rxchange';
 * import { connectUcwa, presenceBoard } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
 * server.setPresence('sip:sara@contoso.com', { availability: 'Busy' });
 * await presenceBoard(ucwa, ['sip:sara@contoso.com', 'sip:bob@contoso.com'])
 *   .pipe(take(1))
 *   .forEach((board) => board.forEach(({ availability }, uri) => console.log(uri, availability)));
 * // prints: sip:sara@contoso.com Busy
 * // prints: sip:bob@contoso.com Offline
 * await ucwa.drain();
 * ```
 */
export function presenceBoard(
  ucwa: Ucwa,
  uris: readonly string[] | Observable<readonly string[]>,
  options: ContactPresenceOptions = {},
): Observable<PresenceBoard> {
  const session = sessionOf(ucwa);
  return sharedSnapshots(session, uris, checkContactPresence(options)).pipe(
    connect((snapshots$) =>
      combineLatest([
        snapshots$,
        staleSince(session.status.status$).pipe(
          takeUntil(snapshots$.pipe(ignoreElements(), endWith(undefined))),
        ),
      ]),
    ),
    auditTime(0),
    map(([{ states }, since]) => boardOf(states, since)),
    defaultIfEmpty(boardOf([])),
    untilClosed(session.ledger, 'presenceBoard', { uris }),
  );
}
