import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSession } from 'better-sse';
import {
  defer,
  filter,
  finalize,
  map,
  merge,
  type Observable,
  ReplaySubject,
  share,
  startWith,
  tap,
} from 'rxjs';

/** An event and its position in a run of the stream. Each run begins with an index of 0 and no event. */
interface Position {
  readonly run: string;
  readonly index: number;
  readonly event: unknown;
}

/** How many events a page can miss before it gets a gap. */
const REMEMBERED = 1000;
/** How many bytes a page may be behind before its connection is closed, after which it connects again. */
const MOST_BUFFERED = 1_000_000;
const GAP = { type: 'gap', reason: 'relay' };

/**
 * Returns a handler for the requests of an EventSource. All of them share one subscription to `events$`.
 *
 * A page that connects again gets the events that it has missed, or a gap if they are not known any more.
 */
export function eventRelay(
  events$: Observable<unknown>,
  status$: Observable<{ readonly state: string }>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  let latest: Position | undefined;
  const shared$ = defer(() => {
    const run = randomUUID();
    return events$.pipe(
      map((event, index): Position => ({ run, index: index + 1, event })),
      startWith<Position>({ run, index: 0, event: undefined }),
      tap((position) => (latest = position)),
      finalize(() => (latest = undefined)),
    );
  }).pipe(share({ connector: () => new ReplaySubject(REMEMBERED) }));

  return async (request, response) => {
    const session = await createSession(request, response, { retry: 1000, keepAlive: 15_000 });
    if (!session.isConnected) return;
    const [run = '', index] = session.lastId.split(' ');
    const isKnown = run === latest?.run && Number(index) > latest.index - REMEMBERED;
    const start = isKnown ? Number(index) : (latest?.index ?? 0);
    const hasMissed = session.lastId !== '' && !isKnown;

    const positions$ = shared$.pipe(
      filter((position) => position.index >= start),
      tap((position) => {
        const id = `${position.run} ${position.index}`;
        if (position.index > start) session.push(position.event, 'message', id);
        else session.push(hasMissed ? GAP : {}, hasMissed ? 'message' : 'position', id);
      }),
    );
    // With the id of the last event, because a page has one last id.
    const statuses$ = status$.pipe(tap(({ state }) => session.push({ state }, 'status', session.lastId)));
    const sending = merge(positions$, statuses$).subscribe({
      next: () => {
        if (response.writableLength > MOST_BUFFERED) response.destroy();
      },
      // The page connects again after a second.
      error: () => response.end(),
      complete: () => response.end(),
    });
    session.once('disconnected', () => sending.unsubscribe());
  };
}
