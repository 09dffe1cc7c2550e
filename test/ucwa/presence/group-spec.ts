import { expect } from 'chai';
import { timer } from 'rxjs';
import { DecodeError } from '../../../lib/core/errors.ts';
import { groupPresence, type GroupSelection } from '../../../lib/ucwa/presence/group.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import type { LifetimeOptions } from '../../../lib/ucwa/subscription/options.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const groups = { Friends: ['sip:eve@contoso.com'], Family: [SARA] };
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];
const busy = { availability: 'Busy' };
const MINUTE = 60_000;

describe('groupPresence', () => {
  for (const contactHrefs of ['address', 'opaque'] as const) {
    it(`emits the events of members of the group only: hrefs with ${contactHrefs}`, async () => {
      const { ucwa, server, sent, outcomeLines } = connected({ groups, contactHrefs });
      const one = record(groupPresence(ucwa, { name: 'Family' }));
      const two = record(presence(ucwa, { uris: [BOB] }));
      server.setPresence(SARA, busy);
      server.setPresence(BOB, busy);
      expect(one.values).to.deep.equal([...CREATED, 'updated contactPresence']);
      expect(two.values).to.deep.equal([...CREATED, 'updated contactPresence']);
      expect(
        sent()
          .filter((line) => line.includes('97b6bd66'))
          .map((line) => line.split(' ')[0]),
      ).to.deep.equal(['GET']);
      one.subscription.unsubscribe();
      await ucwa.close();
      expect(server.applications).to.deep.equal([]);
      expect(outcomeLines()[0]).to.match(/^presenceSubscription Released/);
    });
  }

  it('sends an empty POST with the duration in its query', async () => {
    const { ucwa, server } = connected({ groups });
    record(groupPresence(ucwa, { id: '2', name: 'another name' }, { durationMinutes: 20 }));
    const request = server.requests.find(({ path }) => path.includes('subscribeToGroupPresence'));
    expect(request).to.include({
      method: 'POST',
      path: '/ucwa/oauth/v1/applications/101/groups/2/subscribeToGroupPresence?groupId=Family&duration=20',
      body: undefined,
    });
    await ucwa.close();
  });

  it('is extended', () => {
    const { ucwa, server } = connected({ groups });
    inVirtualTime(() => {
      const one = record(groupPresence(ucwa, { name: 'Family' }));
      timer(120 * MINUTE).subscribe(() => {
        expect(one.values).to.deep.equal(CREATED);
        one.subscription.unsubscribe();
      });
    });
    expect(server.requests.filter(({ path }) => path.includes('?duration=30'))).to.have.length(4);
    expect(server.applications).to.deep.equal([]);
  });

  it('is re-created on a new application with its hrefs', async () => {
    const { ucwa, server, sent } = connected({ groups });
    const one = record(groupPresence(ucwa, { name: 'Family' }));
    server.endApplications();
    server.setPresence(SARA, busy);
    expect(one.values).to.deep.equal([...CREATED, 'gap application', ...CREATED, 'updated contactPresence']);
    expect(sent().filter((line) => line.includes('102/groups'))).to.have.length(2);
    await ucwa.close();
  });

  it('is shared with graceSeconds', async () => {
    const { ucwa, server } = connected({ groups });
    const watching = groupPresence(ucwa, { name: 'Family' }, { graceSeconds: 1 });
    record(watching);
    record(watching);
    expect(server.presenceSubscriptions).to.have.length(1);
    await ucwa.close();
  });

  it('errors for an unknown group and leaves the server clean', async () => {
    const { ucwa, server } = connected({ groups });
    const one = record(groupPresence(ucwa, { name: 'Work' }));
    expect(one.error).to.be.instanceOf(DecodeError);
    expect((one.error as Error).message).to.contain('there is 2 other groups');
    await ucwa.drain();
    expect(server.applications).to.deep.equal([]);
  });

  it('errors if the group has no link, or there are no groups', async () => {
    for (const body of ['{"_embedded":{"group":{"rel":"group","name":"Family"}}}', '{}']) {
      const { ucwa, server } = connected({ groups });
      const headers = { 'content-type': 'application/json' };
      server.failNext(1, { status: 200, headers, body }, ({ url }) => url.endsWith('/groups'));
      expect(record(groupPresence(ucwa, { name: 'Family' })).error).to.be.instanceOf(DecodeError);
      await ucwa.drain();
    }
  });

  it('throws for a value that selects no group', () => {
    const { ucwa, sent } = connected();
    for (const group of [{}, { id: '' }, { name: 7 }] as GroupSelection[]) {
      expect(() => groupPresence(ucwa, group)).to.throw(
        TypeError,
        'group must be a group with an id or a name',
      );
    }
    const nothing = undefined as unknown as GroupSelection;
    expect(() => groupPresence(ucwa, nothing)).to.throw(TypeError, 'group must be an object');
    expect(() => groupPresence(ucwa, { name: 'a' }, null as unknown as LifetimeOptions)).to.throw(
      TypeError,
      'options must be an object',
    );
    expect(() => groupPresence(ucwa, { name: 'a' }, { durationMinutes: 5 })).to.throw(
      TypeError,
      'durationMinutes',
    );
    expect(sent()).to.deep.equal([]);
  });
});
