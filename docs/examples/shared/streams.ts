import { catchError, EMPTY, map, type Observable, of } from 'rxjs';
import { countNewMail } from 'rxchange/operators';
import { streamingNotifications } from 'rxchange/ews';
import { presenceBoard, type Ucwa } from 'rxchange/ucwa';
import { exchange, ucwa } from './connections.ts';
import { contacts$ } from './contacts.ts';

/** The line of one contact. */
export interface Row {
  readonly uri: string;
  readonly text: string;
}

/** All that a board shows. An error is a value, so that each framework shows it in its own way. */
export interface Board {
  readonly rows: readonly Row[];
  readonly error?: string;
}

export const EMPTY_BOARD: Board = { rows: [] };

export function boardOf(connection: Ucwa): Observable<Board> {
  return presenceBoard(connection, contacts$).pipe(
    map((states) => ({
      rows: [...states.values()].map(({ uri, availability }) => ({
        uri,
        text: `${uri.slice('sip:'.length)} ${availability ?? 'unknown'}`,
      })),
    })),
    catchError((error: Error) => of<Board>({ ...EMPTY_BOARD, error: error.message })),
    inBrowser,
  );
}

/** Renders without a subscription on a server, where some frameworks subscribe. */
function inBrowser<Value>(source$: Observable<Value>): Observable<Value> {
  return typeof document === 'undefined' ? EMPTY : source$;
}

export const board$ = boardOf(ucwa);

/** The number of mails since the page was opened. */
export const mail$ = streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).pipe(
  countNewMail(),
  map(({ count, exact }) => (exact ? `${count} new` : `at least ${count} new`)),
  catchError((error: Error) => of(error.message)),
  inBrowser,
);

export const NO_MAIL = '0 new';

/** The connection in words. */
export const status$ = of('idle');
export const NO_STATUS = 'idle';
