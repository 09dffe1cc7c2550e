import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { defer, filter, mergeMap, NEVER, type Observable, of, Subject, switchMap, timer } from 'rxjs';
import { headersFrom, type HttpResponse, type Transport } from '../../lib/core/transport/transport.ts';
import { messageParser } from '../../lib/ews/protocol/parser.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import type { Benchmark, Contender, Measures } from './benchmark.ts';
import { bytesOf, chunksOf, ewsAnswer, getEventsResponse, SUBSCRIPTION_ID } from './ewsMessages.ts';
import { APPLICATION, applicationResource } from './ucwaEvents.ts';
import { bearer } from '../../lib/core/auth/auth.ts';

const LIVE = 10_000;
const CHUNK_BYTES = 65_536;
const KEPT_OF = 100;
const ORIGIN = 'https://server.contoso.com';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  // JavaScript keeps the text of the last match, which is from the previous round.
  /x/.test('x');
  collect();
  collect();
  // Node keeps large texts outside of the heap.
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Returns the memory per kept value. */
function kept(count: number, keep: () => unknown): Measures {
  const before = heapBytes();
  const all = keep();
  const bytes = (heapBytes() - before) / count;
  // Used after the measurement, so that it is not collected before.
  if (all === undefined) throw new Error('Nothing was kept');
  return { 'bytes each': bytes };
}

/** The streams that are subscribed to, and their number. */
function live(prepare: () => (index: number) => Observable<unknown>): Contender {
  return () => () => {
    const one = prepare();
    one(LIVE).subscribe();
    return kept(LIVE, () => Array.from({ length: LIVE }, (_, index) => one(index).subscribe()));
  };
}

function respond(url: string, status: number, contentType: string, body: string): HttpResponse {
  return { status, url, headers: headersFrom({ 'content-type': contentType }), body$: of(bytesOf(body)) };
}

/** Responds at once: each Subscribe with another id, and GetEvents with a StatusEvent. */
function ewsServer(): Transport {
  let made = 0;
  return ({ url, body = '' }) => {
    const id = /SubscriptionId>([^<]*)</.exec(body)?.[1] ?? '';
    const answer = body.includes('GetEvents>')
      ? ewsAnswer(
          'GetEvents',
          `<m:Notification><t:SubscriptionId>${id}</t:SubscriptionId><t:MoreEvents>false</t:MoreEvents>` +
            '<t:StatusEvent><t:Watermark>AQAAAAAAAAA=</t:Watermark></t:StatusEvent></m:Notification>',
        )
      : ewsAnswer(
          'Subscribe',
          `<m:SubscriptionId>${SUBSCRIPTION_ID}${(made += 1)}</m:SubscriptionId><m:Watermark>AQAAAA=</m:Watermark>`,
        );
    return of(respond(url, 200, 'text/xml', answer));
  };
}

/** Responds at once, except to requests for events, of which there are none. */
function ucwaServer(): Transport {
  let made = 0;
  return ({ method, url }) => {
    if (method === 'GET') return NEVER;
    if (!url.includes('presenceSubscriptions')) {
      return of(respond(url, 201, 'application/json', applicationResource()));
    }
    const href = `${APPLICATION}/people/presenceSubscriptions/${(made += 1)}`;
    const body = JSON.stringify({ rel: 'presenceSubscription', _links: { self: { href } } });
    return of(respond(url, 201, 'application/json', body));
  };
}

/** Keeps every hundredth event of a response, and everything that it references. */
function keptEvents(read: (chunks: readonly Uint8Array[]) => readonly unknown[]): Contender {
  return () => {
    const chunks = chunksOf(bytesOf(getEventsResponse({ events: LIVE })), CHUNK_BYTES);
    return () => kept(LIVE / KEPT_OF, () => read(chunks).filter((_, index) => index % KEPT_OF === 0));
  };
}

function readByRxchange(chunks: readonly Uint8Array[]): readonly unknown[] {
  const events: unknown[] = [];
  const parser = messageParser((message) => {
    if (message.type === 'response') events.push(...message.notifications.flatMap((one) => one.events));
  });
  for (const chunk of chunks) parser.write(chunk);
  return events;
}

/** The usual way: substrings of the text. */
function readByMatching(chunks: readonly Uint8Array[]): readonly unknown[] {
  const text = new TextDecoder().decode(Buffer.concat(chunks));
  return [...text.matchAll(/<t:Watermark>([^<]*)<\/t:Watermark>.*?Id="([^"]*)"/g)].map(
    ([, watermark, id]) => ({ watermark, id }),
  );
}

export const benchmark: Benchmark = {
  work: 'heap of each of 10,000 live subscriptions, and of each event kept, of 100 in 10,000; bytes',
  rounds: 3,
  warmUpRounds: 1,
  contenders: {
    'pull subscription': live(() => {
      const exchange = connectExchange({ server: `${ORIGIN}/EWS/Exchange.asmx`, transport: ewsServer() });
      const options = { folders: ['inbox'], events: ['newMail'], pollIntervalSeconds: 300 } as const;
      return () => pullNotifications(exchange, options);
    }),
    'pull, the usual chain': live(() => {
      const transport = ewsServer();
      const ask = (body: string): Observable<HttpResponse> =>
        transport({ method: 'POST', url: ORIGIN, body });
      return () =>
        defer(() => ask('<m:Subscribe>')).pipe(
          switchMap(() => timer(0, 300_000).pipe(mergeMap(() => ask('<m:GetEvents>')))),
        );
    }),
    presence: live(() => {
      const ucwa = connectUcwa({
        server: `${ORIGIN}/applications`,
        auth: bearer('secret'),
        transport: ucwaServer(),
      });
      return (index) => presence(ucwa, { uris: [`sip:user${index}@contoso.com`] });
    }),
    'presence, the usual chain': live(() => {
      const transport = ucwaServer();
      const events = new Subject<{ readonly href: string }>();
      return (index) =>
        defer(() =>
          transport({ method: 'POST', url: `${ORIGIN}/presenceSubscriptions`, body: String(index) }),
        ).pipe(switchMap(({ url }) => events.pipe(filter(({ href }) => href === url))));
    }),
    'event kept': keptEvents(readByRxchange),
    'event kept, matched': keptEvents(readByMatching),
  },
  goals: [
    { measure: 'bytes each', of: 'pull subscription', atMost: 1331 },
    { measure: 'bytes each', of: 'presence', atMost: 1331 },
    { measure: 'bytes each', of: 'event kept', atMost: 2000 },
    { measure: 'bytes each', of: 'event kept', per: 'event kept, matched', atMost: 0.1 },
  ],
};
