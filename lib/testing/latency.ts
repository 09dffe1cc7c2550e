import { map, mergeMap, Observable, ReplaySubject, timer } from 'rxjs';
import type { HttpResponse, Middleware } from '../core/transport/transport.ts';

/**
 * Returns middleware that delays requests and responses by half of the latency each.
 *
 * A request that was sent arrives, even if its client has left by then. That the client has left takes as long
 * to arrive as a request does; only a GET is given up then, as the server acts on all others anyway.
 *
 * @param latencyMs There and back together, in milliseconds; 0 leaves the transport as it is.
 */
export function withLatency(latencyMs: number): Middleware {
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
      if (request.method === 'GET')
        subscriber.add(() => {
          if (!travel.closed) travel.add(timer(halfway).subscribe(() => travel.unsubscribe()));
        });
    });
}
