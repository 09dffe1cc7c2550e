import { expect } from 'chai';
import { timer } from 'rxjs';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { APP, SUBSCRIPTIONS, SARA, Client, cancelPending } from './client.ts';

describe('The groups of ucwaSimulator', () => {
  afterEach(cancelPending);

  const GROUPS = `${APP}/groups`;
  const FAMILY = `${GROUPS}/1/subscribeToGroupPresence?groupId=Family`;
  const MINE = `${APP}/people/myContactsAndGroupsSubscription`;
  const START = `${MINE}/startOrRefreshSubscriptionToContactsAndGroups`;
  const groups = { Family: [SARA] };

  it('shows the groups, and subscribes to the members of one', () => {
    const client = new Client({ groups });
    client.application();
    expect(client.ask('GET', GROUPS).body).to.have.nested.property('_embedded.group[0].name', 'Family');
    const made = client.ask('POST', `${FAMILY}&duration=10`);
    expect(made.status).to.equal(201);
    expect(made.body).to.have.property('_links').that.has.keys('self', 'memberships');
    expect(client.server.presenceSubscriptions[0]!.uris).to.deep.equal([SARA]);
  });

  it('starts, shows, refreshes and stops the subscription to contacts and groups', () => {
    const client = new Client();
    inVirtualTime(() => {
      client.application();
      const until = (): readonly number[] =>
        client.server.contactsAndGroupsSubscriptions.map(({ expiresAt }) => expiresAt);
      expect(client.ask('GET', MINE).body).to.include({ state: 'Disconnected' });
      expect(client.ask('POST', `${START}?duration=10`).status).to.equal(201);
      expect(client.ask('GET', MINE).body).to.include({ state: 'Connected' });
      expect(until()).to.deep.equal([600_000]);
      client.ask('POST', `${START}?duration=10`);
      expect(until()).to.deep.equal([1_200_000]);
      client.ask('POST', `${START}?duration=30`);
      expect(until()).to.deep.equal([1_800_000]);
      expect(client.ask('POST', `${MINE}/stopSubscriptionToContactsAndGroups`).status).to.equal(204);
      expect(until()).to.deep.equal([]);
      client.ask('POST', `${START}?duration=10`);
      // A client that waits for events keeps the application.
      client.events(1);
      timer(599_999).subscribe(() => expect(until()).to.have.length(1));
      timer(600_000).subscribe(() => expect(until()).to.deep.equal([]));
    });
  });

  const refused: readonly (readonly [string, string, number])[] = [
    ['PUT', GROUPS, 405],
    ['GET', FAMILY, 405],
    ['POST', FAMILY, 400],
    ['POST', FAMILY.replace('Family', 'Work'), 404],
    ['POST', `${GROUPS}/1`, 405],
    ['GET', `${GROUPS}/2`, 404],
    ['GET', `${GROUPS}/1/contacts/1`, 404],
    ['PUT', MINE, 405],
    ['GET', START, 405],
    ['POST', START, 400],
    ['POST', `${MINE}/elsewhere`, 404],
  ];
  for (const [method, path, status] of refused) {
    it(`responds with ${status} to ${method} ${path}`, () => {
      const client = new Client({ groups });
      client.application();
      expect(client.ask(method, path).status).to.equal(status);
    });
  }

  it('limits the contacts in a request, and the group subscriptions', () => {
    const client = new Client({ groups, maxContactsAtOnce: 1, maxPresenceSubscriptions: 1 });
    client.application();
    const two = [SARA, 'sip:bob@contoso.com'];
    expect(client.ask('POST', SUBSCRIPTIONS, { duration: 10, uris: two })).to.deep.include({ status: 403 });
    client.subscribe(SARA);
    const all = `${APP}/people/presenceSubscriptionMemberships?presenceSubscriptionId=97b6bd66`;
    expect(client.ask('POST', all, { contactUris: two }).body).to.deep.include({
      subcode: 'LimitExceeded',
    });
    expect(client.ask('POST', `${FAMILY}&duration=10`).status).to.equal(403);
  });
});
