import { asyncScheduler, type Observable } from 'rxjs';
import { bearer } from '../../lib/core/auth/auth.ts';
import {
  type EwsEvent,
  connectExchange,
  pullNotifications,
  pushNotifications,
  streamingNotifications,
} from '../../lib/ews/index.ts';
import type { HttpRequest } from '../../lib/index.ts';
import { ewsSimulator, type EwsSimulator, type Fault } from '../../lib/testing/index.ts';
import type { EwsOperation } from '../../lib/testing/ews/simulator.ts';
import { happening } from './happening.ts';
import { posting } from './posting.ts';
import type { EwsProgram, Target, Upheaval, Visit } from './program.ts';
import { sources } from './sharing.ts';
import { type RequestSummary, type Purpose, wireTo, type WireRequest } from './wire.ts';
import type { World } from './world.ts';

const PLACES = [0, 1, 2];
const POLL_SECONDS = 5;
const WATERMARK = /Watermark>([^<]*)</g;

const PURPOSES: Readonly<Record<string, Purpose>> = {
  Subscribe: 'creation',
  Unsubscribe: 'removal',
  GetStreamingEvents: 'channel',
};

/** Returns the purpose of an EWS request. */
function summaryOf({ body = '' }: HttpRequest): RequestSummary {
  const operation = /<m:(Subscribe|GetEvents|GetStreamingEvents|Unsubscribe)\b/.exec(body)?.[1] ?? 'nothing';
  const id = /<m:SubscriptionId>([^<]*)</.exec(body)?.[1];
  const watermark = /<[mt]:Watermark>([^<]*)</.exec(body)?.[1];
  const name = [operation, id, watermark].filter((word) => word !== undefined).join(' ');
  const isStreamed = operation === 'GetStreamingEvents';
  return { name, id, purpose: PURPOSES[operation] ?? 'other', isRead: !isStreamed, isStreamed };
}

/** Creates a simulated EWS server, and a connection to it. */
export function ewsWorld({ settings, steps }: EwsProgram, passed: (request: WireRequest) => void): World {
  const { dialect, latencyMs, chunkBytes, maxStreams, maxConnections, graceSeconds, onLost, isOfPush, pace } =
    settings;
  const posts = posting();
  let tokens = 1;
  const token = (): string => `secret-token-${tokens}-of-the-user`;
  const server = ewsSimulator({
    ...{ dialect, latencyMs, chunkBytes, maxStreams, heartbeatSeconds: 3 * pace, token: token() },
    push: posts.transport,
  });
  const { origin } = new URL(server.url);
  const wire = wireTo(server.transport, () => asyncScheduler.now(), summaryOf, passed);
  const found: string[] = [];
  const exchange = connectExchange({
    ...{ server: server.url, transport: wire.transport },
    auth: bearer((asking) => {
      if (asking !== origin) found.push(`law 9: a token was asked for ${asking}`);
      return token();
    }),
    retry: { initialMs: 200, maxMs: 1000, random: () => 0.5 },
    streaming: { maxConnections },
    limits: { silenceSeconds: 8 * pace },
  });
  const folders = PLACES.map(() => server.createFolder());

  const placeOf = ({ to, place }: Visit): string => `${to} ${folders[place]}`;
  const make = ({ to, place }: Visit, grace?: number): Observable<EwsEvent> => {
    const watched = { folders: [{ id: folders[place] ?? '' }], events: ['modified'] } as const;
    const shared = grace === undefined ? {} : { graceSeconds: grace };
    if (to === 'streaming') return streamingNotifications(exchange, { ...watched, ...shared });
    if (to === 'pull')
      return pullNotifications(exchange, {
        ...watched,
        ...shared,
        onLost,
        pollIntervalSeconds: POLL_SECONDS * pace,
      });
    const callback = { callbackUrl: 'https://me.example/', statusFrequencyMinutes: 1 };
    return pushNotifications(exchange, { ...watched, ...shared, ...callback }, posts.incoming$);
  };
  const { of, openings } = sources(graceSeconds, placeOf, make);
  const restarts = steps.some((step) => step.what === 'upheaval' && step.how === 'it restarts');
  // This server family reuses ids after a restart.
  const hasIds = dialect === 'exchange' || !restarts;

  /** The response to a post is the only way to end a push subscription. */
  const strays = (): readonly string[] =>
    wire.requests
      .filter(({ purpose }) => isOfPush && purpose !== 'creation')
      .map(({ name }) => `law 1: ${name} was sent for a push subscription`);

  return {
    ...{ wire, origin, openings, placeOf, hasIds },
    breaches: () => [
      ...found,
      ...strays(),
      ...watermarksOf(wire.requests, posts.bodies),
      ...(hasIds ? removalsOf(wire.requests) : []),
    ],
    releases: exchange.releases,
    get secrets() {
      return Array.from({ length: tokens }, (_, index) => `secret-token-${index + 1}-of-the-user`);
    },
    mostChannels: maxConnections,
    // Without a spare connection, each new stream replaces the others' streams.
    isGapless: maxConnections > 1 && maxStreams > 1,
    timetable: isOfPush
      ? { calmMs: 0, lastEventMs: 700_000, quietMs: 850_000, settledMs: 1_400_000 }
      : { calmMs: 0, lastEventMs: 45_000 * pace, quietMs: 60_000 * pace, settledMs: 250_000 * pace },
    source: of,
    read: (visit, value) => {
      const event = value as EwsEvent;
      if (event.type === 'gap') return 'loss';
      if (event.type !== 'modified') return undefined;
      const place = folders.indexOf(event.folder?.id ?? '');
      if (place !== visit.place)
        found.push(`law 7: what happened at place ${place} came to place ${visit.place}`);
      // The subscriptions are never read, and many have to be possible.
      return event.unreadCount;
    },
    getsEveryEvent: () => true,
    happen: happening(folders, (folder) => void server.deliverMail(folder)),
    upheave: (how) => {
      if (how === 'another token is wanted') {
        tokens += 1;
        server.setToken(token());
      } else if (typeof how === 'object' && 'stallMs' in how) wire.stall(how.stallMs);
      else upheave(server, how);
    },
    fail: ({ on, how, count }) => {
      if (on === 'post') posts.failNext(count, how as Fault);
      else server.failNext(count, how, on === 'any request' ? undefined : (on as EwsOperation));
    },
    matches: (on: Target, summary) => summary.name.startsWith(on),
    calm: () => {
      server.clearFailures();
      posts.clear();
    },
    held: () =>
      server.subscriptions
        .filter(({ id }) => !posts.recorded.has(id))
        .map(({ id, type, folders: [folder = ''] = [] }) => ({ id, place: `${type} ${folder}` })),
    leftovers: () => server.streams.map(({ subscriptionIds }) => `a stream of ${subscriptionIds.join(', ')}`),
    drain: (options) => exchange.drain(options),
    close: (options) => exchange.close(options),
  };
}

