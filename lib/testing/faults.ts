import { concat, EMPTY, map, mergeMap, Observable, of, ReplaySubject, throwError, timer } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../core/options.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
} from '../core/transport/transport.ts';

/**
 * The failure of a request at the level of HTTP or of the connection.
 *
 * - `{ status, headers?, body? }`: the client gets this response, and the server does not act.
 * - `'reset'`: the connection breaks before the server acts.
 * - `'resetAfterActing'`: the server acts, and the connection breaks before the response.
 * - `{ arrivesAfterMs }`: the connection breaks; the server gets the request later, and acts.
 * - `{ arrivalDelayMs }`: the request reaches the server later, even if the client has aborted it.
 * - `{ delayMs }`: the server acts, and its response is delayed.
 * - `{ truncateAfterBytes }`: the server acts, and the connection breaks in the body of its response.
 */
export type Fault =
  | 'reset'
  | 'resetAfterActing'
  | LateRequest
  | DelayedRequest
  | ReplacedResponse
  | DelayedResponse
  | TruncatedResponse;

/** A request that reaches the server after the connection of its client broke. @inline */
export interface LateRequest {
  /** Milliseconds between the broken connection and the arrival. */
  readonly arrivesAfterMs: number;
}

/**
 * A request that is delayed on its way to the server, as on a congested connection.
 *
 * The server does not notice that the client has aborted the request: it acts on it, and keeps a pending GET
 * open until it can respond. A P-GET that arrives after a newer one of the same priority replaces that one.
 *
 * @inline
 */
export interface DelayedRequest {
  /** The additional travel time of the request, in milliseconds. */
  readonly arrivalDelayMs: number;
}

/** A response in place of the server's own; the server does not act. @inline */
export interface ReplacedResponse {
  /** From 200 to 599. */
  readonly status: number;
  /** Names in lower case. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default none */
  readonly body?: string;
}

/** A delayed response of the server. @inline */
export interface DelayedResponse {
  /** The delay in milliseconds. */
  readonly delayMs: number;
}

/** A response of the server whose connection breaks in the body. @inline */
export interface TruncatedResponse {
  /** Bytes of the body that arrive. */
  readonly truncateAfterBytes: number;
}

/** Returns whether a fault applies to a request. @inline */
export type RequestMatcher = (request: HttpRequest) => boolean;

/** A queue of faults for the next requests. */
export interface FaultQueue {
  /** Lets the next `count` matching requests fail, after the faults already queued. @default matches all */
  failNext(count: number, fault: Fault, matches?: RequestMatcher): void;
  /** Removes the faults that have not happened yet. */
  clear(): void;
  /** The number of faults that have not happened yet. */
  readonly pending: number;
  /** Applies the faults to the requests of a transport. */
  readonly middleware: Middleware;
}

interface QueuedFault {
  remaining: number;
  readonly fault: Fault;
  readonly matches: RequestMatcher;
}

/** Creates an empty queue of faults. */
export function faultQueue(): FaultQueue {
  let queue: QueuedFault[] = [];

  const take = (request: HttpRequest): Fault | undefined => {
    const first = queue.find(({ matches }) => matches(request));
    if (first === undefined) return undefined;
    first.remaining -= 1;
    if (first.remaining === 0) queue = queue.filter((waiting) => waiting !== first);
    return first.fault;
  };

  return {
    failNext: (count, fault, matches = () => true) => {
      numberOption('count', count, { min: 1, integer: true });
      checkFault(fault);
      queue.push({ remaining: count, fault, matches });
    },
    clear: () => {
      queue = [];
    },
    get pending() {
      return queue.reduce((sum, { remaining }) => sum + remaining, 0);
    },
    middleware: (transport) => (request) => {
      const fault = take(request);
      return fault === undefined ? transport(request) : inject(fault, request, () => transport(request));
    },
  };
}

const FAULT_NAMES: OptionNames<Exclude<Fault, string>> = {
  status: 1,
  headers: 1,
  body: 1,
  delayMs: 1,
  arrivesAfterMs: 1,
  arrivalDelayMs: 1,
  truncateAfterBytes: 1,
};

function checkFault(fault: Fault): void {
  if (typeof fault === 'string') {
    // JavaScript callers can pass any string.
    if (!['reset', 'resetAfterActing'].includes(fault)) throw invalidOption('fault', fault, 'a known fault');
    return;
  }
  objectOption('fault', fault, FAULT_NAMES);
  if ('status' in fault) numberOption('fault.status', fault.status, { min: 200, max: 599, integer: true });
  else if ('delayMs' in fault) numberOption('fault.delayMs', fault.delayMs, { min: 0 });
  else if ('arrivalDelayMs' in fault) numberOption('fault.arrivalDelayMs', fault.arrivalDelayMs, { min: 0 });
  else if ('arrivesAfterMs' in fault) numberOption('fault.arrivesAfterMs', fault.arrivesAfterMs, { min: 0 });
  else numberOption('fault.truncateAfterBytes', fault.truncateAfterBytes, { min: 0, integer: true });
}

function inject(
  fault: Fault,
  request: HttpRequest,
  act: () => Observable<HttpResponse>,
): Observable<HttpResponse> {
  const reset = (): Observable<never> =>
    throwError(() => new NetworkError('no response', request, { code: 'ECONNRESET' }));
  if (fault === 'reset') return reset();
  if (fault === 'resetAfterActing') return act().pipe(mergeMap(reset));
  if ('arrivesAfterMs' in fault) {
    delayed(fault.arrivesAfterMs, act);
    return reset();
  }
  if ('arrivalDelayMs' in fault) return delayed(fault.arrivalDelayMs, act);
  if ('delayMs' in fault) {
    return act().pipe(mergeMap((response) => timer(fault.delayMs).pipe(map(() => response))));
  }
  if ('truncateAfterBytes' in fault) {
    return act().pipe(map((response) => truncated(response, request, fault.truncateAfterBytes)));
  }
  const { status, headers = {}, body } = fault;
  return of({
    status,
    url: request.url,
    headers: headersFrom(headers),
    body$: body === undefined ? EMPTY : of(new TextEncoder().encode(body)),
  });
}

/** Lets a request arrive later, even if its client unsubscribes meanwhile. */
function delayed(delayMs: number, act: () => Observable<HttpResponse>): Observable<HttpResponse> {
  const answer = new ReplaySubject<HttpResponse>(1);
  timer(delayMs).pipe(mergeMap(act)).subscribe(answer);
  return answer;
}

function truncated(response: HttpResponse, request: HttpRequest, bytes: number): HttpResponse {
  let left = bytes;
  const cut = (chunk: Uint8Array): Observable<Uint8Array> => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    const broken = throwError(
      () => new NetworkError('the response broke off', request, { code: 'ECONNRESET' }),
    );
    return part.length === chunk.length ? of(part) : concat(of(part), broken);
  };
  return { ...response, body$: response.body$.pipe(mergeMap(cut)) };
}

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
