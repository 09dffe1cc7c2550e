import { concat, EMPTY, map, mergeMap, type Observable, of, ReplaySubject, throwError, timer } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../core/options.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
} from '../core/transport/transport.ts';

/**
 * What goes wrong with a request.
 *
 * - `{ status, headers?, body? }`: this is answered, and the server does not act.
 * - `'reset'`: the connection breaks before the server acts.
 * - `'resetAfterActing'`: the server acts, and the connection breaks before the answer.
 * - `{ arrivesAfterMs }`: the connection breaks, and the server gets the request only so long after, and acts.
 * - `{ arrivalDelayMs }`: the request reaches the server so much later, even if the client has aborted it.
 * - `{ delayMs }`: the server acts, and its answer takes so much longer.
 * - `{ truncateAfterBytes }`: the server acts, and the connection breaks in the body of its answer.
 */
export type Fault =
  | 'reset'
  | 'resetAfterActing'
  | LateRequest
  | DelayedRequest
  | ReplacedResponse
  | DelayedResponse
  | TruncatedResponse;

/** A request that gets to the server when its sender has given it up. */
export interface LateRequest {
  /** How long after the connection broke, in milliseconds. */
  readonly arrivesAfterMs: number;
}

/**
 * A request that takes long to reach the server, as behind a proxy or on a congested connection.
 *
 * The server does not learn that its client has left: it acts on the request, and holds one that waits for
 * events until something answers it. A P-GET that arrives after a newer one of the same priority replaces it.
 */
export interface DelayedRequest {
  /** How much longer the request takes, in milliseconds. */
  readonly arrivalDelayMs: number;
}

/** An answer that is not the server's; the server does not act. */
export interface ReplacedResponse {
  /** From 200 to 599. */
  readonly status: number;
  /** Names in lower case. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default none */
  readonly body?: string;
}

/** The server's answer, but late. */
export interface DelayedResponse {
  /** How much later, in milliseconds. */
  readonly delayMs: number;
}

/** The server's answer, but broken off. */
export interface TruncatedResponse {
  /** How much of the body comes. */
  readonly truncateAfterBytes: number;
}

/** Which requests a fault is for. */
export type RequestMatcher = (request: HttpRequest) => boolean;

/** Faults that wait for their requests. */
export interface FaultQueue {
  /** Lets the next `count` requests fail that match; those who wait already come first. @default matches all */
  failNext(count: number, fault: Fault, matches?: RequestMatcher): void;
  /** Forgets what has not happened yet. */
  clear(): void;
  /** How many faults have not happened yet. */
  readonly pending: number;
  /** Puts the faults between a client and a server. */
  readonly middleware: Middleware;
}

interface QueuedFault {
  remaining: number;
  readonly fault: Fault;
  readonly matches: RequestMatcher;
}

/** Creates an empty queue of faults, as both simulators have one. */
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
    // Callers without types can pass any string.
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
    throwError(() => new NetworkError('no answer', request, { code: 'ECONNRESET' }));
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

/** Lets a request arrive later, whether or not its client still waits for the answer. */
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
      () => new NetworkError('the answer broke off', request, { code: 'ECONNRESET' }),
    );
    return part.length === chunk.length ? of(part) : concat(of(part), broken);
  };
  return { ...response, body$: response.body$.pipe(mergeMap(cut)) };
}
