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
/** The number of contacts in each request with contacts. */
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
  it('sends the difference only', async () => {
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

  it('sends nothing for a list with the same contacts', async () => {
    const { ucwa, sent } = connected();
    const uris$ = new BehaviorSubject([SARA, BOB]);
    record(presence(ucwa, { uris: uris$ }));
    const before = sent().length;
    uris$.next([BOB, 'sip:SARA@contoso.com', BOB]);
    expect(sent()).to.have.length(before);
    await ucwa.close();
  });

  it('begins with the first list that is not empty', async () => {
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

  it('completes without contacts, and keeps the last list otherwise', async () => {
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
    it(`errors and is removed if ${name}`, async () => {
      const { ucwa, server } = connected();
      const one = record(presence(ucwa, { uris }));
      expect(one.error).to.be.instanceOf(TypeError).with.property('message').that.contains('uris');
      await ucwa.drain();
      expect(server.applications).to.deep.equal([]);
    });
  }

  it('completes with the subscription and unsubscribes from the list', async () => {
    const { ucwa, server } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    const one = record(presence(ucwa, { uris: uris$, onLost: 'complete' }));
    server.expire();
    expect(one.isComplete).to.equal(true);
    expect(uris$.observed).to.equal(false);
    await ucwa.drain();
  });

  it('unsubscribes from the list', async () => {
    const { ucwa } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    const one = record(presence(ucwa, { uris: uris$ }));
    expect(uris$.observed).to.equal(true);
    one.subscription.unsubscribe();
    expect(uris$.observed).to.equal(false);
    await ucwa.drain();
  });

  it('distinguishes contacts whose hrefs contain no address', async () => {
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

  it('ends with the last list, however fast the lists change', () => {
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

  it('subscribes to the current list on an application that is re-created', async () => {
    const { ucwa, server } = connected();
    const uris$ = new BehaviorSubject([SARA]);
    record(presence(ucwa, { uris: uris$ }));
    uris$.next([BOB, EVE]);
    server.endApplications();
    expect(watched(server)).to.deep.equal([BOB, EVE]);
    await ucwa.close();
  });

  it('waits for a contact before it re-creates the subscription', async () => {
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
    it(`retries ${name}`, () => {
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

    it(`errors and is removed if ${name} is refused`, async () => {
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

  it('detects that the subscription is gone and re-creates it', async () => {
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
  it('is subscribed to in batches', async () => {
    const { ucwa, server } = connected();
    const one = record(presence(ucwa, { uris: people(250) }));
    expect(asked(server)).to.deep.equal([100, 100, 50]);
    expect(watched(server)).to.have.length(250);
    expect(one.values.filter((value) => value === 'added contact')).to.have.length(250);
    await ucwa.close();
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('is subscribed to in smaller batches after a refusal', async () => {
    const { ucwa, server } = connected({ maxContactsAtOnce: 30 });
    record(presence(ucwa, { uris: people(90) }));
    expect(asked(server)).to.deep.equal([90, 45, 23, 23, 23, 21]);
    expect(watched(server)).to.have.length(90);
    server.endApplications();
    expect(asked(server).slice(6), 'what was learned').to.deep.equal([23, 23, 23, 21]);
    await ucwa.close();
  });

  it('stays complete when the list changes during refusals', () => {
    const { ucwa, server } = connected({ maxContactsAtOnce: 2, latencyMs: 20 }, { batch: false });
    inVirtualTime(() => {
      const uris$ = new BehaviorSubject(people(4));
      const one = record(presence(ucwa, { uris: uris$ }));
      // While a request with too many contacts is in flight.
      timer(30).subscribe(() => uris$.next([SARA]));
      timer(300).subscribe(() => {
        expect(one.error).to.equal(undefined);
        expect(watched(server)).to.deep.equal([SARA]);
        one.subscription.unsubscribe();
      });
    });
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('uses smaller batches after 413', async () => {
    const { ucwa, server } = connected();
    server.failNext(1, { status: 413 }, ({ url }) => url.endsWith('presenceSubscriptions'));
    record(presence(ucwa, { uris: people(10) }));
    expect(asked(server)).to.deep.equal([10, 5, 5]);
    await ucwa.close();
  });

  it('errors if even one contact is too many', async () => {
    const { ucwa, server } = connected({ maxContactsAtOnce: 0 });
    const one = record(presence(ucwa, { uris: people(5) }));
    expect(asked(server)).to.deep.equal([5, 3, 2, 1]);
    expect((one.error as Error).message).to.contain('LimitExceeded: the limit of the server is reached');
    await ucwa.drain();
    expect(server.applications).to.deep.equal([]);
  });

  it('errors without a link to add the others', async () => {
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
  it('do not disturb each other when one leaves', async () => {
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

  it('do not disturb each other when one drops the contact', async () => {
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