/** An upheaval of the server itself. */
type OfServer = Exclude<Upheaval['how'], { readonly stallMs: number }>;

function upheave(server: EwsSimulator, how: OfServer): void {
  if (typeof how === 'object') server.closeStreams(how.streamsEnd);
  else if (how === 'it restarts') server.restart();
  else if (how === 'all subscriptions expire') server.expire();
  else if (how === 'a subscription ends') server.expire(server.subscriptions[0]?.id ?? '');
  else if (how === 'the watermarks are forgotten') server.forgetHistory();
  else if (how === 'the streams fall silent') server.stallStreams();
  else if (how === 'an envelope is corrupt') server.corruptNextEnvelope();
}

/** Returns the watermarks that a client sent, but the server never returned. */
function watermarksOf(requests: readonly WireRequest[], posted: readonly string[]): readonly string[] {
  const handedOut = new Set<string>();
  for (const text of [...requests.map((one) => one.text), ...posted])
    for (const [, watermark = ''] of text.matchAll(WATERMARK)) handedOut.add(watermark);
  return requests.flatMap(({ name }) => {
    const [operation, ...words] = name.split(' ');
    const watermark = operation === 'GetEvents' ? words[1] : operation === 'Subscribe' ? words[0] : undefined;
    // One server family has no watermarks, and is sent an empty one.
    return watermark === undefined || watermark === '' || handedOut.has(watermark)
      ? []
      : [`law 6: ${name} is no watermark of the server`];
  });
}

/** Returns the subscriptions that the server removed more than once. */
function removalsOf(requests: readonly WireRequest[]): readonly string[] {
  const removed = new Set<string>();
  const found: string[] = [];
  for (const { purpose, id = '', text } of requests) {
    if (purpose !== 'removal' || !text.includes('"Success"')) continue;
    if (removed.has(id)) found.push(`law 1: ${id} was removed twice`);
    removed.add(id);
  }
  return found;
}
