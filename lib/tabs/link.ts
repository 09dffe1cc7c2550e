import { filter, fromEvent, NEVER, Observable } from 'rxjs';
import type { Port, TabMessage, WorkerMessage } from './messages.ts';

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
