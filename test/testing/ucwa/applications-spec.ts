import { expect } from 'chai';
import { timer } from 'rxjs';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { APPLICATIONS, APP, SUBSCRIPTIONS, IDENTITY, Client, linksIn, cancelPending } from './client.ts';

describe('The applications of ucwaSimulator', () => {
  afterEach(cancelPending);

  it('creates, shows and deletes one', () => {
    const client = new Client();
    const created = client.ask('POST', APPLICATIONS, { ...IDENTITY, instanceId: 'tab1' });
    expect(created.status).to.equal(201);
    expect(created.body).to.deep.include({
      rel: 'application',
      id: '101',
      endpointId: '1',
      instanceId: 'tab1',
    });
    expect(linksIn(created)).to.deep.include({ self: APP, events: 'events?ack=1' });
    expect(created.body).to.have.nested.property(
      '_embedded.people._links.presenceSubscriptions.href',
      SUBSCRIPTIONS,
    );
    expect(client.server.applications).to.deep.equal([{ id: '101', href: APP }]);
    expect(client.ask('GET', APP).status).to.equal(200);
    expect(client.ask('DELETE', APP)).to.include({ status: 204, body: '' });
    expect(client.ask('GET', APP)).to.deep.include({ status: 404 });
    expect(client.ask('DELETE', APP).body).to.deep.include({
      code: 'NotFound',
      subcode: 'ApplicationNotFound',
    });
    expect(client.server.applications).to.deep.equal([]);
  });

  it('returns the same one for the same identity, another for another instance', () => {
    const client = new Client();
    client.application();
    expect(client.ask('POST', APPLICATIONS, IDENTITY).status).to.equal(200);
    expect(client.ask('POST', APPLICATIONS, { ...IDENTITY, instanceId: 'other' }).status).to.equal(201);
    expect(client.server.applications).to.have.length(2);
  });

  const refused: readonly (readonly [string, unknown, number])[] = [
    ['no endpointId', { culture: 'en-us', userAgent: 'spec' }, 400],
    ['a culture that is too long', { ...IDENTITY, culture: 'x'.repeat(101) }, 400],
    ['an instanceId that is no text', { ...IDENTITY, instanceId: 7 }, 400],
    ['malformed JSON', '{', 400],
    ['a list', '[]', 400],
  ];
  for (const [name, body, status] of refused) {
    it(`rejects ${name}`, () => {
      const client = new Client();
      expect(client.ask('POST', APPLICATIONS, body).status).to.equal(status);
      expect(client.server.applications).to.deep.equal([]);
    });
  }

  it('ends one without a pending GET for 15 minutes', () => {
    const client = new Client();
    inVirtualTime(() => {
      client.application();
      const waiting = client.events(1);
      timer(100_000).subscribe(() => waiting.sent.unsubscribe());
      timer(100_000 + 899_999).subscribe(() => expect(client.server.applications).to.have.length(1));
      timer(100_000 + 900_000).subscribe(() => {
        expect(client.server.applications).to.deep.equal([]);
        expect(client.events(1)).to.deep.include({ status: 404 });
      });
    });
  });
});
