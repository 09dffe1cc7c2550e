import { expect } from 'chai';
import { timer } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import {
  APPLICATIONS,
  APP,
  SUBSCRIPTIONS,
  FIRST,
  IDENTITY,
  SARA,
  Client,
  eventsIn,
  cancelPending,
} from './client.ts';

describe('ucwaSimulator, controlled by a test', () => {
  afterEach(cancelPending);

  it('ends one subscription, or expires all', () => {
    const client = new Client({ mediumSeconds: 0 });
    client.application();
    client.subscribe(SARA);
    client.subscribe('sip:bob@contoso.com');
    client.events(1);
    client.server.endSubscription('97b6bd66');
    client.server.endSubscription('none');
    expect(eventsIn(client.events(2))).to.deep.equal(['deleted contact', 'deleted presenceSubscription']);
    client.server.expire();
    expect(eventsIn(client.events(3))).to.deep.equal(['deleted contact', 'deleted presenceSubscription']);
    expect(client.server.presenceSubscriptions).to.deep.equal([]);
  });

  it('drops everything at a restart, and breaks pending GETs', () => {
    const client = new Client();
    client.application();
    const waiting = client.events(1);
    client.server.restart();
    expect(waiting.error).to.be.instanceOf(NetworkError);
    expect(client.events(1).status).to.equal(404);
  });

  it('responds to pending GETs when it ends all applications', () => {
    const client = new Client();
    client.application();
    const waiting = client.events(1);
    client.server.endApplications();
    expect(waiting.body).to.deep.include({ subcode: 'ApplicationNotFound' });
    expect(client.server.applications).to.deep.equal([]);
  });

  it('responds to an extension with the given status', () => {
    const client = new Client({ extensionStatus: 201 });
    client.application();
    client.subscribe(SARA);
    expect(client.ask('POST', `${FIRST}?duration=10`).status).to.equal(201);
  });

  it('responds to the pending GET when the application is deleted', () => {
    const client = new Client();
    client.application();
    const waiting = client.events(1);
    client.ask('DELETE', APP);
    expect(waiting).to.deep.include({ status: 404 });
  });

  it('requires a token', () => {
    const client = new Client({ token: 'good' });
    expect(client.ask('POST', APPLICATIONS, IDENTITY).status).to.equal(401);
    expect(client.ask('POST', APPLICATIONS, IDENTITY, { authorization: 'Bearer good' }).status).to.equal(201);
    expect(client.ask('POST', APPLICATIONS, IDENTITY, { authorization: 'Basic good' }).status).to.equal(401);
    expect(new Client().ask('GET', APP, undefined, { authorization: '' }).status).to.equal(401);
  });

  it('lets requests fail, and logs them', () => {
    const client = new Client();
    client.server.failNext(1, { status: 503 }, ({ method }) => method === 'GET');
    client.application();
    expect(client.ask('GET', APP).status).to.equal(503);
    expect(client.ask('GET', APP).status).to.equal(200);
    expect(client.server.requests.map(({ method, path, status }) => [method, path, status])).to.deep.equal([
      ['POST', APPLICATIONS, 201],
      ['GET', APP, 503],
      ['GET', APP, 200],
    ]);
  });

  it('responds after its latency', () => {
    const client = new Client({ latencyMs: 20 });
    inVirtualTime(() => {
      const created = client.ask('POST', APPLICATIONS, IDENTITY);
      timer(9).subscribe(() => expect(client.server.applications).to.have.length(0));
      timer(11).subscribe(() => expect(client.server.applications).to.have.length(1));
      timer(19).subscribe(() => expect(created.status).to.equal(undefined));
      timer(21).subscribe(() => expect(created.status).to.equal(201));
    });
  });

  const unknown: readonly (readonly [string, string, number])[] = [
    ['GET', '/elsewhere', 404],
    ['GET', `${APPLICATIONS}/999/people`, 404],
    ['GET', APPLICATIONS, 405],
    ['PUT', APP, 405],
    ['GET', `${APP}/photos`, 404],
    ['GET', `${APP}/people/1/2/3`, 404],
    ['GET', `${APP}/people`, 200],
    ['PUT', `${APP}/people`, 405],
    ['PUT', SUBSCRIPTIONS, 405],
    ['PUT', FIRST, 405],
    ['PUT', `${APP}/people/sara@contoso.com`, 405],
    ['GET', `${APP}/people/sara@contoso.com/photo`, 404],
    ['PUT', `${APP}/people/presenceSubscriptionMemberships?presenceSubscriptionId=97b6bd66`, 405],
    ['PUT', `${APP}/people/presenceSubscriptionMemberships/97b6bd66,sara@contoso.com`, 405],
  ];
  for (const [method, path, status] of unknown) {
    it(`responds with ${status} to ${method} ${path}`, () => {
      const client = new Client();
      client.application();
      client.subscribe(SARA);
      expect(client.ask(method, path).status).to.equal(status);
    });
  }

  it('speeds up its time', () => {
    const client = new Client({ speed: 50 });
    inVirtualTime(() => {
      client.application();
      client.subscribe(SARA);
      expect(client.server.presenceSubscriptions[0]!.expiresAt).to.equal(12_000);
      client.ask('POST', `${FIRST}?duration=30`);
      expect(client.server.presenceSubscriptions[0]!.expiresAt).to.equal(36_000);
      timer(100).subscribe(() => {
        expect(eventsIn(client.events(1))).to.have.length(3);
        const waiting = client.events(2, '&timeout=600');
        timer(11_999).subscribe(() => expect(waiting.status).to.equal(undefined));
        timer(12_000).subscribe(() => expect(waiting.status).to.equal(200));
      });
      timer(30_099).subscribe(() => expect(client.server.applications).to.have.length(1));
      timer(30_100).subscribe(() => expect(client.server.applications).to.deep.equal([]));
    });
  });

  it('throws for invalid options', () => {
    expect(() => ucwaSimulator({ path: '/ucwa/' })).to.throw(TypeError, 'path must be');
    expect(() => ucwaSimulator({ speed: 0 })).to.throw(TypeError, 'speed must be');
    expect(() => ucwaSimulator({ latencyMs: -1 })).to.throw(TypeError, 'latencyMs must be');
    expect(() => ucwaSimulator({ origin: 'ucwa.example' })).to.throw(TypeError, 'origin must be');
  });
});
