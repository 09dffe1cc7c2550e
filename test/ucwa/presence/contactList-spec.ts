import { expect } from 'chai';
import { take, timer } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { SimulatedEvent } from '../../../lib/testing/ucwa/eventQueue.ts';
import { myContactsAndGroups } from '../../../lib/ucwa/presence/contactList.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';

const MINUTE = 60_000;
const START =
  'POST 101/myContactsAndGroupsSubscription/startOrRefreshSubscriptionToContactsAndGroups?duration=30 201';
const STOP = 'POST 101/myContactsAndGroupsSubscription/stopSubscriptionToContactsAndGroups 204';
const own = (sent: readonly string[]): string[] =>
  sent.filter((line) => /(start|stop)\w*Subscription/.test(line));

const group: SimulatedEvent = {
  type: 'added',
  link: { rel: 'group', href: '/groups/7' },
  in: { rel: 'myGroups', href: '/groups' },
};
const contact: SimulatedEvent = {
  type: 'deleted',
  link: { rel: 'contact', href: '/people/282' },
  in: { rel: 'defaultGroup', href: '/groups/defaultGroup' },
};
const friend: SimulatedEvent = {
  type: 'added',
  link: { rel: 'contact', href: '/people/283' },
  in: { rel: 'myContacts', href: '/people/contacts' },
};
const watchedContact: SimulatedEvent = {
  type: 'added',
  link: { rel: 'contact', href: '/people/284' },
  in: { rel: 'subscribedContacts', href: '/people/subscribedContacts' },
};
const expiring: SimulatedEvent = {
  type: 'updated',
  link: {
    rel: 'myContactsAndGroupsSubscription',
    href: '/ucwa/oauth/v1/applications/101/people/myContactsAndGroupsSubscription',
  },
};

describe('myContactsAndGroups', () => {
  it('starts, emits events of contacts and groups only, and stops', async () => {
    const { ucwa, server, sent, outcomeLines } = connected();
    const one = record(myContactsAndGroups(ucwa));
    expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
    for (const event of [group, contact, friend, watchedContact]) server.emit(event);
    expect(one.values).to.deep.equal(['added group', 'deleted contact', 'added contact']);
    one.subscription.unsubscribe();
    await ucwa.drain();
    expect(own(sent())).to.deep.equal([START, STOP]);
    expect(outcomeLines()).to.deep.equal([
      'myContactsAndGroupsSubscription Released',
      'application Released',
    ]);
    expect(server.contactsAndGroupsSubscriptions).to.deep.equal([]);
  });

  it('is shared by all subscribers of a connection', async () => {
    const { ucwa, server, sent } = connected();
    const one = record(myContactsAndGroups(ucwa));
    const two = record(myContactsAndGroups(ucwa));
    one.subscription.unsubscribe();
    server.emit(group);
    expect(two.values).to.deep.equal(['added group']);
    expect(own(sent())).to.deep.equal([START]);
    await ucwa.close();
    expect(own(sent())).to.deep.equal([START, STOP]);
  });

  it('does not start before the last stop has completed', () => {
    const { ucwa, server, sent } = connected({ latencyMs: 20 });
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      const one = record(myContactsAndGroups(ucwa));
      timer(200).subscribe(() => {
        one.subscription.unsubscribe();
        const two = record(myContactsAndGroups(ucwa));
        timer(200).subscribe(() => {
          expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
          two.subscription.unsubscribe();
          holding.unsubscribe();
        });
      });
    });
    expect(own(sent())).to.deep.equal([START, STOP, START, STOP]);
  });

  it('is refreshed before it expires and when the server announces the expiry', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const one = record(myContactsAndGroups(ucwa));
      timer(10 * MINUTE).subscribe(() => server.emit(expiring));
      timer(70 * MINUTE).subscribe(() => {
        expect(one.values).to.deep.equal(['updated myContactsAndGroupsSubscription']);
        expect(own(sent())).to.deep.equal([START, START, START, START]);
        expect(server.contactsAndGroupsSubscriptions[0]?.expiresAt).to.equal(90 * MINUTE);
        one.subscription.unsubscribe();
      });
    });
    expect(server.contactsAndGroupsSubscriptions).to.deep.equal([]);
  });

  it('stops and starts again after a loss of state', async () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const one = record(myContactsAndGroups(ucwa));
      server.reset('resume');
      timer(MINUTE).subscribe(() => {
        expect(own(sent())).to.deep.equal([START, STOP, START]);
        expect(one.values).to.deep.equal(['gap resume']);
        expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
        one.subscription.unsubscribe();
      });
    });
    expect(server.contactsAndGroupsSubscriptions).to.deep.equal([]);
    await ucwa.drain();
  });

  it('is stopped when its subscriber leaves at an older loss of state', () => {
    const { ucwa, server, outcomeLines } = connected({ latencyMs: 30 });
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      myContactsAndGroups(ucwa).pipe(take(1)).subscribe();
      // After the application, and before the subscription.
      timer(20).subscribe(() => server.reset('resume'));
      timer(MINUTE).subscribe(() => {
        expect(server.contactsAndGroupsSubscriptions).to.deep.equal([]);
        holding.unsubscribe();
      });
    });
    expect(outcomeLines()).to.deep.equal([
      'myContactsAndGroupsSubscription Released',
      'application Released',
    ]);
  });

  it('starts again on an application that is re-created', async () => {
    const { ucwa, server } = connected();
    const one = record(myContactsAndGroups(ucwa));
    server.endApplications();
    expect(one.values).to.deep.equal(['gap application']);
    expect(server.contactsAndGroupsSubscriptions.map(({ applicationId }) => applicationId)).to.deep.equal([
      '102',
    ]);
    await ucwa.close();
    expect(server.contactsAndGroupsSubscriptions).to.deep.equal([]);
  });

  it('errors if it is refused, and starts for the next subscriber', async () => {
    const { ucwa, server } = connected();
    server.failNext(1, { status: 403 }, ({ url }) => url.includes('startOrRefresh'));
    expect(record(myContactsAndGroups(ucwa)).error).to.be.instanceOf(HttpError);
    expect(record(myContactsAndGroups(ucwa)).error).to.equal(undefined);
    expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
    await ucwa.close();
  });

  it('throws for a value that is no connection', () => {
    expect(() => myContactsAndGroups({} as never)).to.throw(
      TypeError,
      'ucwa must be what connectUcwa() returned',
    );
  });
});
