import { asyncScheduler, type Observable, tap } from 'rxjs';
import { HttpError, type HttpRequest } from '../../lib/index.ts';
import { type Fault, ucwaSimulator, type UcwaSimulator } from '../../lib/testing/index.ts';
import {
  connectUcwa,
  contactPresence,
  myContactsAndGroups,
  presence,
  type Ucwa,
  type UcwaEvent,
} from '../../lib/ucwa/index.ts';
import type { EventBatch } from '../../lib/ucwa/protocol/cursor.ts';
import { happening } from './happening.ts';
import { losingEvents } from './losingEvents.ts';
import type { Target, UcwaProgram, Upheaval, Visit } from './program.ts';
import { sources } from './sharing.ts';
import type { Recorded } from './visitor.ts';
import { type RequestSummary, wireTo, type WireRequest } from './wire.ts';
import type { World } from './world.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

const TOKEN = 'secret-token-of-the-user';
const NOTE = /\/note\/(\d+)$/;
const PLACES = [0, 1, 2];
const CURSOR = /"href":"([^"]*\/events\?[^"]*)"/g;
/** The parameters that a client may add. */
const ADDED = /(?:&(?:low|medium|timeout|priority)=\d+)+$/;

const uriOf = (place: number): string => `sip:place${place}@contoso.com`;

/** Returns the purpose of a UCWA request. */
function summaryOf({ method, url, body = '' }: HttpRequest): RequestSummary {
  const { pathname, search } = new URL(url);
  const name = `${method} ${pathname}${search}`;
  if (pathname.endsWith('/events')) return { name, purpose: 'channel', isRead: true };
  if (method === 'POST' && pathname.endsWith('/presenceSubscriptions'))
    return { name, purpose: 'creation', isRead: false };
  const [, turned] = /\/(start|stop)\w*ToContactsAndGroups$/.exec(pathname) ?? [];
  if (turned !== undefined) return { name, purpose: turned === 'stop' ? 'removal' : 'other', isRead: false };
  if (method === 'DELETE') return { name, purpose: 'removal', isRead: false, id: url };
  if (pathname.endsWith('/batch')) {
    // A request that only reads or extends may be given up.
    const purpose = /^DELETE /m.test(body)
      ? 'removal'
      : /^POST \S+\/presenceSubscriptions /m.test(body)
        ? 'creation'
        : 'other';
    return { name, purpose, isRead: false };
  }
  const isOfApplication = /\/applications(\/\d+)?$/.test(pathname);
  if (isOfApplication && method === 'POST') return { name, purpose: 'creation', isRead: true };
  return { name, purpose: 'other', isRead: isOfApplication };
}

const IS_FOR: Partial<Record<Target, (request: HttpRequest) => boolean>> = {
  channel: ({ url }) => url.includes('/events'),
  creation: ({ method, url }) => method === 'POST' && url.endsWith('/presenceSubscriptions'),
  removal: ({ method, url }) => method === 'DELETE' && url.includes('/presenceSubscriptions/'),
  application: ({ url }) => /\/applications(\/\d+)?$/.test(url),
  'any request': () => true,
};

const MISLEADING: Partial<Record<Target, (summary: RequestSummary) => boolean>> = {
  channel: ({ purpose }) => purpose === 'channel',
  creation: ({ purpose, name }) => purpose === 'creation' && name.endsWith('/presenceSubscriptions'),
  application: ({ name }) => /\/applications(\/\d+)?$/.test(name),
  'any request': () => true,
};

/** Creates a simulated UCWA server, and a connection to it. */
export function ucwaWorld({ settings }: UcwaProgram, passed: (request: WireRequest) => void): World {
  const { latencyMs, mediumSeconds, contactHrefs, cursorParameter, ack, graceSeconds, maxParts } = settings;
  const { applicationGraceSeconds } = settings;
  const server = ucwaSimulator({ latencyMs, mediumSeconds, contactHrefs, cursorParameter, token: TOKEN });
  const { origin } = new URL(server.url);
  const losing = losingEvents(server.transport);
  const wire = wireTo(losing.transport, () => asyncScheduler.now(), summaryOf, passed);
  const found: string[] = [];
  const ucwa = connectUcwa({
    ...{ server: server.url, endpointId: 'e', transport: wire.transport },
    ...(applicationGraceSeconds === undefined ? {} : { graceSeconds: applicationGraceSeconds }),
    auth: bearer((asking) => {
      if (asking !== origin) found.push(`law 9: a token was asked for ${asking}`);
      return TOKEN;
    }),
    channel: { ack },
    ...(maxParts === 1 ? {} : { batch: batching({ maxParts }) }),
    retry: { random: () => 0.5, initialMs: 20, maxMs: 2000 },
  });
  const tunedAt: number[] = [];
  let isCalm = false;

  const make = (visit: Visit, grace?: number): Observable<unknown> => {
    switch (visit.to) {
      case 'events':
        return ucwa.events$;
      case 'batches':
        return ucwa.batches$;
      case 'contacts':
        return myContactsAndGroups(ucwa);
      case 'states':
        return contactPresence(ucwa, [uriOf(visit.place)]);
      default:
        return presence(ucwa, {
          uris: [uriOf(visit.place)],
          ...(grace === undefined ? {} : { graceSeconds: grace }),
        });
    }
  };
  const placeOf = ({ to, place }: Visit): string | undefined =>
    to === 'presence' || to === 'states'
      ? uriOf(place)
      : to === 'contacts'
        ? 'contacts and groups'
        : undefined;
  const happen = happening(PLACES, (place, number) => {
    const contact = `/people/${uriOf(place).slice(4)}`;
    server.emit({
      type: 'updated',
      link: { rel: 'contactNote', href: `${contact}/note/${number}` },
      in: { rel: 'contact', href: contact },
    });
  });
  const { of, openings } = sources(graceSeconds, placeOf, make);

  const breaches = (): readonly string[] => [
    ...found,
    ...cursorsOf(wire.requests, tunedAt),
    ...removalsOf(server),
  ];

  return {
    ...{ wire, origin, openings, placeOf, breaches },
    releases: ucwa.releases,
    secrets: [TOKEN],
    hasIds: true,
    isGapless: true,
    // While the channel is tuned, a new request replaces the open one.
    mostChannels: 1,
    timetable: { calmMs: 0, lastEventMs: 60_000, quietMs: 75_000, settledMs: 400_000 },
    source: (visit) => of(visit).pipe(tap({ error: (error: unknown) => found.push(...rivalryOf(error)) })),
    read: (visit, value) => readBy(visit, value, { ucwa, wire: wire.requests, ack, found, origin }),
    getsEveryEvent: ({ to }) =>
      to === 'events' || to === 'batches' || (to === 'presence' && contactHrefs === 'address'),
    happen,
    upheave: (how) => {
      if (how === 'the channel is tuned') tunedAt.push(asyncScheduler.now());
      if (how === 'events are lost before a resume') {
        losing.lose();
        for (let left = 2; left > 0; left -= 1) happen();
        server.reset('resume');
      } else upheave(server, ucwa, how);
    },
    fail: ({ count, how, on }) => {
      const isFor = IS_FOR[on] ?? ((): boolean => false);
      server.failNext(count, how as Fault, (request) => !isCalm && isFor(request));
    },
    matches: (on, summary) => MISLEADING[on]?.(summary) ?? false,
    calm: () => {
      isCalm = true;
      losing.calm();
    },
    held: () => [
      ...server.presenceSubscriptions.map(({ href, uris: [uri = ''] }) => ({
        id: `${origin}${href}`,
        place: uri,
      })),
      ...server.contactsAndGroupsSubscriptions.map(({ applicationId }) => ({
        id: `${server.url}/${applicationId}/people/myContactsAndGroupsSubscription`,
        place: 'contacts and groups',
      })),
    ],
    leftovers: () => server.applications.map(({ href }) => `application ${origin}${href}`),
    drain: (options) => ucwa.drain(options),
    close: (options) => ucwa.close(options),
  };
}

interface Reading {
  readonly ucwa: Ucwa;
  readonly wire: readonly WireRequest[];
  readonly ack: 'eager' | 'processed';
  readonly found: string[];
  readonly origin: string;
}

function readBy({ to, place }: Visit, value: unknown, reading: Reading): Recorded {
  if (to === 'states') return undefined;
  if (to === 'batches') return readBatch(value as EventBatch, reading);
  const { type, link } = value as UcwaEvent;
  if (type === 'gap') return 'loss';
  const number = NOTE.exec(link.href)?.[1];
  // A subscriber of all events gets the note of each contact.
  const isOfOther = to === 'events' && !link.href.includes(`/place0@`);
  if (number === undefined || isOfOther) return undefined;
  if (to === 'presence' && !link.href.includes(`/place${place}@`))
    reading.found.push(`law 7: ${link.href} came to who watches place ${place}`);
  return Number(number);
}

/** Whether a request failed within the longest backoff of a program; a web page is a failure, too. */
function isFailing(wire: readonly WireRequest[]): boolean {
  const since = asyncScheduler.now() - 2000;
  return wire.some(
    ({ endedAt, end, status = 0, isWebPage }) =>
      endedAt >= since && (end === 'failed' || status >= 400 || isWebPage),
  );
}

/** Reads the note in a batch, and checks whether the batch is acknowledged by now. */
function readBatch({ events, next, gap }: EventBatch, { wire, ack, found, origin }: Reading): Recorded {
  if (gap !== undefined || events.some(({ type }) => type === 'gap')) return 'loss';
  const link = new URL(next, origin);
  if (events.length === 0 || link.origin !== origin) return undefined;
  // A batch may be as old as a former application: only the last request counts.
  const asked = wire.filter(({ purpose }) => purpose === 'channel');
  const isFollowed = (ack === 'eager' ? asked : asked.slice(-1)).some(({ url }) => url.startsWith(link.href));
  // While the server fails, the next request waits for the backoff, like all others.
  const isHeldBack = ack === 'eager' && isFailing(wire);
  if (isFollowed !== (ack === 'eager') && !isHeldBack)
    found.push(`law 6: ${next} is ${isFollowed ? '' : 'not yet '}followed when its events are handed out`);
  return undefined;
}

function upheave(server: UcwaSimulator, ucwa: Ucwa, how: Upheaval['how']): void {
  if (how === 'it restarts') server.restart();
  else if (how === 'all subscriptions expire') server.expire();
  else if (how === 'a resync') server.reset('resync');
  else if (how === 'a resume') server.reset('resume');
  else if (how === 'the channel is tuned') ucwa.setChannelParameters({ mediumSeconds: 5 });
  else if (how === 'a subscription ends') {
    const [first] = server.presenceSubscriptions;
    if (first !== undefined) server.endSubscription(first.id);
  }
}

/**
 * Returns the requests for events that follow no link of the server literally. Added parameters are valid
 * only in requests that do not follow a response at once.
 */
function cursorsOf(requests: readonly WireRequest[], tunedAt: readonly number[]): readonly string[] {
  const handedOut = new Set<string>();
  const found: string[] = [];
  for (const { text } of requests) {
    for (const [, link = ''] of text.matchAll(CURSOR)) handedOut.add(link);
  }
  const last = new Map<string, WireRequest>();
  for (const request of requests) {
    const { purpose, url, at } = request;
    if (purpose !== 'channel') continue;
    const { pathname, search } = new URL(url);
    const link = `${pathname}${search.replace(ADDED, '')}`;
    if (!handedOut.has(link)) found.push(`law 6: ${link} is no link of the server`);
    const before = last.get(pathname);
    last.set(pathname, request);
    const hasLed = before?.text.includes(`"next":{"href":"${link}"}`) === true;
    const isTuned = tunedAt.some((time) => before !== undefined && time >= before.at && time <= at);
    if (hasLed && !isTuned && ADDED.test(search))
      found.push(`law 6: ${search} says again what the server knows`);
  }
  return found;
}

/** No other client reads the channel, so the replacing request is the library's own. */
function rivalryOf(error: unknown): readonly string[] {
  const isReplaced = error instanceof HttpError && error.subcode === 'PGetReplaced';
  return isReplaced ? ['law 13: a stream ended because of a request of its own'] : [];
}

/** Returns the subscriptions that the server removed more than once. */
function removalsOf({ requests }: UcwaSimulator): readonly string[] {
  const removed = new Set<string>();
  const found: string[] = [];
  for (const { method, status, path } of requests.flatMap((one) => [one, ...(one.parts ?? [])])) {
    if (method !== 'DELETE' || status !== 204) continue;
    if (removed.has(path)) found.push(`law 1: ${path} was removed twice`);
    removed.add(path);
  }
  return found;
}
