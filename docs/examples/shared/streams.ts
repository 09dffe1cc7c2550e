import { catchError, combineLatest, EMPTY, map, type Observable, of } from 'rxjs';
import type { ConnectionStatus } from 'rxchange';
import { streamingNotifications } from 'rxchange/ews';
import { countNewMail } from 'rxchange/operators';
import { type ContactPresence, presenceBoard, type Ucwa } from 'rxchange/ucwa';
import { exchange, ucwa } from './connections.ts';
import { contacts$ } from './contacts.ts';

/** All that a board shows. An error is a value, so that each framework shows it in its own way. */
export interface Board {
  readonly contacts: readonly ContactPresence[];
  /** Whether changes may be missing, because the connection waits. */
  readonly isStale: boolean;
  readonly error?: string;
}

export const EMPTY_BOARD: Board = { contacts: [], isStale: false };

export function boardOf(connection: Ucwa): Observable<Board> {
  return presenceBoard(connection, contacts$).pipe(
    map((states) => ({ contacts: [...states.values()], isStale: states.isStale })),
    catchError((error: Error) => of<Board>({ ...EMPTY_BOARD, error: error.message })),
    inBrowser,
  );
}

/** A server that renders the page subscribes to nothing, even if its framework subscribes. */
function inBrowser<Value>(source$: Observable<Value>): Observable<Value> {
  return typeof document === 'undefined' ? EMPTY : source$;
}

export const board$ = boardOf(ucwa);

/** The number of messages since the page was opened. */
export const mail$ = streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).pipe(
  countNewMail(),
  map(({ count, exact }) => (exact ? `${count} new` : `at least ${count} new`)),
  catchError((error: Error) => of(error.message)),
  inBrowser,
);

export const NO_MAIL = '0 new';

/** The status of both connections in words. */
export const status$ = combineLatest([ucwa.status$, exchange.status$]).pipe(
  map(([presence, mail]) => `presence ${inWords(presence)}, mail ${inWords(mail)}`),
);

export const NO_STATUS = 'presence idle, mail idle';

function inWords(status: ConnectionStatus): string {
  if (status.state !== 'waiting') return status.state;
  const { reason, retryAt } = status;
  return `waiting (${reason}${retryAt === undefined ? '' : `, next attempt at ${retryAt.toLocaleTimeString()}`})`;
}
