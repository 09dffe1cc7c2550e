import { map, mergeMap, Observable, ReplaySubject, timer } from 'rxjs';
import type { HttpResponse, Middleware } from '../core/transport.ts';

/**
 * Returns a Transport whose requests and answers take their time: half of it there, half of it back. A request
 * that is on its way arrives even if its sender has gone; a GET does not matter.
 *
 * @param latencyMs There and back together; 0 leaves the transport as it is.
 */
export function travelling(latencyMs: number): Middleware {
  if (latencyMs === 0) return (transport) => transport;
  const halfway = latencyMs / 2;
  return (transport) => (request) =>
    new Observable((subscriber) => {
      const answer = new ReplaySubject<HttpResponse>(1);
      const travel = timer(halfway)
        .pipe(
          mergeMap(() => transport(request)),
          mergeMap((response) => timer(halfway).pipe(map(() => response))),
        )
        .subscribe(answer);
      subscriber.add(answer.subscribe(subscriber));
      if (request.method === 'GET') subscriber.add(travel);
    });
}
