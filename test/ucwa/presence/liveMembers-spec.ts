import { expect } from 'chai';
import { BehaviorSubject, concat, EMPTY, from, NEVER, of, Subject, throwError, timer } from 'rxjs';
import { DecodeError, HttpError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import type { UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const EVE = 'sip:eve@contoso.com';
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];
const busy = { availability: 'Busy' };

const people = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `sip:p${index}@contoso.com`);
const watched = (server: UcwaSimulator): string[] => server.presenceSubscriptions.flatMap(({ uris }) => uris);
const isAdding = ({ method, url }: HttpRequest): boolean => method === 'POST' && url.includes('Memberships');
const isDropping = ({ method, url }: HttpRequest): boolean =>
  method === 'DELETE' && url.includes('Memberships');
const changes = (sent: readonly string[]): string[] =>
  sent.filter((line) => /ubscription/.test(line)).map((line) => line.replace(/\?\S+/, ''));
/** How many contacts each request had that asked for any. */
const asked = ({ requests }: UcwaSimulator): number[] =>
  requests.flatMap(({ method, body }) => {
    const { uris, contactUris } = JSON.parse(method === 'POST' ? (body ?? '{}') : '{}') as Record<
      string,
      string[]
    >;
    return uris?.length ?? contactUris?.length ?? [];
  });

const NOT_FOUND: Fault = {
  status: 404,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: 'NotFound', subcode: 'ApplicationNotFound' }),
};

