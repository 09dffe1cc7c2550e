import { expect } from 'chai';
import { concat, ignoreElements, NEVER, of, take, throwError, timer } from 'rxjs';
import type { CheckpointStore, Json } from '../../../lib/core/checkpoint/checkpoint.ts';
import { CheckpointError } from '../../../lib/node/durableFile.ts';
import { memoryCheckpoints } from '../../../lib/core/checkpoint/memoryStore.ts';
import { DecodeError, HttpError, OriginError } from '../../../lib/core/errors.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import type { UcwaOptions } from '../../../lib/ucwa/options.ts';
import { myContactsAndGroups } from '../../../lib/ucwa/presence/contactList.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import type { EventBatch } from '../../../lib/ucwa/protocol/cursor.ts';
import type { UcwaEvent } from '../../../lib/ucwa/protocol/events.ts';
import { slowStore } from '../../support/resource/slowStore.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { record } from '../connected.ts';
import { KEY, life, type Saved, savedIn } from '../lives.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { existingApplication } from '../../../lib/ucwa/discovery/server.ts';
import { batching } from '../../../lib/ucwa/batch/batched.ts';
import { checkpointed } from '../../../lib/ucwa/application/checkpointed.ts';

const SARA = 'sip:sara@contoso.com';
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];
const ROOT = '/ucwa/oauth/v1/applications';
const PROCESSED = { channel: { ack: 'processed' } } as const;
const IDENTITY = { culture: 'en-us', endpointId: 'mine', userAgent: 'rxchange' };

/** Returns the store of a process that was killed. */
function leftBehind(saved: Saved): CheckpointStore {
  const store = memoryCheckpoints();
  store.save(KEY, saved as unknown as Json).subscribe();
  return store;
}

/** The requests since then, in short: method, path below the application, status. */
function sent(server: UcwaSimulator, since = 0): string[] {
  return server.requests
    .slice(since)
    .map(
      ({ method, path, status }) =>
        `${method} ${path === ROOT ? 'applications' : path.replace(`${ROOT}/`, '').replace('people/', '').replace('presenceSubscriptions', 'subscriptions')} ${status ?? '-'}`,
    );
}

const note = (number: number): Parameters<UcwaSimulator['emit']>[0] => ({
  type: 'updated',
  link: { rel: 'note', href: `/note/${number}` },
});
const simulated = (): UcwaSimulator => ucwaSimulator({ mediumSeconds: 0 });

