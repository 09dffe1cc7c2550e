import { expect } from 'chai';
import { firstValueFrom, map, mergeMap, timer } from 'rxjs';
import { readText } from '../../../lib/core/transport/transport.ts';
import {
  getEventsEnvelope,
  subscribeEnvelope,
  type PullSubscriptionRequest,
  unsubscribeEnvelope,
} from '../../../lib/ews/protocol/envelope.ts';
import { messageParser } from '../../../lib/ews/protocol/parser.ts';
import type { EwsMessage, ResponseMessage } from '../../../lib/ews/protocol/messages.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const head = { version: 'Exchange2013_SP1' };
const all = ['created', 'deleted', 'modified', 'moved', 'copied', 'newMail', 'freeBusyChanged'] as const;
const inbox: PullSubscriptionRequest = {
  type: 'pull',
  folders: ['inbox'],
  events: all,
  watermark: undefined,
  timeoutMinutes: 10,
};
const everywhere: PullSubscriptionRequest = { ...inbox, folders: undefined };

/** The result of an exchange. */
interface Exchanged {
  status: number | undefined;
  text: string;
  messages: EwsMessage[];
  error: unknown;
}

/** Sends one request to a server that responds synchronously. */
function send(
  server: EwsSimulator,
  body: string,
  more: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Exchanged {
  const result: Exchanged = { status: undefined, text: '', messages: [], error: undefined };
  const { method = 'POST', path = server.url, headers = {} } = more;
  server
    .transport({
      method,
      url: path,
      headers: { 'content-type': 'text/xml; charset=utf-8', ...headers },
      body,
    })
    .pipe(
      mergeMap((response) => {
        result.status = response.status;
        return readText(response, 'answer');
      }),
    )
    .subscribe({
      next: (text) => {
        result.text = text;
        if (!text.includes('Envelope')) return;
        const parser = messageParser((message) => result.messages.push(message));
        parser.write(new TextEncoder().encode(text));
        parser.end();
      },
      error: (error: unknown) => (result.error = error),
    });
  return result;
}

const message = ({ messages }: Exchanged): ResponseMessage => {
  expect(messages).to.have.length(1);
  expect(messages[0]!.type).to.equal('response');
  return messages[0] as ResponseMessage;
};

const subscribe = (server: EwsSimulator, request = inbox): { id: string; watermark: string } => {
  const { subscriptionId, watermark } = message(send(server, subscribeEnvelope(head, request)));
  return { id: subscriptionId!, watermark: watermark ?? '' };
};

const ask = (server: EwsSimulator, id: string, watermark: string): ResponseMessage =>
  message(send(server, getEventsEnvelope(head, id, watermark)));

const typesOf = (answer: ResponseMessage): string[] =>
  answer.notifications.flatMap(({ events }) => events.map(({ type }) => type));

describe('The simulated Exchange server', () => {
  it('responds to Subscribe with an id and a watermark', () => {
    const server = ewsSimulator();
    const { id, watermark } = subscribe(server);
    expect(watermark).to.not.equal('');
    expect(server.subscriptions).to.have.length(1);
    expect(server.subscriptions[0]).to.deep.include({
      id,
      folders: [server.folderId('inbox')],
      timeoutMinutes: 10,
      impersonated: undefined,
    });
  });

  it('responds to an idle GetEvents with a status and a new watermark', () => {
    const server = ewsSimulator();
    const { id, watermark } = subscribe(server);
    const [notification] = ask(server, id, watermark).notifications;
    expect(notification).to.deep.include({
      subscriptionId: id,
      previousWatermark: watermark,
      moreEvents: false,
    });
    expect(notification!.events.map(({ type }) => type)).to.deep.equal(['status']);
    expect(notification!.events[0]).to.have.property('watermark').that.is.a('string');
  });

  it('returns the events after a watermark, repeatedly', () => {
    const server = ewsSimulator();
    const { id, watermark } = subscribe(server);
    server.deliverMail();
    const first = ask(server, id, watermark);
    expect(typesOf(first)).to.deep.equal(['created', 'newMail', 'modified']);
    expect(ask(server, id, watermark)).to.deep.equal(first);
    const last = first.notifications[0]!.events.at(-1)!.watermark!;
    expect(typesOf(ask(server, id, last))).to.deep.equal(['status']);
  });

  it('writes timestamps in whole seconds', () => {
    const server = ewsSimulator();
    const { id, watermark } = subscribe(server);
    server.deliverMail();
    const { text } = send(server, getEventsEnvelope(head, id, watermark));
    expect(text.match(/<t:TimeStamp>[^<]*</g))
      .to.have.length(3)
      .and.satisfy((all: readonly string[]) => all.every((one) => /:\d\dZ<$/.test(one)));
  });

  it('returns at most fifty events, with MoreEvents', () => {
    const server = ewsSimulator();
    const { id, watermark } = subscribe(server, { ...inbox, events: ['newMail'] });
    for (let mails = 0; mails < 101; mails += 1) server.deliverMail();
    const counts: [number, boolean][] = [];
    let next = watermark;
    for (let page = 0; page < 3; page += 1) {
      const [notification] = ask(server, id, next).notifications;
      counts.push([notification!.events.length, notification!.moreEvents]);
      next = notification!.events.at(-1)!.watermark!;
    }
    expect(counts).to.deep.equal([
      [50, true],
      [50, true],
      [1, false],
    ]);
  });

  it('responds to a second Unsubscribe that there is no subscription', () => {
    const server = ewsSimulator();
    const { id } = subscribe(server);
    expect(message(send(server, unsubscribeEnvelope(head, id)))).to.include({ responseCode: 'NoError' });
    expect(server.subscriptions).to.have.length(0);
    const again = send(server, unsubscribeEnvelope(head, id));
    expect(again.status).to.equal(200);
    expect(message(again)).to.include({
      responseClass: 'Error',
      responseCode: 'ErrorSubscriptionNotFound',
      messageText: 'The specified subscription was not found.',
    });
  });

  it('responds to GetEvents for an unknown id that there is no subscription', () => {
    const server = ewsSimulator();
    expect(ask(server, 'nothing', 'W')).to.include({ responseCode: 'ErrorSubscriptionNotFound' });
  });

  it('rejects a watermark that it never issued', () => {
    const server = ewsSimulator();
    const { id } = subscribe(server);
    for (const watermark of ['', 'W1', 'not base64!', btoa('watermark:0000:9999999999')]) {
      expect(ask(server, id, watermark)).to.include({ responseCode: 'ErrorInvalidWatermark' });
    }
  });

  it('watches the folder of the given mailbox', () => {
    const server = ewsSimulator();
    const mailbox = 'sara@contoso.example';
    const sara = server.mailbox(mailbox);
    const { id, watermark } = subscribe(server, {
      ...inbox,
      folders: [{ distinguished: 'inbox', mailbox }],
      events: ['newMail'],
    });
    server.deliverMail();
    expect(typesOf(ask(server, id, watermark))).to.deep.equal(['status']);
    const item = sara.deliverMail();
    const [notification] = ask(server, id, watermark).notifications;
    expect(notification!.events[0]).to.have.nested.property('item.id', item);
    expect(server.subscriptions[0]).to.deep.include({ mailbox, folders: [sara.folderId('inbox')] });
    expect(item).to.not.equal(server.deliverMail());
  });

  it('resumes a subscription from a watermark', () => {
    const server = ewsSimulator();
    const { watermark } = subscribe(server);
    server.deliverMail();
    const resumed = subscribe(server, { ...inbox, watermark });
    expect(resumed.watermark).to.equal(watermark);
    expect(typesOf(ask(server, resumed.id, watermark))).to.have.length(3);
  });

  describe('events of the mailbox', () => {
    it('reach subscriptions on their folder and on all folders', () => {
      const server = ewsSimulator();
      const onInbox = subscribe(server);
      const total = subscribe(server, everywhere);
      const item = server.createItem('inbox');
      server.modifyItem(item);
      const moved = server.moveItem(item, 'drafts');
      server.copyItem(moved, 'inbox');
      server.deleteItem(moved);
      const folder = server.createFolder('inbox');
      server.createItem(folder);
      server.changeFreeBusy();
      expect(typesOf(ask(server, onInbox.id, onInbox.watermark))).to.deep.equal([
        'created',
        'modified', // the folder
        'modified',
        'moved',
        'modified',
        'copied',
        'modified',
        'created', // the folder in it
        'modified', // which is in the inbox
      ]);
      expect(typesOf(ask(server, total.id, total.watermark))).to.deep.equal([
        'created',
        'modified',
        'modified',
        'moved',
        'modified',
        'modified',
        'copied',
        'modified',
        'deleted',
        'modified',
        'created',
        'created',
        'modified',
        'freeBusyChanged',
      ]);
    });

    it('count unread items', () => {
      const server = ewsSimulator();
      const { id, watermark } = subscribe(server, { ...inbox, events: ['modified'] });
      const first = server.deliverMail();
      server.deliverMail();
      server.moveItem(first, 'notes');
      const [notification] = ask(server, id, watermark).notifications;
      const counts = notification!.events.map((event) =>
        event.type === 'modified' ? event.unreadCount : -1,
      );
      expect(counts).to.deep.equal([1, 2, 1]);
    });

    it('report a soft delete as a move, on all folders as a deletion', () => {
      const server = ewsSimulator();
      const onInbox = subscribe(server, { ...inbox, events: ['moved', 'deleted'] });
      const total = subscribe(server, { ...everywhere, events: ['moved', 'deleted'] });
      const item = server.createItem('inbox');
      server.deleteItem(item, 'soft');
      expect(typesOf(ask(server, onInbox.id, onInbox.watermark))).to.deep.equal(['moved']);
      const [notification] = ask(server, total.id, total.watermark).notifications;
      expect(notification!.events).to.have.length(1);
      expect(notification!.events[0]).to.deep.include({ type: 'deleted' });
      expect(notification!.events[0]).to.have.nested.property('item.id', item);
      expect(notification!.events[0]).to.have.nested.property('parentFolder.id', server.folderId('inbox'));
    });

    it('throw for an unknown folder or item', () => {
      const server = ewsSimulator();
      expect(() => server.deliverMail('nowhere')).to.throw(TypeError, 'folder must be');
      expect(() => server.modifyItem('nothing')).to.throw(TypeError, 'itemId must be');
      expect(() => server.moveItem(server.deliverMail(), 'nowhere')).to.throw(TypeError, 'toFolder must be');
      expect(() => server.createFolder('nowhere')).to.throw(TypeError, 'parent must be');
      expect(() => server.folderId('nowhere')).to.throw(TypeError, 'distinguishedName must be');
    });
  });

  describe('reads requests by the schema', () => {
    const good = subscribeEnvelope(head, inbox);
    const broken: readonly [name: string, body: string][] = [
      ['no XML', 'subscribe!'],
      ['XML that breaks off', good.slice(0, -1)],
      ['no envelope', '<a/>'],
      ['no operation', good.replace(/<m:Subscribe>.*<\/m:Subscribe>/, '')],
      ['an unknown operation', good.replace(/m:Subscribe>/g, 'm:SubscribeAll>')],
      ['an operation of another namespace', good.replace(/m:Subscribe>/g, 't:Subscribe>')],
      [
        'the wrong order',
        good.replace(/(<t:FolderIds>.*<\/t:FolderIds>)(<t:EventTypes>.*<\/t:EventTypes>)/, '$2$1'),
      ],
      ['no events', good.replace(/<t:EventTypes>.*<\/t:EventTypes>/, '')],
      ['an unknown event', good.replace('NewMailEvent', 'OldMailEvent')],
      ['a status event', good.replace('NewMailEvent', 'StatusEvent')],
      ['no timeout', good.replace(/<t:Timeout>.*<\/t:Timeout>/, '')],
      ['a timeout of two days', good.replace('<t:Timeout>10<', '<t:Timeout>2880<')],
      ['an unknown element', good.replace('<t:Timeout>', '<t:More/><t:Timeout>')],
      ['a folder without an id', good.replace(' Id="inbox"', '')],
      ['another type of folder', good.replace(/t:DistinguishedFolderId/g, 't:Folder')],
      ['a streaming subscription', good.replace(/PullSubscriptionRequest/g, 'StreamingSubscriptionRequest')],
      [
        'GetEvents without a watermark',
        getEventsEnvelope(head, 'S', 'W').replace(/<m:Watermark>.*<\/m:Watermark>/, ''),
      ],
      [
        'two names to impersonate',
        unsubscribeEnvelope({ ...head, impersonate: { sid: 'a' } }, 'S').replace(
          '<t:SID>',
          '<t:SmtpAddress>b</t:SmtpAddress><t:SID>',
        ),
      ],
      [
        'another way to impersonate',
        unsubscribeEnvelope({ ...head, impersonate: { sid: 'a' } }, 'S').replace(/t:SID>/g, 't:Name>'),
      ],
    ];
    for (const [name, body] of broken) {
      it(`rejects ${name} with a fault`, () => {
        const { status, messages } = send(ewsSimulator(), body);
        expect(status).to.equal(500);
        expect(messages).to.have.length(1);
        expect(messages[0]).to.include({ type: 'fault', responseCode: 'ErrorSchemaValidation' });
      });
    }

    it('rejects an unknown version', () => {
      const { status, messages } = send(
        ewsSimulator(),
        unsubscribeEnvelope({ version: 'Exchange2030' }, 'S'),
      );
      expect(status).to.equal(500);
      expect(messages[0]).to.include({ responseCode: 'ErrorInvalidServerVersion' });
    });

    it('rejects a request for all folders and some, or for none', () => {
      const both = good.replace(
        '<m:PullSubscriptionRequest>',
        '<m:PullSubscriptionRequest SubscribeToAllFolders="true">',
      );
      const neither = good.replace(/<t:FolderIds>.*<\/t:FolderIds>/, '');
      for (const body of [both, neither]) {
        expect(message(send(ewsSimulator(), body))).to.include({
          responseCode: 'ErrorInvalidSubscriptionRequest',
        });
      }
    });

    it('rejects an unknown folder', () => {
      for (const folder of ['journal', { id: 'nothing' }]) {
        const body = subscribeEnvelope(head, { ...inbox, folders: [folder] });
        expect(message(send(ewsSimulator(), body))).to.include({ responseCode: 'ErrorFolderNotFound' });
      }
    });

    it('accepts the id of a folder', () => {
      const server = ewsSimulator();
      subscribe(server, { ...inbox, folders: [{ id: server.folderId('drafts') }] });
      expect(server.subscriptions[0]!.folders).to.deep.equal([server.folderId('drafts')]);
    });

    it('accepts other prefixes and no header', () => {
      const body =
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>' +
        '<Unsubscribe xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">' +
        '<SubscriptionId>S1</SubscriptionId></Unsubscribe></Body></Envelope>';
      expect(message(send(ewsSimulator(), body))).to.include({ responseCode: 'ErrorSubscriptionNotFound' });
    });
  });

  describe('as an HTTP server', () => {
    const body = unsubscribeEnvelope(head, 'S1');
    const cases: readonly [name: string, more: Parameters<typeof send>[2], status: number][] = [
      ['another path', { path: 'https://exchange.example/EWS' }, 404],
      ['another method', { method: 'GET' }, 405],
      ['another type', { headers: { 'content-type': 'application/json' } }, 415],
      ['a path in lower case', { path: 'https://exchange.example/ews/exchange.asmx' }, 200],
    ];
    for (const [name, more, status] of cases) {
      it(`responds with ${status} to ${name}`, () => {
        expect(send(ewsSimulator(), body, more).status).to.equal(status);
      });
    }

    const signed: readonly [
      name: string,
      options: EwsSimulatorOptions,
      authorization: string | undefined,
      status: number,
    ][] = [
      ['no token', { token: 'a' }, undefined, 401],
      ['a wrong token', { token: 'a' }, 'Bearer b', 401],
      ['the token', { token: 'a' }, 'Bearer a', 200],
      ['no user', { basic: { username: 'a', password: 'b' } }, undefined, 401],
      ['a wrong password', { basic: { username: 'a', password: 'b' } }, `Basic ${btoa('a:c')}`, 401],
      ['the user', { basic: { username: 'a', password: 'b' } }, `Basic ${btoa('a:b')}`, 200],
      ['any request without a required user', {}, undefined, 200],
    ];
    for (const [name, options, authorization, status] of signed) {
      it(`responds with ${status} to ${name}`, () => {
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        expect(send(ewsSimulator(options), body, { headers }).status).to.equal(status);
      });
    }

    it('requires the new token after a change', () => {
      const server = ewsSimulator({ token: 'a' });
      server.setToken('b');
      expect(send(server, body, { headers: { authorization: 'Bearer a' } }).status).to.equal(401);
      expect(send(server, body, { headers: { authorization: 'Bearer b' } }).status).to.equal(200);
    });

    it('logs requests without secrets', () => {
      const server = ewsSimulator();
      const impersonate = { smtpAddress: 'a@b.example' };
      send(server, getEventsEnvelope({ ...head, impersonate }, 'S1', 'W1'), {
        headers: { authorization: 'Bearer secret' },
      });
      send(server, 'nonsense');
      expect(server.requests).to.have.length(2);
      expect(server.requests[0]).to.deep.include({
        method: 'POST',
        path: '/EWS/Exchange.asmx',
        operation: 'GetEvents',
        subscriptionId: 'S1',
        watermark: 'W1',
        impersonated: { by: 'SmtpAddress', name: 'a@b.example' },
        status: 200,
      });
      expect(JSON.stringify(server.requests)).to.not.contain('secret');
      expect(server.requests[1]).to.deep.include({
        operation: undefined,
        subscriptionId: undefined,
        status: 500,
      });
    });
  });

  describe('controlled by a test', () => {
    it('lets the next requests fail, of one operation or of all', () => {
      const server = ewsSimulator();
      server.failNext(1, { status: 503 }, 'Unsubscribe');
      server.failNext(2, { error: 'ErrorServerBusy', values: { BackOffMilliseconds: '5' } }, 'Subscribe');
      server.failNext(1, { fault: 'ErrorServerBusy', values: { Policy: 'P' } });
      const body = subscribeEnvelope(head, inbox);
      const first = message(send(server, body));
      expect(first).to.deep.include({
        responseCode: 'ErrorServerBusy',
        values: new Map([['BackOffMilliseconds', '5']]),
      });
      expect(message(send(server, body))).to.include({ responseCode: 'ErrorServerBusy' });
      const fault = send(server, body);
      expect([fault.status, fault.messages[0]!.type]).to.deep.equal([500, 'fault']);
      expect(server.subscriptions, 'it did not act').to.have.length(0);
      const { id } = subscribe(server);
      expect(send(server, unsubscribeEnvelope(head, id)).status).to.equal(503);
      expect(send(server, unsubscribeEnvelope(head, id)).status).to.equal(200);
    });

    it('acts or not before its connection breaks', () => {
      const server = ewsSimulator();
      server.failNext(1, 'reset');
      expect(send(server, subscribeEnvelope(head, inbox)).error).to.have.property('code', 'ECONNRESET');
      expect(server.subscriptions).to.have.length(0);
      server.failNext(1, 'resetAfterActing');
      expect(send(server, subscribeEnvelope(head, inbox)).error).to.have.property('code', 'ECONNRESET');
      expect(server.subscriptions).to.have.length(1);
    });

    it('removes failures that have not happened', () => {
      const server = ewsSimulator();
      server.failNext(5, 'reset');
      server.failNext(5, { error: 'ErrorServerBusy' });
      server.clearFailures();
      subscribe(server);
    });

    it('throws for a count of zero', () => {
      expect(() => ewsSimulator().failNext(0, { error: 'ErrorServerBusy' })).to.throw(
        TypeError,
        'count must be',
      );
      expect(() => ewsSimulator().failNext(0, 'reset')).to.throw(TypeError, 'count must be');
    });

    it('expires one subscription, or all', () => {
      const server = ewsSimulator();
      const [first, second] = [subscribe(server), subscribe(server), subscribe(server)];
      server.expire(first.id);
      expect(server.subscriptions.map(({ id }) => id))
        .to.have.length(2)
        .and.to.contain(second.id);
      server.expire();
      expect(server.subscriptions).to.have.length(0);
    });

    it('drops its subscriptions at a restart, keeps its mailbox, repeats no id', () => {
      const server = ewsSimulator();
      const before = subscribe(server);
      server.deliverMail();
      server.restart();
      expect(server.subscriptions).to.have.length(0);
      const after = subscribe(server, { ...inbox, watermark: before.watermark });
      expect(after.id).to.not.equal(before.id);
      expect(typesOf(ask(server, after.id, before.watermark))).to.have.length(3);
    });

    it('rejects watermarks from a forgotten history', () => {
      const server = ewsSimulator();
      const before = subscribe(server);
      server.forgetHistory();
      expect(ask(server, before.id, before.watermark)).to.include({ responseCode: 'ErrorInvalidWatermark' });
      const after = subscribe(server);
      expect(typesOf(ask(server, after.id, after.watermark))).to.deep.equal(['status']);
    });

    it('limits the number of subscriptions', () => {
      const server = ewsSimulator({ maxSubscriptions: 1 });
      subscribe(server);
      const refused = message(send(server, subscribeEnvelope(head, inbox)));
      expect(refused).to.include({ responseCode: 'ErrorExceededSubscriptionCount' });
    });
  });

  describe('on the clock of RxJS', () => {
    it('expires a subscription without requests after its timeout', () => {
      const server = ewsSimulator();
      const codes: string[] = [];
      inVirtualTime(() => {
        const { id, watermark } = subscribe(server, { ...inbox, timeoutMinutes: 1 });
        for (const seconds of [59, 118, 179]) {
          timer(seconds * 1000).subscribe(() => codes.push(ask(server, id, watermark).responseCode));
        }
      });
      expect(codes).to.deep.equal(['NoError', 'NoError', 'ErrorSubscriptionNotFound']);
    });

    it('acts after half the latency, even if the client has unsubscribed', () => {
      const server = ewsSimulator({ latencyMs: 100 });
      const subscriptionCounts: number[] = [];
      inVirtualTime(() => {
        const sent = server
          .transport({
            method: 'POST',
            url: server.url,
            headers: { 'content-type': 'text/xml' },
            body: subscribeEnvelope(head, inbox),
          })
          .subscribe();
        timer(10).subscribe(() => sent.unsubscribe());
        for (const ms of [49, 51]) timer(ms).subscribe(() => subscriptionCounts.push(server.subscriptions.length));
      });
      expect(subscriptionCounts).to.deep.equal([0, 1]);
    });

    it('breaks pending requests when it restarts', () => {
      const server = ewsSimulator({ latencyMs: 100 });
      const result = inVirtualTime(() => {
        timer(60).subscribe(() => server.restart());
        return send(server, subscribeEnvelope(head, inbox));
      });
      expect(result.error).to.have.property('code', 'ECONNRESET');
      expect(server.requests[0]!.status).to.equal(undefined);
    });
  });

  describe('like grommunio', () => {
    const dialect = 'grommunio';

    it('has no watermarks, an empty status, and its own message name', () => {
      const server = ewsSimulator({ dialect });
      const body = send(server, subscribeEnvelope(head, inbox));
      expect(body.text).to.not.contain('Watermark');
      const { subscriptionId } = message(body);
      expect(subscriptionId, 'number 1, 10 minutes').to.equal('AQAAAAoAAAA=');
      const { text } = send(server, getEventsEnvelope(head, subscriptionId!, ''));
      expect(text).to.contain('<m:x ResponseClass="Success">').and.to.contain('<t:StatusEvent/>');
      expect(text).to.not.contain('Watermark');
    });

    it('returns events once, with nanoseconds and without change keys', () => {
      const server = ewsSimulator({ dialect });
      const { id } = subscribe(server);
      server.deliverMail();
      const { text } = send(server, getEventsEnvelope(head, id, ''));
      expect(text)
        .to.match(/\.\d{9}Z</)
        .and.to.not.contain('ChangeKey');
      expect(typesOf(ask(server, id, ''))).to.deep.equal(['status']);
    });

    it('returns the remaining events next', () => {
      const server = ewsSimulator({ dialect });
      const { id } = subscribe(server, { ...inbox, events: ['newMail'] });
      for (let mails = 0; mails < 60; mails += 1) server.deliverMail();
      expect(typesOf(ask(server, id, ''))).to.have.length(50);
      expect(typesOf(ask(server, id, ''))).to.have.length(10);
    });

    it('sends only created and new items for folders, all events otherwise', () => {
      const server = ewsSimulator({ dialect });
      const onInbox = subscribe(server);
      const total = subscribe(server, everywhere);
      const item = server.createItem('inbox');
      server.modifyItem(item);
      server.deleteItem(item);
      expect(typesOf(ask(server, onInbox.id, ''))).to.deep.equal(['created', 'modified', 'modified']);
      expect(typesOf(ask(server, total.id, ''))).to.deep.equal([
        'created',
        'modified',
        'modified',
        'deleted',
        'modified',
      ]);
    });

    it('repeats its ids after a restart', () => {
      const server = ewsSimulator({ dialect });
      const before = subscribe(server);
      server.restart();
      expect(subscribe(server).id).to.equal(before.id);
    });

    it('responds that an unknown id is invalid, or to Unsubscribe not found', () => {
      const server = ewsSimulator({ dialect });
      expect(ask(server, 'x', '')).to.include({ responseCode: 'ErrorInvalidSubscription' });
      expect(message(send(server, unsubscribeEnvelope(head, 'x')))).to.include({
        responseCode: 'ErrorSubscriptionNotFound',
      });
    });

    it('sends faults with status 200, except for an invalid request', () => {
      const server = ewsSimulator({ dialect });
      const bad = send(server, subscribeEnvelope(head, { ...inbox, folders: [{ id: 'AAAA' }] }));
      expect(bad.status).to.equal(200);
      expect(bad.messages[0]).to.include({ type: 'fault', faultCode: 'ErrorInvalidId' });
      const unreadable = send(server, 'nonsense');
      expect(unreadable.status).to.equal(500);
      expect(unreadable.messages[0]).to.include({ type: 'fault', faultCode: 'SOAP:Server' });
    });

    it('accepts a request for all folders and some', () => {
      const server = ewsSimulator({ dialect });
      const both = subscribeEnvelope(head, inbox).replace(
        '<m:PullSubscriptionRequest>',
        '<m:PullSubscriptionRequest SubscribeToAllFolders="true">',
      );
      expect(message(send(server, both))).to.include({ responseCode: 'NoError' });
      expect(server.subscriptions[0]!.folders).to.equal(undefined);
    });
  });

  it('responds after its latency in real time', async () => {
    const server = ewsSimulator({ latencyMs: 2 });
    const status$ = server.transport({ method: 'GET', url: server.url }).pipe(map(({ status }) => status));
    expect(await firstValueFrom(status$)).to.equal(405);
  });

  for (const [option, value] of [
    ['dialect', 'domino'],
    ['latencyMs', -1],
    ['maxSubscriptions', 0.5],
  ] as const) {
    it(`throws for ${option} ${value}`, () => {
      const options = { [option]: value } as unknown as EwsSimulatorOptions;
      expect(() => ewsSimulator(options)).to.throw(TypeError, `${option} must be`);
    });
  }
});
