import { expect } from 'chai';
import {
  getEventsEnvelope,
  subscribeEnvelope,
  unsubscribeEnvelope,
} from '../../../lib/ews/protocol/envelope.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { head, inbox, everywhere, send, message, subscribe, ask, typesOf } from './client.ts';

describe('The simulated grommunio server', () => {
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
