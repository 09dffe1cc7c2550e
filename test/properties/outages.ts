import fc from 'fast-check';
import {
  asyncScheduler,
  defer,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  of,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../lib/core/transport/transport.ts';
import { ucwaSimulator } from '../../lib/testing/index.ts';
import { connectUcwa, contactPresence, type ContactPresence, presence } from '../../lib/ucwa/index.ts';
import { NO_FIGURES, type Trial } from './law.ts';
import { inVirtualTime } from './virtualTime.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

/** How the server of a connection fails. */
export type OutageHow = 'no network' | 'no answer' | 500 | 503 | 429 | 'a page';

/** The observed streams, and the times when the server fails. */
export interface OutageProgram {
  readonly contacts: number;
  readonly subscriptions: number;
  readonly batch: boolean;
  /** When the presence of all contacts changes, in milliseconds of virtual time. */
  readonly changesAt: readonly number[];
  /** When one subscription after another is unsubscribed from. */
  readonly leavesAt: readonly number[];
  readonly outages: readonly { readonly from: number; readonly ms: number; readonly how: OutageHow }[];
}

const SOON_MS = 60_000;

/** Programs on outages. */
export const outagePrograms: fc.Arbitrary<OutageProgram> = fc.record({
  contacts: fc.integer({ min: 1, max: 25 }),
  subscriptions: fc.nat(6),
  batch: fc.boolean(),
  changesAt: fc.array(fc.nat(SOON_MS), { maxLength: 4 }),
  leavesAt: fc.array(fc.integer({ min: 5000, max: SOON_MS }), { maxLength: 5 }),
  outages: fc.array(
    fc.record({
      from: fc.integer({ min: 5000, max: SOON_MS }),
      ms: fc.nat(120_000),
      how: fc.constantFrom<OutageHow[]>('no network', 'no answer', 500, 503, 429, 'a page'),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});

const INITIAL_MS = 500;
const MAX_MS = 30_000;
/** The server delays nothing: a request without a response fails after this time. */
const HEADERS_SECONDS = 20;
const QUIET_MS = 600_000;

/** Returns how many requests a backoff sends in that time, with the longest jitter. */
function mostProbes(ms: number): number {
  let probes = 1;
  for (let at = INITIAL_MS, wait = INITIAL_MS; at <= ms; at += wait) {
    probes += 1;
    wait = Math.min(MAX_MS, wait * 2);
  }
  return probes;
}

function fails(request: HttpRequest, how: OutageHow): ReturnType<Transport> {
  if (how === 'no network') return throwError(() => new NetworkError('no network', request));
  if (how === 'no answer') return NEVER;
  const status = how === 'a page' ? 200 : how;
  const headers = headersFrom(how === 'a page' ? { 'content-type': 'text/html' } : {});
  return of<HttpResponse>({ status, url: request.url, headers, body$: of() });
}

type Span = OutageProgram['outages'][number] & { sent: number };

/** Checks that a connection sends the requests of one backoff during an outage, whatever it carries. */
export function playOutages(program: OutageProgram): Promise<Trial> {
  const { contacts, subscriptions, batch, changesAt, leavesAt, outages } = program;
  const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 5 });
  const spans = outages.map((outage): Span => ({ ...outage, sent: 0 }));
  /** Requests in flight fail when the outage begins. */
  const breaks = (request: HttpRequest, now: number): Observable<never> => {
    const next = Math.min(...spans.map(({ from }) => from).filter((from) => from > now));
    if (next === Infinity) return NEVER;
    return timer(next - now).pipe(
      mergeMap(() => throwError(() => new NetworkError('it broke off', request))),
    );
  };
  const transport: Transport = (request) =>
    defer(() => {
      const now = asyncScheduler.now();
      const span = spans.find(({ from, ms }) => now >= from && now < from + ms);
      if (span === undefined) return server.transport(request).pipe(takeUntil(breaks(request, now)));
      span.sent += 1;
      return fails(request, span.how);
    });
  const ucwa = connectUcwa({
    ...{ server: server.url, auth: bearer('token'), transport, online$: NEVER },
    ...{ limits: { headersSeconds: HEADERS_SECONDS }, ...(batch ? { batch: batching() } : {}) },
    retry: { initialMs: INITIAL_MS, maxMs: MAX_MS, random: () => 1 },
  });
  const uris = Array.from({ length: contacts }, (_, index) => `sip:u${index}@contoso.com`);
  const board = new Map<string, ContactPresence>();
  const breaches: string[] = [];
  let truth = 'Offline';
  let events = 0;
  let isOver = false;

  inVirtualTime((time) => {
    const watching = contactPresence(ucwa, uris).subscribe({
      next: (state) => {
        events += 1;
        board.set(state.uri, state);
      },
      error: () => (isOver = true),
    });
    const others = Array.from({ length: subscriptions }, (_, index) =>
      presence(ucwa, { uris: [`sip:v${index}@contoso.com`] }).subscribe({ error: () => undefined }),
    );
    changesAt.forEach((at, index) =>
      timer(at).subscribe(() => {
        truth = index % 2 === 0 ? 'Busy' : 'Away';
        for (const uri of uris) server.setPresence(uri, { availability: truth });
      }),
    );
    merge(...leavesAt.map((at) => timer(at))).subscribe(() => others.pop()?.unsubscribe());
    time.at(QUIET_MS, () => {
      for (const uri of isOver ? [] : uris) {
        const { availability, failure } = board.get(uri) ?? {};
        if (failure !== undefined) breaches.push(`law 11: of ${uri} a failure stays`);
        if (availability !== truth)
          breaches.push(`law 11: ${uri} is emitted as ${availability}, and is ${truth}`);
      }
      watching.unsubscribe();
      for (const other of others) other.unsubscribe();
    });
  });

  for (const { from, ms, how, sent } of spans) {
    // A dead request is noticed only after its time limit.
    const most = mostProbes(ms) + (how === 'no answer' ? contacts + subscriptions + 2 : 1);
    if (sent > most)
      breaches.push(`law 11: ${sent} requests in ${ms} ms from ${from} (${how}), at most ${most}`);
  }
  const left = [...server.presenceSubscriptions, ...server.applications];
  return Promise.resolve({
    breaches,
    figures: { ...NO_FIGURES, events, leaks: left.length, faults: outages.length, subscriptions },
  });
}

/** Describes such a program in words. */
export function describeOutage(program: OutageProgram): string {
  const { contacts, subscriptions, batch, changesAt, leavesAt, outages } = program;
  return [
    `UCWA, with ${contacts} contacts, ${subscriptions} more subscriptions, ${batch ? 'batches' : 'no batches'}`,
    ...changesAt.map((at) => `at ${at} ms: the presence of all changes`),
    ...leavesAt.map((at) => `at ${at} ms: a subscription is unsubscribed from`),
    ...outages.map(({ from, ms, how }) => `at ${from} ms: the server fails for ${ms} ms (${how})`),
  ].join('\n');
}