describe('A connection with a checkpoint', () => {
  it('stores its application, subscriptions and cursor while they exist', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const { ucwa, recorded } = life(server, store, PROCESSED);
    const one = record(presence(ucwa, { uris: [SARA] }));
    record(ucwa.events$);
    const { application, next, held } = savedIn(store)!;
    expect(application?.self).to.equal(`${server.url}/101`);
    expect(application?.identity).to.include({ culture: 'en-us', userAgent: 'rxchange' });
    expect(next).to.equal(`${server.url}/101/events?ack=2`);
    const [subscription] = server.presenceSubscriptions;
    expect(held).to.deep.equal([
      { resource: 'application', id: `${server.url}/101` },
      { resource: 'presenceSubscription', id: new URL(subscription!.href, server.url).href },
    ]);
    one.subscription.unsubscribe();
    expect(savedIn(store)!.held).to.deep.equal([{ resource: 'application', id: `${server.url}/101` }]);
    await ucwa.close();
    expect(recorded()).to.deep.equal(['presenceSubscription Released', 'application Released']);
    expect(savedIn(store), 'after a clean end').to.equal(undefined);
  });

  it('stores no secrets', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const { ucwa } = life(server, store, { ...PROCESSED, auth: bearer('hush') });
    record(presence(ucwa, { uris: [SARA] }));
    expect(JSON.stringify(savedIn(store))).not.to.contain('hush');
  });

  it('saves the creation before the request is sent', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const whenAsked: (readonly [string, Saved | undefined])[] = [];
    const { ucwa } = life(server, store, {
      transport: (request) => {
        if (request.method === 'POST') whenAsked.push([request.body ?? '', savedIn(store)]);
        return server.transport(request);
      },
    });
    record(presence(ucwa, { uris: [SARA] }));
    const [application, subscription] = whenAsked;
    expect(application?.[1]).to.deep.equal({
      application: { identity: JSON.parse(application![0]) as unknown },
      held: [{ resource: 'application' }],
    });
    expect(subscription?.[1]?.held).to.deep.include({ resource: 'presenceSubscription' });
  });

  it('removes a creation from the store when the server refuses it', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const { ucwa } = life(server, store);
    record(ucwa.events$);
    server.failNext(1, { status: 403 }, ({ url }) => url.endsWith('presenceSubscriptions'));
    expect(record(presence(ucwa, { uris: [SARA] })).error).to.be.instanceOf(HttpError);
    expect(savedIn(store)!.held.map(({ resource }) => resource)).to.deep.equal(['application']);
  });

  it('acknowledges a batch after its processing is saved', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    inVirtualTime(() => {
      const { ucwa } = life(server, slowStore(store), PROCESSED);
      const seen: number[] = [];
      ucwa.events$.subscribe(() => seen.push(server.requests.length));
      timer(1000).subscribe(() => server.emit(note(1)));
      timer(1050).subscribe(() => {
        expect(seen).to.have.length(1);
        expect(sent(server).at(-1), 'not before it is saved').to.equal('GET 101/events?ack=1 200');
      });
      timer(1150).subscribe(() => {
        expect(sent(server).at(-1)).to.equal('GET 101/events?ack=2 -');
        void ucwa.close();
      });
    });
    expect(savedIn(store)).to.equal(undefined);
  });

  it('waits for the save although the channel is re-subscribed meanwhile', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    inVirtualTime(() => {
      const { ucwa } = life(server, slowStore(store), PROCESSED);
      const holding = ucwa.application$.subscribe();
      const events: UcwaEvent[] = [];
      const first = ucwa.events$.subscribe((event) => events.push(event));
      timer(1000).subscribe(() => server.emit(note(1)));
      timer(1050).subscribe(() => {
        first.unsubscribe();
        ucwa.events$.subscribe((event) => events.push(event));
        expect(sent(server).at(-1)).to.equal('GET 101/events?ack=1 200');
      });
      timer(1150).subscribe(() => {
        expect(sent(server).at(-1)).to.equal('GET 101/events?ack=2 -');
        expect(events, 'once').to.have.length(1);
        holding.unsubscribe();
        void ucwa.close();
      });
    });
  });

  it('saves no cursor if batches are acknowledged before processing', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const { ucwa } = life(server, store);
    record(ucwa.events$);
    server.emit(note(1));
    expect(savedIn(store)).not.to.have.property('next');
  });

  it('refuses a second connection with its key at the same time only', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const checkpoint = checkpointed(store, KEY);
    const one = life(server, store, { checkpoint });
    const two = life(server, store, { checkpoint });
    record(one.ucwa.events$);
    const before = server.requests.length;
    const refused = record(two.ucwa.events$);
    expect(refused.error)
      .to.be.instanceOf(TypeError)
      .and.have.property('message')
      .that.includes('checkpoint.key');
    expect(server.requests.length).to.equal(before);
    await one.ucwa.close();
    expect(record(two.ucwa.events$).error).to.equal(undefined);
    await two.ucwa.close();
    expect(server.applications).to.deep.equal([]);
  });

  it('starts again in the same process while the old entry is removed', () => {
    const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 20 });
    const store = memoryCheckpoints();
    const { ucwa, recorded } = life(server, store, PROCESSED);
    inVirtualTime(() => {
      const first = record(presence(ucwa, { uris: [SARA] }));
      timer(1000).subscribe(() => {
        first.subscription.unsubscribe();
        const again = record(presence(ucwa, { uris: [SARA] }));
        const later = record(ucwa.events$);
        timer(1000).subscribe(() => {
          expect([...again.values, ...later.values].filter((value) => value.startsWith('gap'))).to.deep.equal(
            [],
          );
          void ucwa.close();
        });
      });
    });
    expect(recorded().filter((line) => !line.endsWith(' Released'))).to.deep.equal([]);
    expect(server.applications).to.deep.equal([]);
    expect(savedIn(store)).to.equal(undefined);
  });

  it('drains only after the end is saved', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const { ucwa } = life(server, slowStore(store, 5));
    const events = record(ucwa.events$);
    await new Promise((resolve) => setTimeout(resolve, 50));
    events.subscription.unsubscribe();
    expect(savedIn(store)).not.to.equal(undefined);
    await ucwa.drain();
    expect(savedIn(store)).to.equal(undefined);
  });
});

