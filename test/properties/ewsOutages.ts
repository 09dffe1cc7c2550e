import fc from 'fast-check';
import { EMPTY, map, mergeMap, NEVER, type Observable, of, Subject, takeUntil, throwError } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../lib/core/transport/transport.ts';
import { connectExchange, pullNotifications, streamingNotifications } from '../../lib/ews/index.ts';
import { ewsSimulator } from '../../lib/testing/index.ts';
import { NO_FIGURES, type Trial } from './law.ts';
import { inVirtualTime } from './virtualTime.ts';

/** An outage that affects this many subscriptions, in virtual seconds. */
export interface Outage {
  readonly pulls: number;
  readonly streams: number;
  /** The number of subscribers that unsubscribe while the server fails. */
  readonly leaving: number;
  readonly beginsAt: number;
  readonly lasts: number;
  readonly latencyMs: number;
  /** The random number of the backoff. */
  readonly chance: number;
  readonly failure: Failure;
}

type Failure = 'no network' | 502 | 503 | 'Retry-After' | 'empty 500';

/** Programs of outages. */
export const ewsOutages: fc.Arbitrary<Outage> = fc.record({
  pulls: fc.integer({ min: 1, max: 15 }),
  streams: fc.nat(12),
  leaving: fc.nat(10),
  beginsAt: fc.integer({ min: 30, max: 60 }),
  lasts: fc.integer({ min: 30, max: 400 }),
  latencyMs: fc.constantFrom(0, 20, 400),
  chance: fc.constantFrom(0.2, 0.5, 0.95),
  failure: fc.constantFrom<Failure[]>('no network', 502, 503, 'Retry-After', 'empty 500'),
});

const RETRY_AFTER = 45;
/** The requests that may be under way when an outage begins. */
const UNDER_WAY = 10;
/** The time in which all streams recover after an outage: the longest backoff, and the Retry-After. */
const SOON = 30 + RETRY_AFTER + 5;

function failing(request: HttpRequest, failure: Failure): Observable<HttpResponse> {
  if (failure === 'no network') return throwError(() => new NetworkError('no answer', request));
  const headers = headersFrom(failure === 'Retry-After' ? { 'retry-after': String(RETRY_AFTER) } : {});
  const status = typeof failure === 'number' ? failure : failure === 'empty 500' ? 500 : 503;
  return of({ status, url: request.url, headers, body$: EMPTY });
}

/** The results of an outage. */
interface OutageResult {
  readonly requests: number;
  readonly ended: number;
  readonly silent: number;
  readonly left: number;
  readonly events: number;
}

function resultOf(outage: Outage): OutageResult {
  const { pulls, streams, leaving, latencyMs, chance, failure } = outage;
  const beginsAt = outage.beginsAt * 1000 + 1;
  const endsAt = beginsAt + outage.lasts * 1000;
  const server = ewsSimulator({ latencyMs, heartbeatSeconds: 10 });
  const cut$ = new Subject<void>();
  const alive = new Set<number>();
  let [isDown, isOver, requests, ended, silent, events] = [false, false, 0, 0, 0, 0];
  const transport: Transport = (request) => {
    if (isDown) {
      requests += 1;
      return failing(request, failure);
    }
    const broken$ = cut$.pipe(mergeMap(() => throwError(() => new NetworkError('broken off', request))));
    return server
      .transport(request)
      .pipe(map((response) => ({ ...response, body$: response.body$.pipe(takeUntil(broken$)) })));
  };
  const exchange = connectExchange({
    ...{ server: server.url, transport, online$: NEVER, retry: { random: () => chance } },
  });
  inVirtualTime((time) => {
    const what = { folders: ['inbox'], events: ['newMail'] } as const;
    const all = Array.from({ length: pulls + streams }, (_, index) => {
      const events$ =
        index < pulls
          ? pullNotifications(exchange, { ...what, pollIntervalSeconds: 30 })
          : streamingNotifications(exchange, what);
      return events$.subscribe({
        next: () => {
          events += 1;
          if (isOver) alive.add(index);
        },
        error: () => (ended += 1),
      });
    });
    const leavingNow = all.splice(1, Math.min(leaving, all.length - 1));
    time.at(beginsAt, () => {
      isDown = true;
      cut$.next();
    });
    time.at(beginsAt + 1000, () => leavingNow.forEach((one) => one.unsubscribe()));
    time.at(endsAt, () => {
      isDown = false;
      isOver = true;
    });
    time.at(endsAt + SOON * 1000, () => {
      silent = all.length - alive.size;
      for (const one of all) one.unsubscribe();
    });
  });
  return { requests, ended, silent, left: server.subscriptions.length, events };
}

/** Returns how many requests the default backoff sends in an outage. */
function probesOf({ lasts, chance }: Outage): number {
  let probes = 0;
  for (let atMs = 0; atMs < lasts * 1000; atMs += chance * Math.min(30_000, 500 * 2 ** probes)) probes += 1;
  return probes;
}

/**
 * Checks that an outage costs the requests of one subscription, that all recover, and that nothing is left.
 */
export function playEwsOutage(outage: Outage): Promise<Trial> {
  const { pulls, streams, failure } = outage;
  const all = resultOf(outage);
  const alone = resultOf({ ...outage, pulls: 1, streams: 0, leaving: 0 });
  const breaches: string[] = [];
  // A stream that polls just before and after a short outage does not notice it.
  const most = Math.ceil(Math.max(alone.requests, probesOf(outage)) * 1.2) + UNDER_WAY;
  if (all.requests > most)
    breaches.push(
      `law 11: ${all.requests} requests in the outage, and ${alone.requests} for one subscription`,
    );
  if (all.ended > 0) breaches.push(`law 11: ${all.ended} streams have ended (${failure})`);
  if (all.silent > 0) breaches.push(`law 11: ${all.silent} streams are silent after the outage`);
  if (all.left > 0) breaches.push(`leak, law 1: ${all.left} left on the server`);
  const figures = {
    events: all.events,
    subscriptions: pulls + streams,
    faults: all.requests,
    leaks: all.left,
  };
  return Promise.resolve({ breaches, figures: { ...NO_FIGURES, ...figures } });
}

/** Describes such an outage in words. */
export function describeEwsOutage({ pulls, streams, leaving, ...outage }: Outage): string {
  const { beginsAt, lasts, failure, latencyMs, chance } = outage;
  return [
    `EWS, with latencyMs ${latencyMs}: ${pulls} pulls and ${streams} streams, the chance of the backoff is ${chance}`,
    `at ${beginsAt} s: ${failure}; a second later ${leaving} of them are left`,
    `at ${beginsAt + lasts} s: the server answers again`,
  ].join('\n');
}
