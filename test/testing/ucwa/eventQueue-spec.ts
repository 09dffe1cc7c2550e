import { expect } from 'chai';
import { timer } from 'rxjs';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { APP, SARA, Client, eventsIn, linksIn, cancelPending } from './client.ts';

describe('The event channel of ucwaSimulator', () => {
  afterEach(cancelPending);

  const me = { type: 'updated', link: { rel: 'me', href: `${APP}/me` } };
  const note = { type: 'added', link: { rel: 'note', href: `${APP}/me/note` } };

  it('keeps a GET pending until there are events', () => {
    const client = new Client();
    client.application();
    const waiting = client.events(1);
    expect(waiting.status).to.equal(undefined);
    client.server.emit(me);
    expect(eventsIn(waiting)).to.deep.equal(['updated me']);
    expect(linksIn(waiting)).to.deep.equal({ self: 'events?ack=1', next: 'events?ack=2' });
  });

  it('responds without sender after the timeout', () => {
    const client = new Client();
    inVirtualTime(() => {
      client.application();
      const waiting = client.events(1);
      timer(179_999).subscribe(() => expect(waiting.status).to.equal(undefined));
      timer(180_000).subscribe(() => {
        expect(waiting.status).to.equal(200);
        expect(waiting.body).not.to.have.property('sender');
        expect(linksIn(waiting)).to.have.property('next', 'events?ack=2');
      });
    });
  });

  it('repeats a response until it is acknowledged', () => {
    const client = new Client();
    client.application();
    client.server.emit(me);
    const first = client.events(1);
    client.server.emit(note);
    expect(client.events(1).body).to.deep.equal(first.body);
    expect(eventsIn(client.events(2))).to.deep.equal(['added note']);
  });

  it('responds with resync to an invalid acknowledgement', () => {
    const client = new Client();
    client.application();
    client.server.emit(me);
    client.events(1);
    const lost = client.events(7);
    expect(linksIn(lost)).to.deep.equal({ self: 'events?ack=7', resync: 'events?ack=1' });
    expect(eventsIn(client.events(1))).to.deep.equal(['updated me']);
  });

  it('aggregates events by priority, and sends them with urgent ones', () => {
    const client = new Client();
    inVirtualTime(() => {
      client.application();
      const low = client.events(1);
      client.server.emit(note, 'low');
      timer(14_999).subscribe(() => expect(low.status).to.equal(undefined));
      timer(15_000).subscribe(() => {
        expect(low.status).to.equal(200);
        const medium = client.events(2);
        client.server.emit(me, 'medium');
        timer(5000).subscribe(() => {
          expect(medium.status).to.equal(200);
          const hurried = client.events(3);
          client.server.emit(note, 'low');
          client.server.emit(me, 'high');
          expect(eventsIn(hurried)).to.deep.equal(['added note', 'updated me']);
        });
      });
    });
  });

  it('merges queued changes of one resource', () => {
    const client = new Client();
    client.application();
    client.server.emit(me, 'medium');
    client.server.emit(me, 'medium');
    client.server.emit({ ...me, type: 'deleted' });
    client.server.emit(me);
    expect(eventsIn(client.events(1))).to.deep.equal(['updated me', 'deleted me', 'updated me']);
  });

  it('keeps the requested intervals, and rejects those out of range', () => {
    const client = new Client();
    inVirtualTime(() => {
      client.application();
      client.server.emit(me, 'medium');
      expect(client.events(1, '&medium=4').status).to.equal(400);
      expect(client.events(1, '&timeout=1801').status).to.equal(400);
      const first = client.events(1, '&medium=300&low=600&timeout=900');
      timer(299_999).subscribe(() => expect(first.status).to.equal(undefined));
      timer(300_000).subscribe(() => {
        expect(first.status).to.equal(200);
        const second = client.events(2);
        timer(899_999).subscribe(() => expect(second.status).to.equal(undefined));
        timer(900_000).subscribe(() => expect(second.status).to.equal(200));
      });
    });
  });

  it('replaces the older P-GET, unless that has a higher priority', () => {
    const client = new Client();
    client.application();
    const first = client.events(1);
    const second = client.events(1);
    expect(first).to.deep.include({ status: 409 });
    expect(first.body).to.deep.include({ code: 'Conflict', subcode: 'PGetReplaced' });
    const important = client.events(1, '&priority=2');
    expect(second.status).to.equal(409);
    expect(client.events(1, '&priority=1').status).to.equal(409);
    expect(important.status).to.equal(undefined);
  });

  it('ignores the intervals of a P-GET with a lower priority', () => {
    const client = new Client({ mediumSeconds: 5 });
    client.application();
    inVirtualTime(() => {
      const tuned = client.events(1, '&medium=10&priority=1');
      client.events(1, '&medium=600');
      client.events(7, '&medium=700');
      client.server.emit(me, 'medium');
      timer(10_001).subscribe(() => expect(tuned.status).to.equal(200));
    });
  });

  for (const priority of ['-1', '0.5', 'high']) {
    it(`rejects the priority "${priority}"`, () => {
      const client = new Client();
      client.application();
      expect(client.events(1, `&priority=${priority}`).status).to.equal(400);
    });
  }

  for (const [priority, ends] of [
    [0, 409],
    [1, undefined],
  ] as const) {
    it(`responds ${ends ?? 'nothing'} to priority ${priority} when an aborted P-GET arrives late`, () => {
      const client = new Client();
      client.application();
      client.server.failNext(1, { arrivalDelayMs: 40 }, ({ url }) => url.includes('/events'));
      inVirtualTime(() => {
        client.events(1).sent.unsubscribe();
        const newer = client.events(1, `&priority=${priority}`);
        timer(39).subscribe(() => expect(newer.status, 'before').to.equal(undefined));
        timer(41).subscribe(() => {
          expect(newer.status, 'after').to.equal(ends);
          client.ask('DELETE', APP);
        });
      });
    });
  }

  it('repeats events that only a late request has received', () => {
    const client = new Client();
    client.application();
    client.server.failNext(1, { arrivalDelayMs: 40 }, ({ url }) => url.includes('/events'));
    inVirtualTime(() => {
      client.events(1).sent.unsubscribe();
      timer(50).subscribe(() => {
        client.server.emit(me);
        expect(eventsIn(client.events(1))).to.deep.equal(['updated me']);
      });
    });
  });

  it('reports a loss with the next response', () => {
    const client = new Client({ mediumSeconds: 0 });
    client.application();
    client.subscribe(SARA);
    client.events(1);
    const waiting = client.events(2);
    client.server.emit(me, 'low');
    client.server.reset('resume');
    expect(linksIn(waiting)).to.deep.equal({ self: 'events?ack=2', resume: 'events?ack=3' });
    expect(eventsIn(waiting)).to.deep.equal(['updated me']);
    expect(client.server.presenceSubscriptions).to.deep.equal([]);
    client.server.emit(me, 'low');
    client.server.reset('resync');
    const after = client.events(3);
    expect(linksIn(after)).to.have.property('resync');
    expect(eventsIn(after)).to.deep.equal([]);
  });

  it('uses the given name of the cursor parameter', () => {
    const client = new Client({ cursorParameter: 'ck' });
    client.application();
    client.server.emit(me);
    expect(linksIn(client.ask('GET', `${APP}/events?ck=1`))).to.have.property('next', 'events?ck=2');
  });

  it('accepts only GET', () => {
    const client = new Client();
    client.application();
    expect(client.ask('DELETE', `${APP}/events?ack=1`).status).to.equal(405);
  });
});