describe('The connection of the next process', () => {
  /** Runs a process that watches Sara and is killed after one more event; returns its events. */
  const killedWatching = (
    server: UcwaSimulator,
    store: CheckpointStore,
    options: Partial<UcwaOptions> = PROCESSED,
  ): EventBatch[] => {
    const before = life(server, store, options);
    const batches: EventBatch[] = [];
    before.ucwa.batches$.subscribe((batch) => batches.push(batch));
    record(presence(before.ucwa, { uris: [SARA] }));
    server.emit(note(1));
    before.kill();
    return batches;
  };

  it('resumes the application after the last processed event and removes orphans', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const before = killedWatching(server, store);
    const [stale] = server.presenceSubscriptions;
    // No process runs now.
    server.emit(note(2));
    const since = server.requests.length;
    const { ucwa, outcomes } = life(server, store, PROCESSED);
    const batches: EventBatch[] = [];
    ucwa.batches$.subscribe((batch) => batches.push(batch));
    const watching = record(presence(ucwa, { uris: [SARA] }));
    server.emit(note(3));
    expect(sent(server, since).slice(0, 3)).to.deep.equal([
      'POST applications 200',
      `DELETE 101/subscriptions/${stale!.id} 204`,
      `GET 101/events?${new URL(before.at(-1)!.next, server.url).search.slice(1)} 200`,
    ]);
    const hrefs = batches.flatMap(({ events }) => events.map(({ link }) => link.href));
    expect(hrefs.filter((href) => href.startsWith('/note/'))).to.deep.equal(['/note/2', '/note/3']);
    expect(watching.values).to.include.members(CREATED);
    expect([
      ...watching.values,
      ...batches.flatMap(({ events }) => events.map(({ type }) => type)),
    ]).not.to.include('gap');
    expect(server.presenceSubscriptions).to.have.length(1);
    expect(outcomes).to.have.length(1);
    expect(outcomes[0]).to.include({
      outcome: 'Released',
      resource: 'presenceSubscription',
      id: new URL(stale!.href, server.url).href,
    });
    await ucwa.close();
    // An earlier process created it, and it is deleted all the same.
    expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
    expect(savedIn(store)).to.equal(undefined);
  });

  it('receives an unsaved batch again, recognizable by its links', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const before = life(server, store, PROCESSED);
    const first: EventBatch[] = [];
    before.ucwa.batches$.subscribe((batch) => {
      first.push(batch);
      if (first.length === 2) before.kill();
    });
    server.emit(note(1));
    server.emit(note(2));
    server.emit(note(3));
    const { ucwa } = life(server, store, PROCESSED);
    const second: EventBatch[] = [];
    ucwa.batches$.subscribe((batch) => second.push(batch));
    expect(second[0]).to.deep.equal(first[1]);
    expect(second.slice(1).flatMap(({ events }) => events.map(({ link }) => link.href))).to.deep.equal([
      '/note/3',
    ]);
    expect(new Set([...first, ...second].map(({ next }) => next)).size).to.equal(3);
  });

  it('receives events that the killed process had not processed', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const before = life(server, store, PROCESSED);
    before.ucwa.events$.pipe(take(1)).subscribe(() => before.kill());
    server.emit(note(1));
    const { ucwa } = life(server, store, PROCESSED);
    const events: UcwaEvent[] = [];
    ucwa.events$.subscribe((event) => events.push(event));
    expect(events.map(({ link }) => link.href)).to.deep.equal(['/note/1']);
  });

  it('emits a reset first if the application is gone', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    killedWatching(server, store);
    server.restart();
    const since = server.requests.length;
    const { ucwa, recorded } = life(server, store, PROCESSED);
    const batches: EventBatch[] = [];
    ucwa.batches$.subscribe((batch) => batches.push(batch));
    const watching = record(presence(ucwa, { uris: [SARA] }));
    expect(sent(server, since)[0]).to.equal('POST applications 201');
    expect(batches[0]).to.deep.equal({
      next: `${server.url}/102/events?ack=1`,
      gap: 'recreated',
      events: [
        {
          type: 'gap',
          reason: 'recreated',
          link: { rel: 'application', href: `${server.url}/102` },
          sender: { rel: 'application', href: `${server.url}/102` },
        },
      ],
    });
    expect(watching.values, 'the first to listen was another').to.deep.equal(CREATED);
    expect(recorded()).to.deep.equal(['application AlreadyGone', 'presenceSubscription AlreadyGone']);
    await ucwa.close();
    expect(savedIn(store)).to.equal(undefined);
  });

  it('emits the reset to a presence stream that subscribes first', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    killedWatching(server, store);
    server.restart();
    const { ucwa } = life(server, store, PROCESSED);
    expect(record(presence(ucwa, { uris: [SARA] })).values).to.deep.equal(['gap application', ...CREATED]);
  });

  it('emits the reset again if it was not processed', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    killedWatching(server, store);
    server.restart();
    const dying = life(server, store, PROCESSED);
    dying.ucwa.events$.subscribe(() => dying.kill());
    expect(savedIn(store)!.application?.self).to.equal(`${server.url}/102`);
    const { ucwa } = life(server, store, PROCESSED);
    expect(record(ucwa.events$).values).to.deep.equal(['gap resync']);
    const once = record(ucwa.events$);
    server.emit(note(1));
    expect(once.values, 'once').to.deep.equal(['updated note']);
  });

  it('emits a reset first if batches are acknowledged before processing', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    killedWatching(server, store, {});
    const since = server.requests.length;
    const { ucwa, recorded } = life(server, store);
    const events: UcwaEvent[] = [];
    ucwa.events$.subscribe((event) => events.push(event));
    expect(sent(server, since)[0], 'the same application').to.equal('POST applications 200');
    expect(events[0]).to.include({ type: 'gap', reason: 'resync' });
    expect(events.filter(({ type }) => type === 'gap')).to.have.length(1);
    expect(recorded()).to.deep.equal(['presenceSubscription Released']);
    await ucwa.close();
    expect(savedIn(store)).to.equal(undefined);
  });

  it('emits no reset if the killed process had no application', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const before = life(server, store, {
      ...PROCESSED,
      transport: (request) =>
        server.transport(request).pipe(ignoreElements(), (answer$) => concat(answer$, NEVER)),
    });
    before.ucwa.events$.subscribe();
    before.kill();
    expect(savedIn(store)!.held).to.deep.equal([{ resource: 'application' }]);
    const { ucwa, recorded } = life(server, store, PROCESSED);
    const events = record(ucwa.events$);
    expect(sent(server), 'found again').to.include('POST applications 200');
    expect([events.values, recorded()]).to.deep.equal([[], []]);
    expect(savedIn(store)!.held).to.deep.equal([{ resource: 'application', id: `${server.url}/101` }]);
  });

  it('reports a subscription whose creation was pending at the kill', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const before = life(server, store, {
      ...PROCESSED,
      transport: (request) => {
        const answer$ = server.transport(request);
        return request.url.endsWith('presenceSubscriptions')
          ? concat(answer$.pipe(ignoreElements()), NEVER)
          : answer$;
      },
    });
    record(presence(before.ucwa, { uris: [SARA] }));
    before.kill();
    const { outcomes, ucwa } = life(server, store, PROCESSED);
    record(ucwa.events$);
    expect(outcomes).to.have.length(1);
    expect(outcomes[0]).to.include({ outcome: 'Unknown', resource: 'presenceSubscription', id: undefined });
    expect(outcomes[0]).to.have.property('hint').that.includes('30 minutes');
    expect(
      savedIn(store)!.held.map(({ resource }) => resource),
      'told once',
    ).to.deep.equal(['application']);
  });

  it('deletes the previous application if its options differ', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    killedWatching(server, store, { ...PROCESSED, endpointId: 'one' });
    const { ucwa, recorded } = life(server, store, { ...PROCESSED, endpointId: 'other' });
    expect(record(ucwa.events$).values).to.deep.equal(['gap application']);
    expect(server.applications.map(({ id }) => id)).to.deep.equal(['102']);
    expect(recorded().sort()).to.deep.equal(['application Released', 'presenceSubscription AlreadyGone']);
    await ucwa.close();
    expect(server.applications).to.deep.equal([]);
  });

  it('reports a previous application with other options whose creation was pending', () => {
    const server = simulated();
    const store = leftBehind({ application: { identity: IDENTITY }, held: [{ resource: 'application' }] });
    const { ucwa, outcomes } = life(server, store, { endpointId: 'other' });
    expect(record(ucwa.events$).values).to.deep.equal(['gap application']);
    expect(outcomes).to.have.length(1);
    expect(outcomes[0]).to.include({ outcome: 'Unknown', resource: 'application' });
    expect(outcomes[0]).to.have.property('hint').that.includes('15 minutes');
  });

  for (const [ack, isThere, resets] of [
    ['eager', true, ['gap resync']],
    ['processed', true, []],
    // It may have existed and ended.
    ['processed', false, ['gap resync']],
  ] as const) {
    it(`reports possible loss after a pending creation: ${ack}, ${isThere ? 'found again' : 'new'}`, () => {
      const server = simulated();
      const store = leftBehind({ application: { identity: IDENTITY }, held: [{ resource: 'application' }] });
      const options: Partial<UcwaOptions> = { channel: { ack } };
      if (isThere) record(life(server, leftBehind(savedIn(store)!), options).ucwa.events$);
      const { ucwa, outcomes } = life(server, store, options);
      expect(record(ucwa.events$).values).to.deep.equal(resets);
      expect(outcomes).to.deep.equal([]);
    });
  }

  for (const [what, other] of [
    ['culture', { culture: 'de-de' }],
    ['userAgent', { userAgent: 'other' }],
    ['instanceId', { instanceId: 'other' }],
  ] as const) {
    it(`does not resume an application with another ${what}`, () => {
      const server = simulated();
      const store = memoryCheckpoints();
      killedWatching(server, store);
      const { ucwa } = life(server, store, { ...PROCESSED, ...other });
      record(ucwa.events$);
      expect(server.applications.map(({ id }) => id)).to.deep.equal(['102']);
    });
  }

  it('continues with the instance id that the previous process changed to', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const rejoining: Partial<UcwaOptions> = { channel: { ack: 'processed', onPGetReplaced: 'newInstance' } };
    const before = life(server, store, rejoining);
    record(before.ucwa.events$);
    connectUcwa({
      server: existingApplication(`${server.url}/101`),
      auth: bearer('token'),
      transport: server.transport,
    }).events$.subscribe();
    expect(savedIn(store)!.application?.self).to.equal(`${server.url}/102`);
    before.kill();
    const since = server.requests.length;
    const { ucwa } = life(server, store, rejoining);
    const events = record(ucwa.events$);
    expect(sent(server, since)[0]).to.equal('POST applications 200');
    expect(savedIn(store)!.application?.self).to.equal(`${server.url}/102`);
    expect(events.values).to.deep.equal([]);
  });

  it('stores the application that replaces a lost one', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const before = life(server, store, PROCESSED);
    record(before.ucwa.events$);
    server.endApplications();
    server.emit(note(1));
    expect(savedIn(store)).to.deep.include({ next: `${server.url}/102/events?ack=2` });
    expect(savedIn(store)!.held).to.deep.equal([{ resource: 'application', id: `${server.url}/102` }]);
    before.kill();
    const { ucwa } = life(server, store, PROCESSED);
    const events = record(ucwa.events$);
    server.emit(note(2));
    expect(events.values).to.deep.equal(['updated note']);
  });

  it('retries the releases that failed at the end', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const before = life(server, store, PROCESSED);
    const watching = record(presence(before.ucwa, { uris: [SARA] }));
    record(before.ucwa.events$);
    server.failNext(1, { status: 403 }, ({ method }) => method === 'DELETE');
    watching.subscription.unsubscribe();
    expect(before.recorded()).to.deep.equal(['presenceSubscription Failed']);
    before.kill();
    const { ucwa, recorded } = life(server, store, PROCESSED);
    record(ucwa.events$);
    expect(recorded()).to.deep.equal(['presenceSubscription Released']);
    await ucwa.close();
  });

  it('releases orphans in one batch if the server supports batches', () => {
    const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 20 });
    const store = memoryCheckpoints();
    inVirtualTime(() => {
      const before = life(server, store, PROCESSED);
      for (const name of ['sara', 'bob', 'eve'])
        record(presence(before.ucwa, { uris: [`sip:${name}@contoso.com`] }));
      timer(1000).subscribe(() => before.kill());
      timer(2000).subscribe(() => {
        const since = server.requests.length;
        const { ucwa, recorded } = life(server, store, { ...PROCESSED, batch: batching() });
        record(ucwa.events$);
        timer(1000).subscribe(() => {
          expect(recorded()).to.deep.equal(Array.from({ length: 3 }, () => 'presenceSubscription Released'));
          const removing = sent(server, since).filter((line) => !line.includes('events'));
          expect(removing.map((line) => line.replace(/subscriptions.*(?= )/, '…'))).to.deep.equal([
            'POST applications 200',
            'DELETE 101/… 204',
            'POST 101/batch 200',
          ]);
          void ucwa.close();
        });
      });
    });
  });

  describe('and the subscription to contacts and groups', () => {
    const leftWatching = (server: UcwaSimulator, store: CheckpointStore): void => {
      const before = life(server, store, PROCESSED);
      record(myContactsAndGroups(before.ucwa));
      before.kill();
      expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
      expect(savedIn(store)!.held[1]).to.have.property('removedAt').that.includes('stopSubscription');
    };
    const isOfContacts = (line: string): boolean => line.includes('myContactsAndGroups');

    it('stops it', () => {
      const server = simulated();
      const store = memoryCheckpoints();
      leftWatching(server, store);
      const { ucwa, recorded } = life(server, store, PROCESSED);
      record(ucwa.events$);
      expect(server.contactsAndGroupsSubscriptions).to.deep.equal([]);
      expect(recorded()).to.deep.equal(['myContactsAndGroupsSubscription Released']);
    });

    it('continues it without a stop if it is subscribed to again', async () => {
      const server = simulated();
      const store = memoryCheckpoints();
      leftWatching(server, store);
      const { ucwa, recorded } = life(server, store, PROCESSED);
      const since = server.requests.length;
      record(myContactsAndGroups(ucwa));
      expect(
        sent(server, since)
          .filter(isOfContacts)
          .map((line) => line.split('/').at(-1)),
      ).to.deep.equal([
        'myContactsAndGroupsSubscription 200',
        'startOrRefreshSubscriptionToContactsAndGroups?duration=30 201',
      ]);
      expect(savedIn(store)!.held).to.have.length(2);
      await ucwa.close();
      expect(recorded()).to.deep.equal(['myContactsAndGroupsSubscription Released', 'application Released']);
      expect(savedIn(store)).to.equal(undefined);
    });

    it('does not start it before its stop has finished', () => {
      const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 20 });
      const store = memoryCheckpoints();
      inVirtualTime(() => {
        const before = life(server, store, PROCESSED);
        record(myContactsAndGroups(before.ucwa));
        timer(500).subscribe(() => before.kill());
        timer(1000).subscribe(() => {
          const since = server.requests.length;
          const { ucwa } = life(server, store, PROCESSED);
          record(ucwa.events$);
          timer(25).subscribe(() => record(myContactsAndGroups(ucwa)));
          timer(500).subscribe(() => {
            const lines = server.requests.slice(since).filter(({ path }) => isOfContacts(path));
            expect(lines.map(({ path }) => path.split('/').at(-1)?.replace(/\?.*/, ''))).to.deep.equal([
              'stopSubscriptionToContactsAndGroups',
              'myContactsAndGroupsSubscription',
              'startOrRefreshSubscriptionToContactsAndGroups',
            ]);
            expect(lines[1]!.time - lines[0]!.time).to.be.at.least(20);
            expect(server.contactsAndGroupsSubscriptions).to.have.length(1);
            void ucwa.close();
          });
        });
      });
    });
  });

  describe('and hrefs in the store that lead elsewhere', () => {
    for (const href of [
      'https://evil.example/applications/101',
      'javascript:alert(1)',
      '/applications/7',
      'http://',
    ]) {
      it(`are reported and not followed: ${href}`, () => {
        const server = simulated();
        const store = leftBehind({
          application: { identity: IDENTITY },
          held: [
            { resource: 'presenceSubscription', id: href },
            { resource: 'myContactsAndGroupsSubscription', id: `${server.url}/101/x`, removedAt: href },
            { resource: 'application', id: href },
          ],
        });
        const asked = new Set<string>();
        const { ucwa, outcomes } = life(server, store, {
          auth: bearer((origin) => {
            asked.add(origin);
            return of('token');
          }),
        });
        record(ucwa.events$);
        expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Failed', 'Failed', 'Failed']);
        for (const outcome of outcomes)
          expect(outcome).to.have.property('cause').that.is.instanceOf(OriginError);
        expect(sent(server)).to.deep.equal(['POST applications 201', 'GET 101/events?ack=1 -']);
        expect([...asked], 'no token for it').to.deep.equal(['https://ucwa.example']);
        expect(savedIn(store)!.held, 'told once').to.deep.equal([
          { resource: 'application', id: `${server.url}/101` },
        ]);
      });
    }

    for (const next of ['https://evil.example/events?ack=2', 'http://', '/events?ack=2']) {
      it(`cause a reset instead of resuming the channel there: ${next}`, () => {
        const server = simulated();
        const store = memoryCheckpoints();
        killedWatching(server, store);
        store.save(KEY, { ...savedIn(store), next }).subscribe();
        const since = server.requests.length;
        const { ucwa } = life(server, store, PROCESSED);
        const events = record(ucwa.events$);
        expect(events.values[0]).to.equal('gap resync');
        expect(events.error).to.equal(undefined);
        expect(sent(server, since).every((line) => !line.includes('evil'))).to.equal(true);
      });
    }
  });

  it('receives a reset from the server if the cursor is outdated', () => {
    const server = simulated();
    const store = memoryCheckpoints();
    killedWatching(server, store);
    store.save(KEY, { ...savedIn(store), next: `${server.url}/101/events?ack=77` }).subscribe();
    const { ucwa } = life(server, store, PROCESSED);
    const events = record(ucwa.events$);
    expect(events.values[0]).to.equal('gap resync');
    server.emit(note(9));
    expect(events.values.at(-1)).to.equal('updated note');
  });
});

