import { expect } from 'chai';
import { timer } from 'rxjs';
import { HttpError, NetworkError } from '../../lib/core/errors.ts';
import type { HttpRequest } from '../../lib/core/transport/transport.ts';
import type { Fault } from '../../lib/testing/faults.ts';
import { presence, type PresenceOptions } from '../../lib/ucwa/presence/presence.ts';
import type { EventBatch } from '../../lib/ucwa/protocol/cursor.ts';
import { EndedError } from '../../lib/ucwa/protocol/errors.ts';
import { gapReasonOf, type UcwaEvent } from '../../lib/ucwa/protocol/events.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { connected, record } from './connected.ts';

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const sara: PresenceOptions = { uris: [SARA] };
const bob: PresenceOptions = { uris: [BOB] };
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];
const busy = { availability: 'Busy' };
const MINUTE = 60_000;

const isApplication = ({ method, url }: HttpRequest): boolean =>
  method === 'POST' && url.endsWith('/applications');
const isCreation = ({ method, url }: HttpRequest): boolean =>
  method === 'POST' && url.endsWith('presenceSubscriptions');
const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');

const json = (status: number, code: string, subcode?: string): Fault => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code, subcode }),
});
const NOT_FOUND = json(404, 'NotFound', 'ApplicationNotFound');

