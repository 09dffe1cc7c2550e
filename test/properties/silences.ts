import fc from 'fast-check';
import {
  asyncScheduler,
  concat,
  defer,
  interval,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  Subscription,
  tap,
} from 'rxjs';
import type { ConnectionStatus } from '../../lib/core/connectionStatus.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../lib/core/transport/transport.ts';
import { connectExchange, pullNotifications, streamingNotifications } from '../../lib/ews/index.ts';
import { ewsSimulator, ucwaSimulator } from '../../lib/testing/index.ts';
import { connectUcwa, presence } from '../../lib/ucwa/index.ts';
import { NO_FIGURES, type Trial } from './law.ts';
import { inVirtualTime, type VirtualTime } from './virtualTime.ts';
import { bearer } from '../../lib/core/auth/auth.ts';

/** How a server becomes silent: the connection stays open, and the rest of a response never arrives. */
type Silence = 'no head' | 'no body' | 'half a body' | 'white space';

/** A server that becomes silent, in virtual seconds. */
export interface SilenceProgram {
  readonly streams: number;
  readonly beginsAt: number;
  /** The number of further requests without a response, besides those in flight. */
  readonly requests: number;
  readonly how: Silence;
  readonly latencyMs: number;
}

/** Programs of silences. */
export const silencePrograms: fc.Arbitrary<SilenceProgram> = fc.record({
  streams: fc.integer({ min: 1, max: 5 }),
  beginsAt: fc.integer({ min: 20, max: 200 }),
  requests: fc.nat(4),
  how: fc.constantFrom<Silence[]>('no head', 'no body', 'half a body', 'white space'),
  latencyMs: fc.constantFrom(0, 20, 400),
});

/** The time in which silence is noticed: the longest time limit and the longest backoff, for each request. */
const NOTICED_S = 550;
/** A response may take 300 seconds, a minute after the one before. */
const EWS_NOTICED_S = 361;
/** The server holds a request for 180 seconds, and its response may take 300 more. */
const UCWA_NOTICED_S = 481;
const WHITE_SPACE = new TextEncoder().encode(' ');
/** Shorter than any time limit of silence. */
const TRICKLE_MS = 50_000;

/** Returns the rest of a body that the server never completes. */
function restOf(how: Silence): Observable<Uint8Array> {
  return how === 'white space' ? interval(TRICKLE_MS).pipe(map(() => WHITE_SPACE)) : NEVER;
}

function silent({ url }: HttpRequest, how: Silence): Observable<HttpResponse> {
  if (how === 'no head') return NEVER;
  const headers = headersFrom({ 'content-type': 'text/xml' });
  const start$ = how === 'half a body' ? of(new TextEncoder().encode('<?xml version="1.0"?><Env')) : of();
  return concat(of({ status: 200, url, headers, body$: concat(start$, restOf(how)) }), NEVER);
}

/** Mirrors a source until the server becomes silent, and then emits only the rest. */
function untilSilent<Value>(
  source$: Observable<Value>,
  begins$: Observable<void>,
  rest$: Observable<Value>,
): Observable<Value> {
  return new Observable((subscriber) => {
    const mirrored = source$.subscribe({
      next: (value) => subscriber.next(value),
      error: (error: unknown) => subscriber.error(error),
      complete: () => subscriber.complete(),
    });
    subscriber.add(mirrored);
    const silence$ = begins$.pipe(
      tap(() => mirrored.unsubscribe()),
      mergeMap(() => rest$),
    );
    subscriber.add(silence$.subscribe((value) => subscriber.next(value)));
  });
}

/** Returns a transport to a server that becomes silent when `begins$` emits. */
function fallingSilent(
  server: Transport,
  begins$: Observable<void>,
  { how, requests }: SilenceProgram,
): Transport {
  let left = 0;
  begins$.subscribe(() => (left = requests));
  return (request) =>
    defer(() => {
      if (left > 0) {
        left -= 1;
        return silent(request, how);
      }
      return untilSilent(server(request), begins$, NEVER).pipe(
        map((response) => ({ ...response, body$: untilSilent(response.body$, begins$, restOf(how)) })),
      );
    });
}

/** The streams of one type, and the server's event that all of them have to emit. */
interface Watched {
  readonly streams: readonly Observable<unknown>[];
  readonly happen: () => void;
  /** The status of the connection; it has to say within this many seconds that a stream is silent. */
  readonly status?: {
    readonly status$: Observable<ConnectionStatus>;
    readonly withinSeconds: number;
    /** Whether the streams emit regularly, so that the time counts from the last event. */
    readonly isRegular: boolean;
  };
}

/**
 * Finds a stream that is silent for longer than the limits allow, while the status never said so.
 *
 * @param silentSince Returns the time of its last event, or of the event that it has to emit, in
 * milliseconds.
 */
