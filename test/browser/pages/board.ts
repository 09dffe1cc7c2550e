/** A page with a board of contacts. */
import { map, merge, type Observable, type Subscription, tap } from 'rxjs';
import { bearer, suspendOnPageHide } from '../../../lib/index.ts';
import { connectUcwa, presence, presenceBoard, type Ucwa, xframe } from '../../../lib/ucwa/index.ts';

let watching: Subscription | undefined;
let states: Readonly<Record<string, string | undefined>> = {};
let gaps = 0;
let lastFailure: string | undefined;
const statuses: string[] = [];

function connect(url: string, frameUrl?: string): Ucwa {
  const transport = frameUrl === undefined ? {} : { transport: xframe({ url: frameUrl }) };
  const ucwa = connectUcwa({ server: url, auth: bearer('secret'), whenUnreachable: 'wait', ...transport });
  suspendOnPageHide(ucwa);
  ucwa.status$.subscribe((status) => {
    statuses.push(status.state === 'waiting' ? `waiting: ${status.reason}` : status.state);
  });
  return ucwa;
}

/** Watches contacts on a server, through its XFrame page if there is a URL of that. */
export function watch(url: string, uris: readonly string[], frameUrl?: string): void {
  const ucwa = connect(url, frameUrl);
  const board$ = presenceBoard(ucwa, uris).pipe(
    tap((board) => {
      states = Object.fromEntries([...board].map(([uri, { availability }]) => [uri, availability]));
    }),
  );
  const gaps$ = ucwa.events$.pipe(
    tap(({ type }) => {
      if (type === 'gap') gaps += 1;
    }),
  );
  watching = merge(board$, gaps$).subscribe({ error: (error: unknown) => (lastFailure = String(error)) });
}

/** Watches contacts with a subscription for each. */
export function watchSeparately(url: string, uris: readonly string[]): void {
  const ucwa = connect(url);
  const each = (uri: string): Observable<string> =>
    presence(ucwa, { uris: [uri] }).pipe(map(({ type }) => type));
  watching = merge(...uris.map(each)).subscribe();
}

/** Returns the availability of each contact. */
export function shown(): typeof states {
  return states;
}

/** Returns the statuses of the connection so far. */
export function statusHistory(): readonly string[] {
  return statuses;
}

/** Returns the number of gaps so far. */
export function gapCount(): number {
  return gaps;
}

export function leave(): void {
  watching?.unsubscribe();
}

/** Returns the error that has ended the board, if any. */
export function failure(): string | undefined {
  return lastFailure;
}
