import { EMPTY, map, mergeMap, Observable, of, ReplaySubject, throwError, timer } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../lib/core/transport/transport.ts';

/** The fate of one request. */
export interface Fate {
  /** The travel time of the request, in virtual milliseconds; 0 is synchronous. */
  readonly thereMs: number;
  /** The travel time of the response. */
  readonly backMs: number;
  /**
   * `refuse`: 503 and nothing done. `resetBefore`: broken before the server acted. `resetAfter`: after it.
   */
  readonly how: 'serve' | 'refuse' | 'resetBefore' | 'resetAfter' | 'forbid';
}

/** The smallest server of remote resources: POST creates one, DELETE removes it. */
export interface FakeResourceServer {
  readonly transport: Transport;
  /** The ids of the current resources. */
  readonly ids: Set<string>;
  /** Every request received. */
  readonly requests: string[];
  /** Every id removed by a request. */
  readonly removed: string[];
  /** The number of created resources whose response was lost. */
  lostResponses: number;
}

const SERVE: Fate = { thereMs: 0, backMs: 0, how: 'serve' };

/** Creates a {@link FakeResourceServer} with these fates in order; later requests are served at once. */
export function fakeResourceServer(fates: readonly Fate[] = []): FakeResourceServer {
  const queue = [...fates];
  const server: FakeResourceServer = {
    transport,
    ids: new Set(),
    requests: [],
    removed: [],
    lostResponses: 0,
  };
  let made = 0;

  function act(request: HttpRequest): HttpResponse {
    if (request.method === 'POST') {
      const id = `t${++made}`;
      server.ids.add(id);
      return answered(request, 201, id);
    }
    const id = new URL(request.url).pathname.slice(1);
    if (!server.ids.delete(id)) return answered(request, 404);
    server.removed.push(id);
    return answered(request, 204);
  }

  // Aborting a request that was sent does not stop the server from acting on it.
  function transport(request: HttpRequest): Observable<HttpResponse> {
    return new Observable<HttpResponse>((subscriber) => {
      const fate = queue.shift() ?? SERVE;
      const answer = new ReplaySubject<HttpResponse>(1);
      travel(fate.thereMs)
        .pipe(
          mergeMap(() => arrive(request, fate)),
          mergeMap((response) => travel(fate.backMs).pipe(map(() => response))),
        )
        .subscribe(answer);
      return answer.subscribe(subscriber);
    });
  }

  function arrive(request: HttpRequest, { how }: Fate): Observable<HttpResponse> {
    const lost = throwError(() => new NetworkError('no answer', request, { code: 'ECONNRESET' }));
    server.requests.push(`${request.method} ${new URL(request.url).pathname}`);
    if (how === 'resetBefore') return lost;
    if (how === 'refuse' || how === 'forbid') return of(answered(request, how === 'refuse' ? 503 : 403));
    const response = act(request);
    if (how === 'serve') return of(response);
    if (request.method === 'POST') server.lostResponses += 1;
    return lost;
  }

  return server;
}

function answered(request: HttpRequest, status: number, text = ''): HttpResponse {
  const body$ = text === '' ? EMPTY : of(new TextEncoder().encode(text));
  return { status, url: request.url, headers: headersFrom({}), body$ };
}

function travel(ms: number): Observable<unknown> {
  return ms === 0 ? of(0) : timer(ms);
}
