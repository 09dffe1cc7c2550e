import { EMPTY, type Observable, of, throwError } from 'rxjs';
import { NetworkError } from '../errors.ts';
import { headersFrom, type HttpRequest, type HttpResponse } from '../transport/transport.ts';

/**
 * A group of requests. Those of one group that always fail do not keep those of another from the server.
 *
 * - `release`: removes something, and must outlive the page.
 * - `hanging`: a long poll or a stream.
 * - `short`: any other request.
 */
export type RequestGroup = 'release' | 'short' | 'hanging';

/** Returns the result of a queued request after a probe has failed. */
export type SharedResult = (request: HttpRequest) => Observable<HttpResponse>;

/** A queued request. */
export interface Waiter {
  readonly request: HttpRequest;
  readonly group: RequestGroup;
  readonly send: () => void;
  readonly settle: (result: SharedResult) => void;
}

/** The queued requests of a connection. */
export interface RequestQueues {
  readonly add: (waiter: Waiter) => void;
  /** Removes a request, and returns whether it was queued. */
  readonly delete: (waiter: Waiter) => boolean;
  readonly isEmpty: () => boolean;
  /** Returns the next request after so many failures: two releases, then one of each other group. */
  readonly next: (failures: number) => Waiter | undefined;
  /** Returns the queued requests of a group. */
  readonly of: (group: RequestGroup) => Iterable<Waiter>;
  /** Removes and returns all requests. */
  readonly takeAll: () => readonly Waiter[];
}

const PRIORITY = ['release', 'release', 'short', 'hanging'] as const;

/** Creates the queues of one connection. */
export function requestQueues(): RequestQueues {
  const byGroup = { release: new Set<Waiter>(), short: new Set<Waiter>(), hanging: new Set<Waiter>() };
  const all = Object.values(byGroup);
  return {
    add: (waiter) => void byGroup[waiter.group].add(waiter),
    delete: (waiter) => byGroup[waiter.group].delete(waiter),
    isEmpty: () => all.every(({ size }) => size === 0),
    next: (failures) => {
      const preferred = byGroup[PRIORITY[failures % PRIORITY.length] ?? 'release'];
      const [waiter] = [preferred, ...all].find(({ size }) => size > 0) ?? [];
      return waiter;
    },
    of: (group) => byGroup[group],
    takeAll: () => {
      const waiters = all.flatMap((queue) => [...queue]);
      for (const queue of all) queue.clear();
      return waiters;
    },
  };
}

/** Fails requests that were not sent, because a probe had no response. */
export function unsent(cause: NetworkError): SharedResult {
  const { code } = cause;
  const what = 'not sent, because the request before it had no answer';
  return (request) => throwError(() => new NetworkError(what, request, { cause, code, isUnsent: true }));
}

/** Responds to requests that were not sent, because the server was unavailable for a probe. */
export function unavailable(askedMs: number | undefined): SharedResult {
  const headers = askedMs === undefined ? {} : { 'retry-after': String(Math.ceil(askedMs / 1000)) };
  return ({ url }) => of({ status: 503, url, headers: headersFrom(headers), body$: EMPTY });
}
