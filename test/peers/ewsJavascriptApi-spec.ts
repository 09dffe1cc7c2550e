import { expect } from 'chai';
import { fetchTransport } from '../../lib/index.ts';
import { serve, type Served } from '../../lib/testing/http/index.ts';
import { type EwsSimulator, ewsSimulator } from '../../lib/testing/index.ts';
import { type Api, ewsJavascriptApi, type Service } from '../bench/ewsJavascriptApi.ts';
import { httpServer } from '../support/net/httpServer.ts';

/** A promise with the functions that settle it. */
function deferred<Value>(): { readonly value: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined;
  const value = new Promise<Value>((settle) => (resolve = settle));
  return { value, resolve };
}

/** Collects values, and lets a spec wait for a number of them. */
function collected<Value>(): {
  readonly values: readonly Value[];
  readonly add: (value: Value) => void;
  readonly until: (count: number) => Promise<void>;
} {
  const values: Value[] = [];
  const waiting = new Map<number, () => void>();
  return {
    values,
    add: (value) => {
      values.push(value);
      waiting.get(values.length)?.();
    },
    until: (count) =>
      values.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.set(count, resolve)),
  };
}

describe('ews-javascript-api with the simulated Exchange server over real sockets', () => {
  let server: EwsSimulator;
  let served: Served;
  let api: Api;
  let service: Service;
  let inbox: readonly object[];

  beforeEach(async () => {
    server = ewsSimulator({ push: fetchTransport(), basic: { username: 'sara', password: 'secret' } });
    served = await serve(server.transport);
    ({ api, service, folders: inbox } = await ewsJavascriptApi(`${served.origin}/EWS/Exchange.asmx`));
  });

  afterEach(() => served.close());

  it('reads the inbox', async () => {
    server.deliverMail();
    const folder = await api.Folder.Bind(service, api.WellKnownFolderName.Inbox);
    expect(folder.Id.UniqueId).to.equal(server.folderId('inbox'));
    expect([folder.DisplayName, folder.TotalCount, folder.UnreadCount]).to.deep.equal(['Inbox', 1, 1]);
  });

  it('pulls the events page by page, and unsubscribes', async () => {
    const pull = await service.SubscribeToPullNotifications(inbox, 30, '', api.EventType.NewMail);
    const sent = Array.from({ length: 60 }, () => server.deliverMail());
    const first = await pull.GetEvents();
    expect(pull.MoreEventsAvailable).to.equal(true);
    const second = await pull.GetEvents();
    expect(pull.MoreEventsAvailable).to.equal(false);
    const seen = [first, second].map(({ AllEvents: events }) =>
      events.map(({ ItemId: item }) => item.UniqueId),
    );
    expect(seen.flat()).to.deep.equal(sent);
    await pull.Unsubscribe();
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('streams earlier and later events, and detects the end of the stream', async () => {
    const subscription = await service.SubscribeToStreamingNotifications(inbox, api.EventType.NewMail);
    const connection = new api.StreamingSubscriptionConnection(service, 1);
    connection.AddSubscription(subscription);
    const seen = collected<string>();
    connection.OnNotificationEvent.push((_, { Events: events }) => {
      for (const { ItemId: item } of events) seen.add(item.UniqueId);
    });
    const disconnected = deferred<Error | null>();
    connection.OnDisconnect.push((_, { Exception: error }) => disconnected.resolve(error));

    const sent = [server.deliverMail()];
    connection.Open();
    await seen.until(1);
    sent.push(server.deliverMail());
    await seen.until(2);
    expect(seen.values).to.deep.equal(sent);

    server.closeStreams('closed');
    expect(await disconnected.value).to.equal(null);
    await subscription.Unsubscribe();
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('gets push notifications until it responds Unsubscribe', async () => {
    const posts = collected<string>();
    const callback = await httpServer((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (text: string) => (body += text));
      request.on('end', () => {
        const status = body.includes('NewMailEvent') ? 'Unsubscribe' : 'OK';
        response.setHeader('content-type', 'text/xml; charset=utf-8');
        response.end(
          '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' +
            '<SendNotificationResult xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">' +
            `<SubscriptionStatus>${status}</SubscriptionStatus></SendNotificationResult></s:Body></s:Envelope>`,
        );
        response.on('close', () => posts.add(body));
      });
    });
    try {
      const url = new api.Uri(`${callback.url}/posted`);
      const push = await service.SubscribeToPushNotifications(inbox, url, 1, '', api.EventType.NewMail);
      await posts.until(1);
      expect(posts.values[0]).to.contain('StatusEvent').and.contain(push.Id);
      const item = server.deliverMail();
      await posts.until(2);
      expect(posts.values[1]).to.contain(item);
    } finally {
      await callback.close();
    }
  });
});
