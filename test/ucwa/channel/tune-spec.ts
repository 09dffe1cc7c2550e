import { expect } from 'chai';
import { Subject, timer } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import type { SimulatedEvent } from '../../../lib/testing/ucwa/eventQueue.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import type { ChannelParameters } from '../../../lib/ucwa/protocol/cursor.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';
import { existingApplication } from '../../../lib/ucwa/discovery/server.ts';

const SARA = 'sip:sara@contoso.com';
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];
const thing = (name: string): SimulatedEvent => ({ type: 'updated', link: { rel: name, href: `/${name}` } });
const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');
const polls = (sent: readonly string[]): string[] => sent.filter((line) => line.includes('/events'));
const REPLACED: Fault = {
  status: 409,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: 'Conflict', subcode: 'PGetReplaced' }),
};

describe('setChannelParameters', () => {
  it('replaces the pending request with a higher priority and loses no event', async () => {
    const { ucwa, server, sent } = connected();
    const kept = record(ucwa.events$);
    server.emit(thing('a'));
    ucwa.setChannelParameters({ timeoutSeconds: 1800, mediumSeconds: 60 });
    server.emit(thing('b'));
    ucwa.setChannelParameters({ mediumSeconds: 5 });
    server.emit(thing('c'));
    expect(kept.values).to.deep.equal(['updated a', 'updated b', 'updated c']);
    expect(polls(sent())).to.deep.equal([
      'GET 101/events?ack=1 200',
      'GET 101/events?ack=2 -',
      'GET 101/events?ack=2&medium=60&timeout=1800&priority=1 200',
      'GET 101/events?ack=3 -',
      'GET 101/events?ack=3&medium=5&timeout=1800&priority=2 200',
      'GET 101/events?ack=4 -',
    ]);
    await ucwa.close();
  });

  it('sends nothing without subscribers, and applies to the next request', async () => {
    const { ucwa, sent } = connected();
    ucwa.setChannelParameters({ lowSeconds: 600 });
    expect(sent()).to.deep.equal([]);
    const holding = ucwa.application$.subscribe();
    record(ucwa.events$).subscription.unsubscribe();
    ucwa.setChannelParameters({ lowSeconds: 30, priority: 7 });
    record(ucwa.events$).subscription.unsubscribe();
    expect(polls(sent())).to.deep.equal([
      'GET 101/events?ack=1&low=600 -',
      'GET 101/events?ack=1&low=30&priority=7 -',
    ]);
    holding.unsubscribe();
    await ucwa.drain();
  });

  it('applies to the application that replaces one that is gone', async () => {
    const { ucwa, server, sent } = connected();
    record(ucwa.events$);
    ucwa.setChannelParameters({ mediumSeconds: 60 });
    server.endApplications();
    expect(polls(sent()).at(-1)).to.equal('GET 102/events?ack=1&medium=60 -');
    await ucwa.close();
  });

  it('applies to the request after a wait', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      server.failNext(1, { status: 503 }, isPending);
      const kept = record(ucwa.events$);
      timer(100).subscribe(() => ucwa.setChannelParameters({ mediumSeconds: 60 }));
      timer(1000).subscribe(() => kept.subscription.unsubscribe());
    });
    expect(polls(sent())).to.deep.equal(['GET 101/events?ack=1 503', 'GET 101/events?ack=1&medium=60 -']);
  });

  it('keeps the order when a subscriber calls it for an event', async () => {
    const { ucwa, server } = connected();
    const first = record(ucwa.events$, ({ link }) => {
      if (link.rel === 'a') ucwa.setChannelParameters({ mediumSeconds: 10 });
    });
    const second = record(ucwa.events$);
    server.emit(thing('a'));
    server.emit(thing('b'));
    expect(first.values).to.deep.equal(['updated a', 'updated b']);
    expect(second.values).to.deep.equal(['updated a', 'updated b']);
    await ucwa.close();
  });

  it('extends the timeout of requests to the new value', () => {
    const { ucwa, server } = connected();
    inVirtualTime(() => {
      const kept = record(ucwa.events$);
      ucwa.setChannelParameters({ timeoutSeconds: 1800 });
      timer(1_700_000).subscribe(() => server.emit(thing('a')));
      timer(1_700_001).subscribe(() => {
        expect(kept.values).to.deep.equal(['updated a']);
        expect(polls(server.requests.map(({ path }) => path))).to.have.length(3);
        kept.subscription.unsubscribe();
      });
    });
  });

  it('throws for an invalid value and changes nothing', async () => {
    const { ucwa, sent } = connected();
    record(ucwa.events$);
    expect(() => ucwa.setChannelParameters({ mediumSeconds: 4 })).to.throw(
      TypeError,
      'mediumSeconds must be a whole number from 5',
    );
    expect(() => ucwa.setChannelParameters(undefined as unknown as ChannelParameters)).to.throw(
      TypeError,
      'parameters must be an object',
    );
    expect(polls(sent())).to.have.length(1);
    await ucwa.close();
  });
});

