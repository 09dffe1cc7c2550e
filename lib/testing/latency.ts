import { map, mergeMap, Observable, ReplaySubject, timer } from 'rxjs';
import type { HttpResponse, Middleware } from '../core/transport/transport.ts';

/**
 * Returns middleware that delays each request and each response by half of the latency.
 *
 * A request that was sent arrives even if its client unsubscribes meanwhile. An abort travels as long as a
 * request does, and cancels only a GET, because the server acts on all other methods anyway.
 *
 * @param latencyMs The round trip in milliseconds; 0 returns the transport unchanged.
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
