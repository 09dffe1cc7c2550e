import { expect } from 'chai';
import { firstValueFrom, map } from 'rxjs';
import { getEventsEnvelope, unsubscribeEnvelope } from '../../../lib/ews/protocol/envelope.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { head, inbox, everywhere, send, message, subscribe, ask, typesOf } from './client.ts';

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

    it('report a soft delete as a move, or as a deletion', () => {
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
});