function expectStatus(
  { status$, withinSeconds }: NonNullable<Watched['status']>,
  silentSince: readonly (() => number)[],
  breaches: string[],
): Subscription {
  let isWaiting = false;
  let waitedAt = -1;
  const watching = status$.subscribe(({ state }) => {
    if (isWaiting) waitedAt = asyncScheduler.now();
    isWaiting = state === 'waiting';
  });
  watching.add(
    interval(1000).subscribe(() => {
      const now = asyncScheduler.now();
      const silent = silentSince.findIndex(
        (since) => now - since() > withinSeconds * 1000 && waitedAt < since(),
      );
      if (isWaiting || silent === -1) return;
      breaches.push(`law 12: at ${now / 1000} s the status does not say that stream ${silent} is silent`);
      watching.unsubscribe();
    }),
  );
  return watching;
}

function play(program: SilenceProgram, watched: (begins$: Observable<void>) => Watched): Promise<Trial> {
  const begins$ = new Subject<void>();
  const { streams, happen, status } = watched(begins$);
  const lastEventAt = streams.map(() => 0);
  const heard = new Set<number>();
  const breaches: string[] = [];
  let events = 0;
  let isLater = false;
  inVirtualTime((time: VirtualTime) => {
    const all = new Subscription();
    const noted = (index: number) => (): void => {
      events += 1;
      lastEventAt[index] = asyncScheduler.now();
      if (isLater) heard.add(index);
      // Nothing more is checked, so the remaining hours need not be simulated.
      if (heard.size === streams.length) all.unsubscribe();
    };
    streams.forEach((stream$, index) =>
      all.add(stream$.subscribe({ next: noted(index), error: noted(index), complete: noted(index) })),
    );
    const beginsAt = program.beginsAt * 1000 + 1;
    const silentSince = streams.map((_, index) => (): number => {
      if (status?.isRegular === true) return lastEventAt[index] ?? 0;
      return heard.has(index) ? Infinity : beginsAt + 1000;
    });
    if (status !== undefined) all.add(expectStatus(status, silentSince, breaches));
    time.at(beginsAt, () => {
      begins$.next();
      isLater = true;
    });
    time.at(beginsAt + 1000, happen);
    time.at(beginsAt + NOTICED_S * 1000 * (program.requests + 1), () => {
      streams.forEach((_, index) => {
        if (!heard.has(index)) breaches.push(`law 12: stream ${index} is silent`);
      });
      all.unsubscribe();
    });
  });
  const figures = { events, subscriptions: streams.length, faults: program.requests + 1 };
  return Promise.resolve({ breaches, figures: { ...NO_FIGURES, ...figures } });
}

/** Checks that no stream of a silent Exchange server is silent for ever. */
export function playEwsSilence(program: SilenceProgram): Promise<Trial> {
  return play(program, (begins$) => {
    const server = ewsSimulator({ latencyMs: program.latencyMs });
    const transport = fallingSilent(server.transport, begins$, program);
    const exchange = connectExchange({
      server: server.url,
      transport,
      online$: NEVER,
      retry: { random: () => 0.5 },
    });
    const what = { folders: ['inbox'], events: ['newMail'] } as const;
    return {
      streams: Array.from({ length: program.streams }, (_, index) =>
        index % 2 === 0
          ? pullNotifications(exchange, { ...what, pollIntervalSeconds: 60 })
          : streamingNotifications(exchange, what),
      ),
      happen: () => void server.deliverMail(),
      status: { status$: exchange.status$, withinSeconds: EWS_NOTICED_S, isRegular: true },
    };
  });
}

/** Checks that no stream of a silent UCWA server is silent for ever. */
export function playUcwaSilence(program: SilenceProgram): Promise<Trial> {
  return play(program, (begins$) => {
    const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: program.latencyMs });
    const transport = fallingSilent(server.transport, begins$, program);
    const ucwa = connectUcwa({
      ...{ server: server.url, auth: bearer('token'), transport, online$: NEVER },
      retry: { random: () => 0.5 },
    });
    const uris = Array.from({ length: program.streams }, (_, index) => `sip:u${index}@contoso.com`);
    return {
      streams: uris.map((uri) => presence(ucwa, { uris: [uri] })),
      happen: () => uris.forEach((uri) => server.setPresence(uri, { availability: 'Busy' })),
      status: { status$: ucwa.status$, withinSeconds: UCWA_NOTICED_S, isRegular: false },
    };
  });
}

/** Describes such a program in words. */
export function describeSilence({ streams, beginsAt, requests, how, latencyMs }: SilenceProgram): string {
  return [
    `with latencyMs ${latencyMs}: ${streams} streams`,
    `at ${beginsAt} s: what is under way brings ${how}, and so do the next ${requests} requests`,
    `at ${beginsAt + 1} s: an event that all streams must emit`,
  ].join('\n');
}
