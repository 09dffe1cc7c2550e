import { expect } from 'chai';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { firstValueFrom, filter, map, type Observable, of, ReplaySubject, scan, Subject } from 'rxjs';
import { eventRelay } from '../../docs/recipes/eventRelay.ts';
import { connectExchange, streamingNotifications } from '../../lib/ews/index.ts';
import { ewsSimulator, type EwsSimulator } from '../../lib/testing/index.ts';
import { httpServer } from '../support/net/httpServer.ts';

/** A message as a page receives it. */
interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A page that has connected. */
interface Client {
  /** The messages so far, and those that follow. */
  readonly messages$: Observable<Message>;
  readonly leave: () => void;
}

interface Setup {
  readonly server: EwsSimulator;
  readonly connect: (lastId?: string) => Client;
  /** Resolves when so many subscriptions are left on the server. */
  readonly subscriptions: (count: number) => Promise<unknown>;
}

async function withRelay(spec: (setup: Setup) => Promise<void>): Promise<void> {
  const server = ewsSimulator();
  const exchange = connectExchange({ server: server.url, transport: server.transport });
  const mail$ = streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] });
  const handle = eventRelay(mail$, exchange.status$);
  const changes = new ReplaySubject<number>(1);
  exchange.activity$.subscribe(() => changes.next(server.subscriptions.length));
  const http = await httpServer((request, response) => void handle(request, response));
  try {
    await spec({
      server,
      connect: (lastId) => connect(http.url, lastId),
      subscriptions: (count) => firstValueFrom(changes.pipe(filter((left) => left === count))),
    });
  } finally {
    await http.close();
    await exchange.close();
  }
}

function connect(url: string, lastId?: string): Client {
  const messages = new ReplaySubject<Message>(Infinity);
  const request = get(url, { headers: lastId === undefined ? {} : { 'last-event-id': lastId } });
  request.on('response', (response) => readMessages(response, messages));
  request.on('error', () => messages.complete());
  return { messages$: messages, leave: () => request.destroy() };
}

function readMessages(response: IncomingMessage, messages: ReplaySubject<Message>): void {
  let fields: Record<string, string> = {};
  const lines = createInterface(response);
  lines.on('line', (line) => {
    const [, name = '', value = ''] = /^(\w+):\s?(.*)$/.exec(line) ?? [];
    if (name !== '') fields[name] = value;
    if (line !== '' || fields['data'] === undefined) return;
    const { event = 'message', id = '', data } = fields;
    messages.next({ event, id, data: JSON.parse(data) as Message['data'] });
    fields = {};
  });
  lines.on('error', () => messages.complete());
}

const next = ({ messages$ }: Client, matches: (message: Message) => boolean): Promise<Message> =>
  firstValueFrom(messages$.pipe(filter(matches)));
const isMail = ({ data }: Message): boolean => data['type'] === 'newMail';
const isGap = ({ data }: Message): boolean => data['type'] === 'gap';
const isLive = ({ event, data }: Message): boolean => event === 'status' && data['state'] === 'live';
const nthMail = (client: Client, count: number): Promise<Message> =>
  firstValueFrom(
    client.messages$.pipe(
      filter(isMail),
      scan((seen, message) => [...seen, message], [] as readonly Message[]),
      filter(({ length }) => length === count),
      map((seen) => seen[count - 1]!),
    ),
  );

describe('The relay of EWS events to pages', () => {
  it('serves three pages with one subscription', () =>
    withRelay(async ({ server, connect: open, subscriptions }) => {
      const clients = [open(), open(), open()];
      await Promise.all(clients.map((client) => next(client, isLive)));
      expect(server.subscriptions).to.have.length(1);
      server.deliverMail();
      await Promise.all(clients.map((client) => next(client, isMail)));
      expect(server.subscriptions).to.have.length(1);
      for (const client of clients) client.leave();
      await subscriptions(0);
    }));

  it('keeps the subscription while one page is left', () =>
    withRelay(async ({ server, connect: open }) => {
      const [staying, leaving] = [open(), open()];
      await Promise.all([next(staying, isLive), next(leaving, isLive)]);
      leaving.leave();
      server.deliverMail();
      await next(staying, isMail);
      expect(server.subscriptions).to.have.length(1);
    }));

  it('sends what a page has missed when it connects again', () =>
    withRelay(async ({ server, connect: open }) => {
      const [staying, away] = [open(), open()];
      await Promise.all([next(staying, isLive), next(away, isLive)]);
      server.deliverMail();
      const { id } = await next(away, isMail);
      away.leave();
      server.deliverMail();
      await nthMail(staying, 2);
      const back = open(id);
      expect((await next(back, isMail)).id).to.equal((await nthMail(staying, 2)).id);
    }));

  it('sends a gap to a page that returns too late', () =>
    withRelay(async ({ connect: open, subscriptions }) => {
      const first = open();
      const { id } = await next(first, isLive);
      first.leave();
      await subscriptions(0);
      expect((await next(open(id), isGap)).data).to.deep.equal({ type: 'gap', reason: 'relay' });
    }));

  it('sends no earlier events and no gap to a new page', () =>
    withRelay(async ({ server, connect: open }) => {
      const staying = open();
      await next(staying, isLive);
      server.deliverMail();
      await next(staying, isMail);
      const late = open();
      await next(late, isLive);
      server.deliverMail();
      const received: Message[] = [];
      late.messages$.subscribe((message) => received.push(message));
      await next(late, isMail);
      expect(received.filter((message) => isMail(message) || isGap(message))).to.have.length(1);
    }));

  it('closes the connection of a page that does not read', async () => {
    const events = new Subject<unknown>();
    const handle = eventRelay(events, of({ state: 'live' }));
    const closed = new ReplaySubject<string | undefined>(1);
    const http = await httpServer((request, response) => {
      response.on('close', () => closed.next(request.url));
      void handle(request, response);
    });
    try {
      const reading = connect(`${http.url}/reading`);
      const slow = get(`${http.url}/slow`);
      await Promise.all([next(reading, isLive), new Promise((resolve) => slow.on('response', resolve))]);
      const text = 'x'.repeat(100_000);
      for (let count = 1; count <= 300; count += 1) {
        events.next({ type: 'newMail', count, text });
        await next(reading, ({ data }) => data['count'] === count);
      }
      expect(await firstValueFrom(closed)).to.equal('/slow');
    } finally {
      await http.close();
    }
  });
});