describe('A store that fails', () => {
  const full = new CheckpointError('unwritable', '/checkpoints');
  const failing: readonly (readonly [string, Partial<CheckpointStore>])[] = [
    ['when it is loaded', { load: () => throwError(() => full) }],
    ['when it saves', { save: () => throwError(() => full) }],
  ];
  for (const [when, broken] of failing) {
    it(`ends the streams of a connection without a request: ${when}`, () => {
      const server = simulated();
      const { ucwa } = life(server, { ...memoryCheckpoints(), ...broken }, PROCESSED);
      const streams = [record(ucwa.events$), record(presence(ucwa, { uris: [SARA] }))];
      expect(streams.map(({ error }) => error)).to.deep.equal([full, full]);
      expect(server.requests).to.deep.equal([]);
    });
  }

  it('ends the streams and releases everything when a cursor save fails', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    let isFull = false;
    const filling = {
      ...store,
      save: (key: string, value: Json) => (isFull ? throwError(() => full) : store.save(key, value)),
    };
    const { ucwa } = life(server, filling, PROCESSED);
    const one = record(presence(ucwa, { uris: [SARA] }));
    const all = record(ucwa.events$);
    isFull = true;
    server.emit(note(1));
    expect(all.values.at(-1), 'processed').to.equal('updated note');
    expect([one.error, all.error]).to.deep.equal([full, full]);
    const { clean } = await ucwa.drain();
    expect(clean).to.equal(true);
    expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
    expect(
      sent(server)
        .filter((line) => line.includes('events'))
        .at(-1),
      'not acknowledged',
    ).to.match(/200$/);
  });

  it('ends a presence stream and releases its subscription when the save fails', async () => {
    const server = simulated();
    const store = memoryCheckpoints();
    const filling = {
      ...store,
      save: (key: string, value: Json) =>
        JSON.stringify(value).includes('presenceSubscriptions/')
          ? throwError(() => full)
          : store.save(key, value),
    };
    const { ucwa } = life(server, filling);
    record(ucwa.events$);
    expect(record(presence(ucwa, { uris: [SARA] })).error).to.equal(full);
    await ucwa.close();
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('ends the streams if the loaded value is no checkpoint', () => {
    const server = simulated();
    for (const saved of ['something else', { held: [], application: {} }]) {
      const { ucwa } = life(server, { ...memoryCheckpoints(), load: () => of(saved) }, PROCESSED);
      expect(record(ucwa.events$).error).to.be.instanceOf(DecodeError);
    }
    expect(server.requests).to.deep.equal([]);
  });
});

describe('connectUcwa, with a checkpoint that cannot be used', () => {
  const invalid: readonly (readonly [object, string])[] = [
    [
      { checkpoint: KEY },
      "checkpoint must be checkpointed(store, key) from 'rxchange/ucwa', but it is a string",
    ],
    [{ checkpoint: { store: memoryCheckpoints(), key: KEY } }, 'checkpoint must be checkpointed(store, key)'],
    [
      {
        server: existingApplication('https://ucwa.example/applications/101'),
        checkpoint: checkpointed(memoryCheckpoints(), KEY),
      },
      'checkpoint must be left out with existingApplication(…)',
    ],
  ];
  for (const [options, message] of invalid) {
    it(`throws: ${message}`, () => {
      const given = { server: 'https://ucwa.example/applications', ...options } as UcwaOptions;
      expect(() => connectUcwa(given)).to.throw(TypeError, message);
    });
  }
});