describe('presence of a list that changes', () => {
  it('should send the difference only', async () => {
    const { ucwa, server, sent } = connected();
    const uris$ = new BehaviorSubject([SARA, BOB]);
    const one = record(presence(ucwa, { uris: uris$ }));
    uris$.next([BOB, EVE]);
    expect(watched(server)).to.deep.equal([BOB, EVE]);
    expect(changes(sent())).to.deep.equal([
      'POST 101/subscriptions 201',
      'GET 101/presenceSubscriptionMemberships 200',
      'DELETE 101/presenceSubscriptionMemberships/97b6bd66,sara@contoso.com 204',
      'POST 101/presenceSubscriptionMemberships 201',
    ]);
    expect(JSON.parse(server.requests.at(-2)!.body!)).to.deep.equal({ contactUris: [EVE] });
    server.setPresence(SARA, busy);
    server.setPresence(BOB, busy);
    server.setPresence(EVE, busy);
    expect(one.values.slice(5)).to.deep.equal([
      'added contact',
      'updated contactPresence',
      'updated contactPresence',
      'updated contactPresence',
    ]);
    await ucwa.close();
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('should send nothing where a list differs in order, in case and in repetitions only', async () => {
    const { ucwa, sent } = connected();
    const uris$ = new BehaviorSubject([SARA, BOB]);
    record(presence(ucwa, { uris: uris$ }));
    const before = sent().length;
    uris$.next([BOB, 'sip:SARA@contoso.com', BOB]);
    expect(sent()).to.have.length(before);
    await ucwa.close();
  });

  it('should begin with the first list that has somebody', async () => {
    const { ucwa, sent, server } = connected();
    const uris$ = new Subject<string[]>();
    const one = record(presence(ucwa, { uris: uris$ }));
    uris$.next([]);
    expect(sent()).to.deep.equal([]);
    uris$.next([SARA]);
    expect(one.values).to.deep.equal(CREATED);
    uris$.next([]);
    expect(watched(server)).to.deep.equal([]);
    expect(server.presenceSubscriptions).to.have.length(1);
    uris$.next([BOB]);
    server.setPresence(BOB, busy);
    expect(one.values.slice(3)).to.deep.equal([
      'added contact',
      'updated contactPresence',
      'updated contactPresence',
    ]);
    one.subscription.unsubscribe();
    await ucwa.drain();
    expect(server.applications).to.deep.equal([]);
  });

  it('should complete where there is never anybody, and stay with the last list where that completes', async () => {
    const { ucwa, server } = connected();
    expect(record(presence(ucwa, { uris: EMPTY })).isComplete).to.equal(true);
    const one = record(presence(ucwa, { uris: of([SARA]) }));
    expect(one.isComplete).to.equal(false);
    expect(watched(server)).to.deep.equal([SARA]);
    await ucwa.close();
  });

  for (const [name, uris] of [
    [
      'the list errors',
      concat(
        of([SARA]),
        throwError(() => new TypeError('uris')),
      ),
    ],
    ['a list has what is no URI', of([SARA], ['sara'])],
    ['there is something else than a list', from([[SARA], SARA as never])],
  ] as const) {
    it(`should error where ${name}, and be removed`, async () => {
      const { ucwa, server } = connected();
      const one = record(presence(ucwa, { uris }));
      expect(one.error).to.be.instanceOf(TypeError).with.property('message').that.contains('uris');
      await ucwa.drain();
      expect(server.applications).to.deep.equal([]);
    });
  }

  it('should complete with the subscription where that is wanted, and leave the list', async () => {
    const { ucwa, server } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    const one = record(presence(ucwa, { uris: uris$, onEnd: 'complete' }));
    server.expire();
    expect(one.isComplete).to.equal(true);
    expect(uris$.observed).to.equal(false);
    await ucwa.drain();
  });

  it('should leave the list when it is unsubscribed from', async () => {
    const { ucwa } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    const one = record(presence(ucwa, { uris: uris$ }));
    expect(uris$.observed).to.equal(true);
    one.subscription.unsubscribe();
    expect(uris$.observed).to.equal(false);
    await ucwa.drain();
  });

  it('should tell contacts apart whose hrefs say nothing', async () => {
    const { ucwa, server } = connected({ contactHrefs: 'opaque' });
    const uris$ = new BehaviorSubject([SARA]);
    const one = record(presence(ucwa, { uris: uris$ }));
    uris$.next([SARA, BOB]);
    server.setPresence(BOB, busy);
    uris$.next([BOB]);
    expect(watched(server)).to.deep.equal([BOB]);
    server.setPresence(SARA, busy);
    server.setPresence(BOB, { availability: 'Away' });
    expect(one.values).to.deep.equal([
      ...CREATED,
      'added contact',
      'updated contactPresence',
      'updated contactPresence',
      'updated contactPresence',
    ]);
    await ucwa.close();
  });

  it('should end up with the last list, however fast they come', () => {
    const { ucwa, server } = connected({ latencyMs: 20 });
    inVirtualTime(() => {
      const uris$ = new BehaviorSubject(people(3));
      const one = record(presence(ucwa, { uris: uris$ }));
      for (const at of [5, 25, 45, 50, 60, 75, 90])
        timer(at).subscribe(() => uris$.next(people(at % 7).slice(1)));
      timer(91).subscribe(() => uris$.next([SARA, ...people(2)]));
      timer(1000).subscribe(() => {
        expect([...watched(server)].sort()).to.deep.equal([...people(2), SARA].sort());
        one.subscription.unsubscribe();
      });
    });
    expect(server.applications).to.deep.equal([]);
  });

  it('should make the list anew, as it is now, on an application that is made again', async () => {
    const { ucwa, server } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    record(presence(ucwa, { uris: uris$ }));
    uris$.next([BOB, EVE]);
    server.endApplications();
    expect(watched(server)).to.deep.equal([BOB, EVE]);
    await ucwa.close();
  });

  it('should wait for somebody where the subscription has to be made anew for nobody', async () => {
    const { ucwa, server } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    const one = record(presence(ucwa, { uris: uris$ }));
    uris$.next([]);
    server.endApplications();
    expect(server.presenceSubscriptions).to.deep.equal([]);
    uris$.next([EVE]);
    expect(watched(server)).to.deep.equal([EVE]);
    expect(one.error).to.equal(undefined);
    await ucwa.close();
  });

  for (const [name, matches] of [
    ['adding', isAdding],
    ['dropping', isDropping],
  ] as const) {
    it(`should have patience in ${name}`, () => {
      const { ucwa, server } = connected();
      inVirtualTime(() => {
        const uris$ = new BehaviorSubject([SARA]);
        const one = record(presence(ucwa, { uris: uris$ }));
        server.failNext(3, 'resetAfterActing', matches);
        server.failNext(5, { status: 503 }, matches);
        uris$.next([BOB]);
        timer(120_000).subscribe(() => {
          expect(watched(server)).to.deep.equal([BOB]);
          one.subscription.unsubscribe();
        });
      });
    });

    it(`should error where ${name} is refused, and be removed`, async () => {
      const { ucwa, server } = connected();
      const uris$ = new BehaviorSubject([SARA]);
      const one = record(presence(ucwa, { uris: uris$ }));
      server.failNext(1, { status: 403 }, matches);
      uris$.next([BOB]);
      expect(one.error).to.be.instanceOf(HttpError).with.property('status', 403);
      await ucwa.drain();
      expect(server.applications).to.deep.equal([]);
    });
  }

  it('should find out that the subscription is gone, and make it anew', async () => {
    const { ucwa, server } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    const one = record(presence(ucwa, { uris: uris$ }));
    server.failNext(1, NOT_FOUND, isAdding);
    uris$.next([SARA, BOB]);
    expect(one.values).to.include('gap presenceSubscription');
    expect(server.presenceSubscriptions.at(-1)?.uris).to.deep.equal([SARA, BOB]);
    await ucwa.close();
  });
});

describe('presence of many', () => {
  it('should be asked for in pieces', async () => {
    const { ucwa, server } = connected();
    const one = record(presence(ucwa, { uris: people(250) }));
    expect(asked(server)).to.deep.equal([100, 100, 50]);
    expect(watched(server)).to.have.length(250);
    expect(one.values.filter((value) => value === 'added contact')).to.have.length(250);
    await ucwa.close();
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('should be asked for in smaller pieces where the server says that it is too much', async () => {
    const { ucwa, server } = connected({ maxContactsAtOnce: 30 });
    record(presence(ucwa, { uris: people(90) }));
    expect(asked(server)).to.deep.equal([90, 45, 23, 23, 23, 21]);
    expect(watched(server)).to.have.length(90);
    server.endApplications();
    expect(asked(server).slice(6), 'what was learned').to.deep.equal([23, 23, 23, 21]);
    await ucwa.close();
  });

  it('should stay whole where the list changes while the server says that it is too much', () => {
    const { ucwa, server } = connected({ maxContactsAtOnce: 2, latencyMs: 20 }, { batch: false });
    inVirtualTime(() => {
      const uris$ = new BehaviorSubject(people(4));
      const one = record(presence(ucwa, { uris: uris$ }));
      // While what is too much is on its way.
      timer(30).subscribe(() => uris$.next([SARA]));
      timer(300).subscribe(() => {
        expect(one.error).to.equal(undefined);
        expect(watched(server)).to.deep.equal([SARA]);
        one.subscription.unsubscribe();
      });
    });
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('should meet a body that is too large in the same way', async () => {
    const { ucwa, server } = connected();
    server.failNext(1, { status: 413 }, ({ url }) => url.endsWith('presenceSubscriptions'));
    record(presence(ucwa, { uris: people(10) }));
    expect(asked(server)).to.deep.equal([10, 5, 5]);
    await ucwa.close();
  });

  it('should error where even one is too much, and leave the server clean', async () => {
    const { ucwa, server } = connected({ maxContactsAtOnce: 0 });
    const one = record(presence(ucwa, { uris: people(5) }));
    expect(asked(server)).to.deep.equal([5, 3, 2, 1]);
    expect((one.error as Error).message).to.contain('LimitExceeded: the limit of the server is reached');
    await ucwa.drain();
    expect(server.applications).to.deep.equal([]);
  });

  it('should error where there is no way to add the rest', async () => {
    const { ucwa, server } = connected({ maxContactsAtOnce: 2 });
    const self = { href: '/ucwa/oauth/v1/applications/101/people/presenceSubscriptions/97b6bd66' };
    const body = JSON.stringify({ rel: 'presenceSubscription', _links: { self } });
    server.failNext(1, { status: 201, headers: { 'content-type': 'application/json' }, body }, ({ url }) =>
      url.endsWith('presenceSubscriptions'),
    );
    const one = record(presence(ucwa, { uris: people(150) }));
    expect(one.error).to.be.instanceOf(DecodeError);
    expect((one.error as Error).message).to.contain('addToPresenceSubscription');
    await ucwa.drain();
  });
});

describe('two presence Observables on one contact', () => {
  it('should not disturb each other when one leaves', async () => {
    const { ucwa, server } = connected({}, { batch: false });
    const one = record(presence(ucwa, { uris: [SARA] }));
    const two = record(presence(ucwa, { uris: [SARA, BOB] }));
    one.subscription.unsubscribe();
    server.setPresence(SARA, busy);
    expect(two.values.slice(-1)).to.deep.equal(['updated contactPresence']);
    expect(two.values.filter((value) => value.startsWith('deleted'))).to.deep.equal([]);
    expect(server.presenceSubscriptions).to.have.length(1);
    await ucwa.close();
  });

  it('should not disturb each other when one drops the contact', async () => {
    const { ucwa, server } = connected({ contactHrefs: 'opaque' });
    const uris$ = new BehaviorSubject([SARA, BOB]);
    const one = record(presence(ucwa, { uris: uris$ }));
    const two = record(presence(ucwa, { uris: concat(of([SARA]), NEVER) }));
    uris$.next([BOB]);
    const before = [one.values.length, two.values.length];
    server.setPresence(SARA, busy);
    expect([one.values.length, two.values.length]).to.deep.equal([before[0], before[1]! + 1]);
    await ucwa.close();
  });
});
