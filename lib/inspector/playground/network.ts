import {
  BehaviorSubject,
  defer,
  dematerialize,
  filter,
  map,
  materialize,
  merge,
  mergeMap,
  type Observable,
  Subject,
  throwError,
  timer,
} from 'rxjs';
import { NetworkError } from '../../core/errors.ts';
import type { HttpRequest, Middleware } from '../../core/transport/transport.ts';

/** The network between the connections of a playground and its servers. */
export interface SimulatedNetwork {
  readonly isUp: boolean;
  /** Emits each request when it is sent. */
  readonly sent$: Observable<HttpRequest>;
  readonly through: Middleware;
  /** Breaks all connections; until {@link restore}, no request arrives. */
  readonly cut: () => void;
  readonly restore: () => void;
  /** Loses the response to the next request that creates or removes something. */
  readonly loseResponse: () => void;
}

/** How long a request takes to fail without a network, in milliseconds. */
const FAILURE_MS = 50;

/** Returns whether a request creates a subscription. */
export function isAcquire({ method, url, body = '' }: HttpRequest): boolean {
  return method === 'POST' && (/presenceSubscriptions$/.test(url) || body.includes('<m:Subscribe>'));
}

function isChange(request: HttpRequest): boolean {
  return (
    isAcquire(request) || request.method === 'DELETE' || request.body?.includes('<m:Unsubscribe>') === true
  );
}

/** Creates a network that works. */
export function simulatedNetwork(): SimulatedNetwork {
  const state = new BehaviorSubject(true);
  const sent = new Subject<HttpRequest>();
  let isLosing = false;

  const through: Middleware = (transport) => (request) =>
    defer(() => {
      const broken$ = throwError(() => new NetworkError('no response', request, { code: 'ECONNRESET' }));
      sent.next(request);
      if (!state.value) return timer(FAILURE_MS).pipe(mergeMap(() => broken$));
      const cut$ = state.pipe(
        filter((isUp) => !isUp),
        mergeMap(() => broken$),
      );
      const untilCut = <Value>(source$: Observable<Value>): Observable<Value> =>
        // Materialized, so that the end of the source ends the merge.
        merge(source$.pipe(materialize()), cut$).pipe(dematerialize());
      const response$ = untilCut(transport(request));
      if (isLosing && isChange(request)) {
        isLosing = false;
        return response$.pipe(mergeMap(() => broken$));
      }
      return response$.pipe(map((response) => ({ ...response, body$: untilCut(response.body$) })));
    });

  return {
    get isUp() {
      return state.value;
    },
    sent$: sent.asObservable(),
    through,
    cut: () => state.next(false),
    restore: () => state.next(true),
    loseResponse: () => {
      isLosing = true;
    },
  };
}