describe('online', () => {
  it('ends the wait for a network at once', () => {
    const online$ = new Subject<void>();
    const { ucwa, server } = connected({}, { online$ });
    inVirtualTime(() => {
      const kept = record(ucwa.events$);
      server.failNext(20, 'reset', isPending);
      server.emit(thing('a'));
      timer(60_000).subscribe(() => {
        const before = server.requests.length;
        online$.next();
        expect(server.requests).to.have.length(before + 1);
        kept.subscription.unsubscribe();
      });
    });
  });

  it('resends the pending request and loses no event', () => {
    const online$ = new Subject<void>();
    const { ucwa, server, sent } = connected({}, { online$ });
    inVirtualTime(() => {
      const kept = record(ucwa.events$);
      timer(1000).subscribe(() => online$.next());
      timer(2000).subscribe(() => server.emit(thing('a')));
      timer(3000).subscribe(() => {
        expect(kept.values).to.deep.equal(['updated a']);
        kept.subscription.unsubscribe();
      });
    });
    expect(polls(sent())).to.deep.equal([
      'GET 101/events?ack=1 -',
      'GET 101/events?ack=1&priority=1 200',
      'GET 101/events?ack=2 -',
    ]);
  });

  it('does not shorten the wait that the server demands', () => {
    const online$ = new Subject<void>();
    const { ucwa, server } = connected({}, { online$ });
    inVirtualTime(() => {
      server.failNext(1, { status: 503, headers: { 'retry-after': '60' } }, isPending);
      const kept = record(ucwa.events$);
      timer(1000).subscribe(() => online$.next());
      timer(59_000).subscribe(() => {
        expect(polls(server.requests.map(({ path }) => path))).to.have.length(1);
        kept.subscription.unsubscribe();
      });
    });
  });

  it('is rejected if it is no Observable', () => {
    expect(() => connected({}, { online$: 'online' as never })).to.throw(TypeError, 'online$ must be');
  });
});

describe('a channel that another client has taken over', () => {
  it('is handed over with onPGetReplaced newInstance, and re-created', async () => {
    const { ucwa, server, outcomeLines, sent } = connected(
      {},
      { channel: { onPGetReplaced: 'newInstance' }, instanceId: 'tab' },
    );
    const one = record(presence(ucwa, { uris: [SARA] }));
    server.failNext(1, REPLACED, isPending);
    server.setPresence(SARA, { availability: 'Busy' });
    expect(one.values).to.deep.equal([...CREATED, 'updated contactPresence', 'gap application', ...CREATED]);
    const created = server.requests.filter(
      ({ method, path }) => method === 'POST' && path.endsWith('/applications'),
    );
    const [first, second] = created.map(({ body }) => JSON.parse(body!) as Record<string, unknown>);
    expect({ ...second, instanceId: 'tab' }).to.deep.equal(first);
    expect(second?.['instanceId']).to.be.a('string').and.not.equal('tab');
    expect(created[1]?.headers).to.include({ 'x-ms-requiresminresourceversion': '2' });
    expect(sent()).to.include('DELETE 101/subscriptions/97b6bd66 204');
    await ucwa.close();
    expect(
      server.applications.map(({ id }) => id),
      'left to the other',
    ).to.deep.equal(['101']);
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(outcomeLines()[0]).to.equal('application EndedByServer');
  });

  it('is not taken over repeatedly', () => {
    const { ucwa, server } = connected({}, { channel: { onPGetReplaced: 'newInstance' } });
    inVirtualTime(() => {
      server.failNext(1000, REPLACED, isPending);
      const kept = record(ucwa.events$);
      timer(300_000).subscribe(() => {
        const made = server.requests.filter(({ method }) => method === 'POST');
        expect(made.length).to.be.greaterThan(3).and.lessThan(40);
        kept.subscription.unsubscribe();
      });
    });
  });

  it('is not assumed when the client has replaced its own request', async () => {
    const { ucwa, server } = connected();
    const kept = record(ucwa.events$);
    ucwa.setChannelParameters({ mediumSeconds: 10 });
    server.emit(thing('a'));
    expect(kept.values).to.deep.equal(['updated a']);
    expect(kept.error).to.equal(undefined);
    await ucwa.close();
  });

  it('ends the streams by default', async () => {
    const { ucwa, server } = connected();
    const kept = record(ucwa.events$);
    server.failNext(1, REPLACED, isPending);
    server.emit(thing('a'));
    expect(kept.error).to.be.instanceOf(HttpError).with.property('subcode', 'PGetReplaced');
    await ucwa.drain();
  });

  it('cannot be handed over if the application was given', () => {
    const server = existingApplication('https://ucwa.example/101');
    const options = { server, channel: { onPGetReplaced: 'newInstance' } } as const;
    expect(() => connectUcwa(options)).to.throw(TypeError, 'channel.onPGetReplaced must be one of "error"');
  });
});