describe('a lost application', () => {
  it('is re-created before its channel and subscriptions, on new hrefs only', async () => {
    const { ucwa, server, sent, outcomeLines } = connected();
    const one = record(presence(ucwa, sara));
    const two = record(presence(ucwa, bob));
    const before = sent().length;
    server.endApplications();
    expect(sent().slice(before - 1)).to.deep.equal([
      'GET 101/events?ack=3 404',
      'POST applications 201',
      'GET 102/events?ack=1 200',
      'POST 102/subscriptions 201',
      'POST 102/subscriptions 201',
      'GET 102/events?ack=2 200',
      'GET 102/events?ack=3 -',
    ]);
    server.setPresence(SARA, busy);
    expect(one.values).to.deep.equal([...CREATED, 'gap application', ...CREATED, 'updated contactPresence']);
    expect(two.values).to.deep.equal([...CREATED, 'gap application', ...CREATED]);
    expect(outcomeLines()).to.deep.equal([
      'application EndedByServer',
      'presenceSubscription EndedByServer',
      'presenceSubscription EndedByServer',
    ]);
    const { clean } = await ucwa.close();
    expect(clean).to.equal(true);
    expect(server.applications).to.deep.equal([]);
    expect(
      sent()
        .slice(before)
        .filter((line) => line.includes('101')),
      'old hrefs',
    ).to.deep.equal([]);
  });

  it('is reported once in all events, at the right position', async () => {
    const { ucwa, server } = connected();
    const batches: EventBatch[] = [];
    ucwa.batches$.subscribe((batch) => batches.push(batch));
    const events: UcwaEvent[] = [];
    const all = record(ucwa.events$, (event) => events.push(event));
    record(presence(ucwa, sara));
    record(presence(ucwa, bob));
    server.endApplications();
    expect(all.values).to.deep.equal([...CREATED, ...CREATED, 'gap application', ...CREATED, ...CREATED]);
    const gap = events.find(({ type }) => type === 'gap')!;
    expect(gap).to.deep.equal({
      type: 'gap',
      reason: 'recreated',
      link: { rel: 'application', href: `${server.url}/102` },
      sender: { rel: 'application', href: `${server.url}/102` },
    });
    expect(gapReasonOf(gap)).to.equal('recreated');
    expect(batches.flatMap((batch) => (batch.gap === undefined ? [] : [batch.next]))).to.deep.equal([
      `${server.url}/102/events?ack=1`,
    ]);
    await ucwa.close();
  });

  it('gets its parameters again', async () => {
    const { ucwa, server, sent } = connected({}, { channel: { lowSeconds: 60, timeoutSeconds: 300 } });
    const all = record(ucwa.events$);
    server.endApplications();
    expect(sent().at(-1)).to.equal('GET 102/events?ack=1&low=60&timeout=300 -');
    expect(all.values).to.deep.equal(['gap application']);
    await ucwa.close();
  });

  it('does not change the order with acknowledgements after processing', async () => {
    const { ucwa, server } = connected({}, { channel: { ack: 'processed' } });
    const one = record(presence(ucwa, sara));
    server.endApplications();
    server.setPresence(SARA, busy);
    expect(one.values).to.deep.equal([...CREATED, 'gap application', ...CREATED, 'updated contactPresence']);
    await ucwa.close();
    expect(server.applications).to.deep.equal([]);
  });

  it('is emitted again to its subscribers', async () => {
    const { ucwa, server } = connected();
    const selves: string[] = [];
    ucwa.application$.subscribe(({ self }) => selves.push(self));
    record(ucwa.events$);
    server.endApplications();
    expect(selves).to.deep.equal([`${server.url}/101`, `${server.url}/102`]);
    await ucwa.close();
  });

  it('is re-created after a restart with latency, without leftovers', () => {
    const { ucwa, server, outcomeLines } = connected({ latencyMs: 20 });
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      const all = record(ucwa.events$);
      timer(1000).subscribe(() => server.restart());
      timer(10_000).subscribe(() => {
        expect(one.values).to.deep.equal([...CREATED, 'gap application', ...CREATED]);
        expect(all.values).to.deep.equal(one.values);
        expect(server.presenceSubscriptions).to.have.length(1);
        one.subscription.unsubscribe();
        all.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
    expect([...outcomeLines()].sort()).to.deep.equal([
      'application EndedByServer',
      'application Released',
      'presenceSubscription EndedByServer',
      'presenceSubscription Released notWatched',
    ]);
  });

  const passing: readonly (readonly [string, Fault])[] = [
    ['no network', 'reset'],
    ['503', { status: 503 }],
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '5' } }],
  ];
  for (const [name, fault] of passing) {
    it(`is awaited as long as necessary: ${name}`, () => {
      const { ucwa, server } = connected();
      inVirtualTime(() => {
        const one = record(presence(ucwa, sara));
        server.failNext(40, fault, isApplication);
        server.endApplications();
        timer(20 * MINUTE).subscribe(() => {
          expect(one.error).to.equal(undefined);
          expect(one.values.slice(3)).to.deep.equal(['gap application', ...CREATED]);
          one.subscription.unsubscribe();
        });
      });
      expect(server.applications).to.deep.equal([]);
    });
  }

  it('ends all streams if a new one is rejected', async () => {
    const { ucwa, server, outcomeLines } = connected();
    const one = record(presence(ucwa, sara));
    const all = record(ucwa.events$);
    server.failNext(1, json(403, 'Forbidden'), isApplication);
    server.endApplications();
    expect(one.error).to.be.instanceOf(HttpError).with.property('status', 403);
    expect(all.error).to.equal(one.error);
    const { clean } = await ucwa.drain();
    expect(clean).to.equal(true);
    expect([...outcomeLines()].sort()).to.deep.equal([
      'application EndedByServer',
      'presenceSubscription EndedByServer',
    ]);
  });

  it('is re-created with waits if it is lost at once each time', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      server.failNext(1000, NOT_FOUND, isPending);
      const all = record(ucwa.events$);
      timer(5 * MINUTE).subscribe(() => {
        const made = sent().filter(
          (line) => line === 'POST applications 201' || line === 'POST applications 200',
        );
        expect(made.length).to.be.greaterThan(5).and.lessThan(40);
        all.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('ignores subscribers that unsubscribe while it is re-created', () => {
    const { ucwa, server, sent, outcomeLines } = connected({ latencyMs: 20 });
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      timer(100).subscribe(() => server.endApplications());
      timer(115).subscribe(() => {
        expect(sent().at(-1)).to.equal('POST applications -');
        one.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
    expect(sent().slice(-2)).to.deep.equal(['POST applications 201', 'DELETE 102 204']);
    expect(outcomeLines()).to.deep.equal([
      'application EndedByServer',
      'presenceSubscription AlreadyGone',
      'application Released',
    ]);
  });

  it('is awaited by new subscribers while it is re-created', () => {
    const { ucwa, server } = connected({ latencyMs: 20 });
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      timer(100).subscribe(() => server.endApplications());
      timer(115).subscribe(() => {
        const two = record(presence(ucwa, bob));
        timer(200).subscribe(() => {
          expect(two.values.filter((value) => value !== 'gap application')).to.deep.equal(CREATED);
          expect(server.presenceSubscriptions.map(({ applicationId }) => applicationId)).to.deep.equal([
            '102',
            '102',
          ]);
          one.subscription.unsubscribe();
          two.subscription.unsubscribe();
        });
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('is detected by a new subscriber, and re-created', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      // Without a pending request for events the server ends it.
      timer(16 * MINUTE).subscribe(() => {
        server.failNext(1, { delayMs: 1000 }, isPending);
        const one = record(presence(ucwa, sara));
        timer(2000).subscribe(() => {
          expect(one.values.filter((value) => value !== 'gap application')).to.deep.equal(CREATED);
          one.subscription.unsubscribe();
          holding.unsubscribe();
        });
      });
    });
    expect(sent()).to.include.members([
      'POST 101/subscriptions 404',
      'GET 101 404',
      'POST 102/subscriptions 201',
    ]);
    expect(server.applications).to.deep.equal([]);
  });

  it('is re-created after all subscribers get the batch that revealed it', () => {
    const { ucwa, server, outcomeLines } = connected({}, { batch: false });
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      const two = record(presence(ucwa, sara));
      const all = record(ucwa.events$);
      // The response that reports the loss is still in flight when the application is lost, too.
      timer(1).subscribe(() => {
        server.failNext(1, { delayMs: 40 }, isPending);
        server.setPresence(SARA, busy);
      });
      timer(5).subscribe(() => server.reset('resume'));
      timer(10).subscribe(() => server.restart());
      timer(MINUTE).subscribe(() => {
        expect(server.presenceSubscriptions).to.have.length(2);
        for (const { values } of [one, two, all])
          expect(values.filter((value) => value.startsWith('gap'))).to.deep.equal([
            'gap resume',
            'gap application',
          ]);
        for (const { subscription } of [one, two, all]) subscription.unsubscribe();
      });
    });
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(outcomeLines().filter((line) => line.includes('EndedByServer'))).to.have.length(3);
  });

  it('is not assumed if only the requested resource is not found', async () => {
    const { ucwa, server, sent } = connected();
    server.failNext(1, NOT_FOUND, isCreation);
    const one = record(presence(ucwa, sara));
    expect(one.error).to.be.instanceOf(HttpError).with.property('status', 404);
    expect(sent()).to.include('GET 101 200');
    await ucwa.drain();
    expect(server.applications).to.deep.equal([]);
  });

  describe('because the server ended it', () => {
    it('is re-created if the options say so', async () => {
      const { ucwa, server } = connected({}, { onApplicationEnded: 'recreate' });
      server.failNext(1, json(410, 'Gone', 'InactiveApplicationExpired'), isPending);
      const one = record(presence(ucwa, sara));
      expect(one.values.filter((value) => value !== 'gap application')).to.deep.equal(CREATED);
      await ucwa.close();
    });

    it('is not re-created if its userAgent is not allowed', async () => {
      const { ucwa, server } = connected({}, { onApplicationEnded: 'recreate' });
      server.failNext(1, json(410, 'Gone', 'UserAgentNotAllowed'), isPending);
      const one = record(presence(ucwa, sara));
      expect((one.error as Error).message).to.contain('UserAgentNotAllowed');
      await ucwa.drain();
    });
  });
});

describe('a server that has lost its state', () => {
  it('re-creates subscriptions after resume, without requests for lost ones', async () => {
    const { ucwa, server, sent, outcomeLines } = connected();
    const all = record(ucwa.events$);
    const one = record(presence(ucwa, sara));
    server.reset('resume');
    server.setPresence(SARA, busy);
    expect(one.values).to.deep.equal([...CREATED, 'gap resume', ...CREATED, 'updated contactPresence']);
    expect(all.values).to.deep.equal(one.values);
    expect(outcomeLines()).to.deep.equal(['presenceSubscription EndedByServer']);
    expect(sent().filter((line) => line.startsWith('DELETE'))).to.deep.equal([]);
    await ucwa.close();
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('gets the parameters again after resume', async () => {
    const { ucwa, server, sent } = connected({}, { channel: { mediumSeconds: 30 } });
    record(ucwa.events$);
    server.reset('resume');
    expect(sent().at(-1)).to.equal('GET 101/events?ack=2&medium=30 -');
    // Between two gaps, because the next request after two gaps in a row waits.
    server.emit({ type: 'updated', link: { rel: 'me', href: '/me' } });
    server.reset('resync');
    expect(sent().at(-1)).to.equal('GET 101/events?ack=4 -');
    await ucwa.close();
  });

  it('gets a removal of a subscription possibly created after the loss', () => {
    const { ucwa, server, outcomeLines } = connected({ mediumSeconds: 5, latencyMs: 20 });
    inVirtualTime(() => {
      // The channel reports the loss before the creation of the subscription.
      const url = '/ucwa/oauth/v1/applications/101/events?ack=1';
      const lost = { _links: { self: { href: url }, resume: { href: url } } };
      const headers = { 'content-type': 'application/json' };
      server.failNext(1, { status: 200, headers, body: JSON.stringify(lost) }, isPending);
      server.failNext(1, { delayMs: 500 }, isCreation);
      const one = record(presence(ucwa, sara));
      timer(20_000).subscribe(() => {
        expect(one.values[0]).to.equal('gap resume');
        expect(server.presenceSubscriptions.map(({ id }) => id)).to.deep.equal(['97b6bd67']);
        expect(outcomeLines()).to.deep.equal(['presenceSubscription Released seen']);
        one.subscription.unsubscribe();
      });
    });
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('gets a request for the subscription after resync', async () => {
    const { ucwa, server, sent } = connected();
    const one = record(presence(ucwa, sara));
    server.reset('resync');
    expect(one.values).to.deep.equal([...CREATED, 'gap resync']);
    expect(sent()).to.include('POST 101/subscriptions/97b6bd66?duration=30 200');
    expect(server.presenceSubscriptions).to.have.length(1);
    await ucwa.close();
  });

  it('re-creates a subscription whose end was lost in the resync', async () => {
    const { ucwa, server, outcomeLines } = connected();
    const one = record(presence(ucwa, sara));
    server.failNext(1, NOT_FOUND, ({ url }) => url.includes('?duration='));
    server.reset('resync');
    expect(one.values.slice(0, 5)).to.deep.equal([...CREATED, 'gap resync', 'gap presenceSubscription']);
    expect(outcomeLines()).to.deep.equal(['presenceSubscription EndedByServer']);
    await ucwa.close();
  });

  it('identifies contacts with opaque hrefs again', async () => {
    const { ucwa, server, sent } = connected({ contactHrefs: 'opaque' });
    const one = record(presence(ucwa, sara));
    const two = record(presence(ucwa, bob));
    server.endApplications();
    server.setPresence(SARA, busy);
    expect(one.values).to.deep.equal([...CREATED, 'gap application', ...CREATED, 'updated contactPresence']);
    expect(two.values).to.deep.equal([...CREATED, 'gap application', ...CREATED]);
    expect(sent().filter((line) => line.includes('Memberships'))).to.have.length(4);
    await ucwa.close();
    expect(server.applications).to.deep.equal([]);
  });
});

describe('a presence subscription that the server ended', () => {
  it('is re-created, with a gap at that position', async () => {
    const { ucwa, server, sent, outcomeLines } = connected();
    const events: UcwaEvent[] = [];
    const one = record(presence(ucwa, sara), (event) => events.push(event));
    const two = record(presence(ucwa, bob));
    server.endSubscription('97b6bd66');
    expect(one.values).to.deep.equal([
      ...CREATED,
      'deleted contact',
      'deleted presenceSubscription',
      'gap presenceSubscription',
      ...CREATED,
    ]);
    expect(events[5]).to.deep.equal({
      type: 'gap',
      reason: 'recreated',
      link: { rel: 'presenceSubscription', href: `${server.url}/101/people/presenceSubscriptions/97b6bd68` },
      sender: { rel: 'application', href: `${server.url}/101` },
    });
    expect(two.values).to.deep.equal(CREATED);
    expect(outcomeLines()).to.deep.equal(['presenceSubscription EndedByServer seen']);
    expect(sent().filter((line) => line.startsWith('DELETE'))).to.deep.equal([]);
    server.setPresence(SARA, busy);
    expect(one.values.at(-1)).to.equal('updated contactPresence');
    await ucwa.close();
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  type Given = ReturnType<typeof connected>;
  const endings: readonly (readonly [string, (given: Given) => void, string, RegExp])[] = [
    ['removed', ({ server }) => server.expire(), 'deleted presenceSubscription', /its time was over/],
    ['lost by resume', ({ server }) => server.reset('resume'), 'gap resume', /lost the state/],
    [
      'lost with the application',
      ({ server }) => server.endApplications(),
      'gap application',
      /lost the state/,
    ],
    [
      'found to be gone',
      ({ server }) => {
        server.failNext(1, NOT_FOUND, ({ url }) => url.includes('?duration='));
        server.reset('resync');
      },
      'gap resync',
      /no longer knows it/,
    ],
  ];
  for (const [name, end, last, why] of endings) {
    it(`completes its stream with onLost=complete: ${name}`, async () => {
      const given = connected();
      const one = record(presence(given.ucwa, { ...sara, onLost: 'complete' }));
      end(given);
      expect(one.isComplete).to.equal(true);
      await given.ucwa.drain();
      expect(given.server.applications).to.deep.equal([]);
    });

    it(`errors with the reason with onLost=error: ${name}`, async () => {
      const given = connected();
      const one = record(presence(given.ucwa, { ...sara, onLost: 'error' }));
      end(given);
      expect(one.error).to.be.instanceOf(EndedError);
      expect((one.error as EndedError).message)
        .to.match(why)
        .and.to.contain('Subscribe again');
      expect((one.error as EndedError).href).to.equal(
        '/ucwa/oauth/v1/applications/101/people/presenceSubscriptions/97b6bd66',
      );
      if (name !== 'found to be gone') expect(one.values.at(-1)).to.equal(last);
      await given.ucwa.drain();
      expect(given.outcomeLines().filter((line) => line.startsWith('presence'))[0]).to.match(/EndedByServer/);
      expect(given.server.applications).to.deep.equal([]);
    });
  }

  it('is re-created with waits if it ends at once each time', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara), ({ type, link }) => {
        if (type === 'added' && link.rel === 'presenceSubscription')
          server.endSubscription(link.href.replace(/.*\//, ''));
      });
      timer(5 * MINUTE).subscribe(() => {
        const made = sent().filter((line) => line === 'POST 101/subscriptions 201').length;
        expect(made).to.be.greaterThan(5).and.lessThan(40);
        one.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('is re-created with waits if each response is lost', () => {
    const { ucwa, server, outcomeLines } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      server.failNext(8, 'reset', isCreation);
      server.endSubscription('97b6bd66');
      timer(15 * MINUTE).subscribe(() => {
        expect(one.values.slice(5)).to.deep.equal(['gap presenceSubscription', ...CREATED]);
        expect(outcomeLines().filter((line) => line === 'presenceSubscription Unknown')).to.have.length(8);
        one.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('ends its stream after four failed re-creations in a row', () => {
    const { ucwa, server } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      server.failNext(4, { status: 500 }, isCreation);
      server.endSubscription('97b6bd66');
      timer(MINUTE).subscribe(() =>
        expect(one.error).to.be.instanceOf(HttpError).with.property('status', 500),
      );
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('ends its stream if a new one is rejected', async () => {
    const { ucwa, server } = connected();
    const one = record(presence(ucwa, sara));
    server.failNext(1, json(403, 'Forbidden', 'LimitExceeded'), isCreation);
    server.endSubscription('97b6bd66');
    expect(one.error).to.be.instanceOf(HttpError).with.property('subcode', 'LimitExceeded');
    await ucwa.drain();
    expect(server.applications).to.deep.equal([]);
  });

  it('is not re-created if the channel ended meanwhile', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const one = record(presence(ucwa, sara));
      server.failNext(1, 'reset', isCreation);
      server.endSubscription('97b6bd66');
      const before = sent().length;
      server.failNext(1, json(403, 'Forbidden'), isPending);
      server.emit({ type: 'updated', link: { rel: 'me', href: '/me' } });
      timer(MINUTE).subscribe(() => {
        expect(one.error).to.be.instanceOf(HttpError).with.property('status', 403);
        expect(
          sent()
            .slice(before)
            .filter((line) => line.startsWith('POST')),
        ).to.deep.equal([]);
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('fails if its first creation fails', async () => {
    const { ucwa, server, sent } = connected();
    server.failNext(1, 'reset', isCreation);
    const one = record(presence(ucwa, sara));
    expect(one.error).to.be.instanceOf(NetworkError);
    expect(sent().filter((line) => line.startsWith('POST 101'))).to.have.length(1);
    await ucwa.drain();
  });
});
