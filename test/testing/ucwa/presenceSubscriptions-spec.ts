import { expect } from 'chai';
import { timer } from 'rxjs';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { APP, SUBSCRIPTIONS, FIRST, SARA, Client, eventsIn, cancelPending } from './client.ts';

describe('The presence subscriptions of ucwaSimulator', () => {
  afterEach(cancelPending);

  it('creates one, with events for it, its contacts and their presence', () => {
    const client = new Client({ mediumSeconds: 0 });
    client.application();
    client.subscribe(SARA, 'sip:Bob@contoso.com');
    expect(client.server.presenceSubscriptions).to.have.length(1);
    expect(client.server.presenceSubscriptions[0]).to.deep.include({
      id: '97b6bd66',
      href: FIRST,
      applicationId: '101',
      uris: [SARA, 'sip:bob@contoso.com'],
    });
    expect(eventsIn(client.events(1))).to.deep.equal([
      'added contact',
      'added contact',
      'added presenceSubscription',
      'updated contactPresence',
      'updated contactPresence',
    ]);
  });

  it('deletes one with 204, with events for its contacts, then for it', () => {
    const client = new Client({ mediumSeconds: 0 });
    client.application();
    client.subscribe(SARA);
    client.events(1);
    const waiting = client.events(2);
    expect(waiting.status).to.equal(undefined);
    expect(client.ask('DELETE', FIRST)).to.include({ status: 204, body: '' });
    expect(eventsIn(waiting)).to.deep.equal(['deleted contact', 'deleted presenceSubscription']);
    expect(client.ask('DELETE', FIRST).status).to.equal(404);
    expect(client.server.presenceSubscriptions).to.deep.equal([]);
  });

  it('keeps a contact that is still in another subscription', () => {
    const client = new Client({ mediumSeconds: 0 });
    client.application();
    client.subscribe(SARA);
    client.subscribe(SARA);
    client.events(1);
    client.ask('DELETE', FIRST);
    expect(eventsIn(client.events(2))).to.deep.equal(['deleted presenceSubscription']);
    expect(client.ask('GET', `${APP}/people/subscribedContacts`).body).to.deep.include({
      _links: {
        self: { href: `${APP}/people/subscribedContacts` },
        contact: [{ href: `${APP}/people/sara@contoso.com` }],
      },
    });
  });

  it('sends a change of presence to the applications that watch the contact', () => {
    const client = new Client({ mediumSeconds: 0 });
    client.application();
    client.subscribe(SARA);
    client.events(1);
    client.server.setPresence('sip:bob@contoso.com', { availability: 'Busy' });
    const waiting = client.events(2);
    expect(waiting.status, 'nobody watches Bob').to.equal(undefined);
    client.server.setPresence('SIP:Sara@contoso.com', {
      availability: 'BeRightBack',
      activity: 'in-a-meeting',
    });
    expect(eventsIn(waiting)).to.deep.equal(['updated contactPresence']);
    expect(client.ask('GET', `${APP}/people/Sara%40contoso.com/presence`).body).to.deep.include({
      availability: 'BeRightBack',
      activity: 'in-a-meeting',
      deviceType: 'Desktop',
      rel: 'contactPresence',
    });
    expect(client.ask('GET', `${APP}/people/sara@contoso.com`).body).to.deep.include({
      uri: SARA,
      name: 'sara',
    });
  });

  it('sends `updated` before the expiry, then ends a subscription', () => {
    const client = new Client({ mediumSeconds: 0, expiryWarningSeconds: 60 });
    const recorded: [number, string[]][] = [];
    inVirtualTime(() => {
      client.application();
      client.subscribe(SARA);
      const listen = (ack: number): void => {
        const waiting = client.events(ack, '&timeout=1800');
        waiting.sent.add(() => {
          if (waiting.status !== 200) return;
          recorded.push([ack, eventsIn(waiting)]);
          if (ack < 3) listen(ack + 1);
        });
      };
      listen(1);
      timer(540_000).subscribe(() => expect(recorded).to.have.length(2));
      timer(599_999).subscribe(() => expect(client.server.presenceSubscriptions).to.have.length(1));
    });
    expect(recorded.slice(1)).to.deep.equal([
      [2, ['updated presenceSubscription']],
      [3, ['deleted contact', 'deleted presenceSubscription']],
    ]);
    expect(client.server.presenceSubscriptions).to.deep.equal([]);
  });

  it('extends one to at most 30 minutes', () => {
    const client = new Client();
    inVirtualTime(() => {
      client.application();
      client.subscribe(SARA);
      const left = (): number => client.server.presenceSubscriptions[0]!.expiresAt;
      expect(left()).to.equal(600_000);
      expect(client.ask('POST', `${FIRST}?duration=10`).status).to.equal(200);
      expect(left()).to.equal(1_200_000);
      client.ask('POST', `${FIRST}?duration=30`);
      expect(left()).to.equal(1_800_000);
      expect(client.ask('POST', `${FIRST}?duration=31`).status).to.equal(400);
      expect(client.ask('POST', `${SUBSCRIPTIONS}/none?duration=30`).body).to.deep.include({
        subcode: 'ApplicationNotFound',
      });
    });
  });

  it('adds, shows and removes members', () => {
    const client = new Client({ mediumSeconds: 0 });
    client.application();
    client.subscribe(SARA);
    client.events(1);
    const all = `${APP}/people/presenceSubscriptionMemberships`;
    const added = client.ask('POST', `${all}?presenceSubscriptionId=97b6bd66`, {
      contactUris: [SARA, 'sip:bob@contoso.com'],
    });
    expect(added.status).to.equal(201);
    expect(eventsIn(client.events(2))).to.deep.equal(['added contact', 'updated contactPresence']);
    const shown = client.ask('GET', `${all}?presenceSubscriptionId=97b6bd66`);
    expect(shown.body).to.have.nested.property('_embedded.presenceSubscriptionMembership.length', 2);
    expect(client.ask('DELETE', `${all}/97b6bd66,sara@contoso.com`).status).to.equal(204);
    expect(client.ask('DELETE', `${all}/97b6bd66,sara@contoso.com`).status).to.equal(404);
    expect(client.server.presenceSubscriptions[0]!.uris).to.deep.equal(['sip:bob@contoso.com']);
    expect(client.ask('GET', `${all}?presenceSubscriptionId=none`).status).to.equal(404);
    expect(client.ask('POST', `${all}?presenceSubscriptionId=97b6bd66`, { contactUris: [] }).status).to.equal(
      400,
    );
  });

  const refused: readonly (readonly [string, unknown, number])[] = [
    ['no contacts', { duration: 10, uris: [] }, 400],
    ['what is no sip URI', { duration: 10, uris: ['sara'] }, 400],
    ['too short a time', { duration: 9, uris: [SARA] }, 400],
    ['too long a time', { duration: 31, uris: [SARA] }, 400],
    ['malformed JSON', '{', 400],
  ];
  for (const [name, body, status] of refused) {
    it(`rejects ${name}`, () => {
      const client = new Client();
      client.application();
      expect(client.ask('POST', SUBSCRIPTIONS, body).status).to.equal(status);
      expect(client.server.presenceSubscriptions).to.deep.equal([]);
    });
  }

  it('rejects a body that is not declared as JSON', () => {
    const client = new Client();
    client.application();
    expect(client.ask('POST', SUBSCRIPTIONS, '{}', { 'content-type': 'text/plain' }).status).to.equal(415);
  });

  it('accepts the spelling of the other page, and lists subscriptions', () => {
    const client = new Client();
    client.application();
    expect(client.ask('POST', SUBSCRIPTIONS, { duration: 10, Uris: [SARA] }).status).to.equal(201);
    expect(client.ask('GET', SUBSCRIPTIONS).body).to.have.nested.property(
      '_embedded.presenceSubscription.length',
      1,
    );
    expect(client.ask('GET', FIRST).body).to.deep.include({ id: '97b6bd66' });
  });

  it('rejects more than are allowed', () => {
    const client = new Client({ maxPresenceSubscriptions: 1 });
    client.application();
    client.subscribe(SARA);
    expect(client.ask('POST', SUBSCRIPTIONS, { duration: 10, uris: [SARA] })).to.deep.include({
      status: 403,
    });
  });

  it('has no address in opaque hrefs', () => {
    const client = new Client({ contactHrefs: 'opaque' });
    client.application();
    client.subscribe('sip:bob@contoso.com', SARA);
    client.server.setPresence(SARA, { availability: 'Away' });
    expect(client.ask('GET', `${APP}/people/283/presence`).body).to.deep.include({ availability: 'Away' });
  });
});
