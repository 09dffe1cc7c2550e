import {
  catchError,
  defer,
  filter,
  from,
  fromEvent,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  take,
  tap,
} from 'rxjs';
import type { Port, TabMessage, WorkerMessage } from './messages.ts';
import { encode } from './encoded.ts';
import type { TabFunctions } from './tabServer.ts';

/** A tab's connection to a worker. */
export type Link = Port<WorkerMessage, TabMessage>;

/** Returns an Observable that joins a worker, emits the connection, and leaves when it is unsubscribed. */
export function joined(link: Link, tab: string): Observable<Link> {
  return new Observable((subscriber) => {
    const join = (): void => link.post({ type: 'join', tab });
    join();
    subscriber.add(shown().subscribe(join));
    subscriber.next(link);
    return () => link.post({ type: 'leave' });
  });
}

/** Returns an Observable that emits when the page becomes visible. */
function shown(): Observable<unknown> {
  if (typeof document === 'undefined') return NEVER;
  return fromEvent(document, 'visibilitychange').pipe(filter(() => document.visibilityState === 'visible'));
}

/** Returns an Observable that calls the functions that a worker requests, and sends their results. */
export function calls({ messages$, post }: Link, functions: TabFunctions): Observable<never> {
  return messages$.pipe(
    filter((message) => message.type === 'call'),
    mergeMap(({ id, name, args }) =>
      defer(() => {
        const called = Object.hasOwn(functions, name) ? functions[name] : undefined;
        if (called === undefined)
          throw new TypeError(`the tab has no function ${name}: pass it to connectTabs`);
        return from(called(...(JSON.parse(args) as never[])));
      }).pipe(
        take(1),
        map((value): TabMessage => ({ type: 'result', id, value: encode(value) })),
        catchError((error: unknown) => of<TabMessage>({ type: 'failure', id, error: encode(error) })),
        tap(post),
      ),
    ),
    ignoreElements(),
  );
}
