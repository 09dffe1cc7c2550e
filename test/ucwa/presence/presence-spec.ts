import { expect } from 'chai';
import { map, mergeMap, NEVER, of, switchMap, take, timeout, timer } from 'rxjs';
import { ClosedError, HttpError, NetworkError } from '../../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../../lib/ucwa/session/session.ts';
import { presence, type PresenceOptions } from '../../../lib/ucwa/presence/presence.ts';
import { expectUncaught } from '../../support/uncaught.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { existingApplication } from '../../../lib/ucwa/discovery/server.ts';

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const sara: PresenceOptions = { uris: [SARA] };
const bob: PresenceOptions = { uris: [BOB] };
const CREATED = ['added contact', 'added presenceSubscription', 'updated contactPresence'];
const busy = { availability: 'Busy' };

const isCreation = ({ method, url }: HttpRequest): boolean =>
  method === 'POST' && url.endsWith('presenceSubscriptions');
const isRemoval = ({ method, url }: HttpRequest): boolean =>
  method === 'DELETE' && url.includes('presenceSubscriptions');
const removals = (sent: readonly string[]): string[] => sent.filter((line) => line.startsWith('DELETE'));

describe('presence', () => {
  describe('while it is subscribed to', () => {
    it('sends nothing before that', () => {
      const { ucwa, sent } = connected();
      presence(ucwa, sara);
      expect(sent()).to.deep.equal([]);
    });

    it('opens the channel before it creates the subscription', async () => {
      const { ucwa, server, sent } = connected();
      record(presence(ucwa, { uris: [SARA, BOB], durationMinutes: 20 }));
      expect(sent().slice(0, 3)).to.deep.equal([
        'POST applications 201',
        'GET 101/events?ack=1 200',
        'POST 101/subscriptions 201',
      ]);
      expect(JSON.parse(server.requests[2]!.body!)).to.deep.equal({ duration: 20, uris: [SARA, BOB] });
      await ucwa.close();
    });

    it('emits events that arrive before the response', () => {
      const { ucwa, server } = connected({ latencyMs: 20 });
      inVirtualTime(() => {
        // Its answer takes long; the events do not.
        server.failNext(1, { delayMs: 500 }, isCreation);
        const kept = record(presence(ucwa, sara));
        timer(100).subscribe(() => {
          expect(server.presenceSubscriptions).to.have.length(1);
          expect(kept.values).to.deep.equal([]);
        });
        timer(600).subscribe(() => {
          expect(kept.values).to.deep.equal(CREATED);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('emits events of its contacts and of itself only', async () => {
      const { ucwa, server } = connected();
      const all = record(ucwa.events$);
      const one = record(presence(ucwa, sara));
      const two = record(presence(ucwa, bob));
      server.setPresence('sip:SARA@contoso.com', busy);
      server.emit({ type: 'updated', link: { rel: 'missedItems', href: '/missedItems' } });
      server.emit({
        type: 'updated',
        link: { rel: 'contactNote', href: '/people/Sara%40contoso.com/note' },
        in: { rel: 'contact', href: 'https://fe1.contoso.com/people/Sara%40contoso.com' },
      });
      server.emit({
        type: 'added',
        link: { rel: 'participant', href: '/c/1/participants/sara@contoso.com' },
      });
      expect(one.values).to.deep.equal([...CREATED, 'updated contactPresence', 'updated contactNote']);
      expect(two.values).to.deep.equal(CREATED);
      expect(all.values).to.have.length(10);
      await ucwa.close();
    });

    it('emits links that can be followed', async () => {
      const { ucwa, server } = connected();
      const seen: unknown[] = [];
      presence(ucwa, sara)
        .pipe(mergeMap(({ link }) => (link.rel === 'contactPresence' ? ucwa.get(link) : [])))
        .subscribe((resource) => seen.push(resource['availability']));
      server.setPresence(SARA, busy);
      expect(seen).to.deep.equal(['Offline', 'Busy']);
      await ucwa.close();
    });

    it('reads the memberships once for hrefs without addresses', async () => {
      const { ucwa, server, sent } = connected({ contactHrefs: 'opaque' });
      const one = record(presence(ucwa, sara));
      const two = record(presence(ucwa, bob));
      server.setPresence(SARA, busy);
      server.setPresence(BOB, busy);
      expect(one.values).to.deep.equal([...CREATED, 'updated contactPresence']);
      expect(two.values).to.deep.equal([...CREATED, 'updated contactPresence']);
      const asked = sent().filter((line) => line.includes('Memberships'));
      expect(asked).to.deep.equal([
        'GET 101/presenceSubscriptionMemberships?presenceSubscriptionId=97b6bd66 200',
        'GET 101/presenceSubscriptionMemberships?presenceSubscriptionId=97b6bd67 200',
      ]);
      await ucwa.close();
      expect(server.presenceSubscriptions).to.deep.equal([]);
    });

    it('reads the memberships once despite contacts of others', () => {
      const { ucwa, sent } = connected({ contactHrefs: 'opaque', latencyMs: 20 }, { batch: false });
      inVirtualTime(() => {
        const several = [SARA, BOB, 'sip:eve@contoso.com'].map((uri) =>
          record(presence(ucwa, { uris: [uri] })),
        );
        timer(1000).subscribe(() => {
          for (const kept of several) {
            expect(kept.values).to.deep.equal(CREATED);
            kept.subscription.unsubscribe();
          }
        });
      });
      expect(sent().filter((line) => line.includes('Memberships'))).to.have.length(3);
    });

    it('emits nothing of contacts that cannot be identified', async () => {
      const { server } = connected({ contactHrefs: 'opaque' });
      const withoutMemberships: Transport = (request) =>
        server.transport(request).pipe(
          map((response) => {
            if (!isCreation(request)) return response;
            const created = { _links: { self: { href: server.presenceSubscriptions[0]!.href } } };
            return { ...response, body$: of(new TextEncoder().encode(JSON.stringify(created))) };
          }),
        );
      const ucwa = connectUcwa({ server: server.url, auth: bearer('t'), transport: withoutMemberships });
      const kept = record(presence(ucwa, sara));
      expect(kept.values).to.deep.equal(['added presenceSubscription']);
      await ucwa.close();
      expect(server.presenceSubscriptions).to.deep.equal([]);
    });

    it('does not read memberships if the hrefs contain addresses', async () => {
      const { ucwa, server, sent } = connected();
      record(presence(ucwa, sara));
      record(presence(ucwa, bob));
      server.setPresence(SARA, busy);
      expect(sent().filter((line) => line.includes('Memberships'))).to.deep.equal([]);
      await ucwa.close();
    });

    it('keeps the order of events while it reads memberships', () => {
      const { ucwa, server } = connected({ contactHrefs: 'opaque', latencyMs: 20 });
      inVirtualTime(() => {
        const kept = record(presence(ucwa, sara));
        timer(45).subscribe(() => server.setPresence(SARA, busy));
        timer(200).subscribe(() => {
          expect(kept.values).to.deep.equal([...CREATED, 'updated contactPresence']);
          server.setPresence(SARA, { availability: 'Away' });
        });
        timer(400).subscribe(() => {
          expect(kept.values.slice(4)).to.deep.equal(['updated contactPresence']);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('errors and is removed if the memberships are refused', async () => {
      const { ucwa, server, outcomeLines } = connected({ contactHrefs: 'opaque' });
      server.failNext(1, { status: 403 }, ({ url }) => url.includes('Memberships'));
      const kept = record(presence(ucwa, sara));
      expect(kept.error).to.be.instanceOf(HttpError);
      await ucwa.drain();
      expect(server.presenceSubscriptions).to.deep.equal([]);
      expect(outcomeLines()).to.deep.equal(['presenceSubscription Released seen', 'application Released']);
    });

    it('creates one subscription for each subscriber', async () => {
      const { ucwa, server } = connected();
      const watching = presence(ucwa, sara);
      record(watching);
      record(watching);
      expect(server.presenceSubscriptions).to.have.length(2);
      await ucwa.close();
      expect(server.presenceSubscriptions).to.deep.equal([]);
    });

    it('shares one subscription with graceSeconds and keeps it that long', () => {
      const { ucwa, server } = connected();
      inVirtualTime(() => {
        const watching = presence(ucwa, { ...sara, graceSeconds: 5 });
        const one = record(watching);
        const two = record(watching);
        expect(server.presenceSubscriptions).to.have.length(1);
        one.subscription.unsubscribe();
        two.subscription.unsubscribe();
        timer(4999).subscribe(() => {
          expect(server.presenceSubscriptions).to.have.length(1);
          record(watching).subscription.unsubscribe();
        });
        timer(9998).subscribe(() => expect(server.presenceSubscriptions).to.have.length(1));
        timer(10_000).subscribe(() => expect(server.presenceSubscriptions).to.have.length(0));
      });
      expect(server.requests.filter(({ method }) => method === 'POST')).to.have.length(2);
    });
  });

  describe('removes its subscription', () => {
    const last = 'DELETE 101/subscriptions/97b6bd66 204';

    it('sends a keepalive DELETE, then deletes the application', async () => {
      const { ucwa, server, sent, outcomeLines } = connected();
      const requests: HttpRequest[] = [];
      const spying: Transport = (request) => {
        requests.push(request);
        return server.transport(request);
      };
      const other = connectUcwa({ server: server.url, auth: bearer('token'), transport: spying });
      record(presence(other, sara)).subscription.unsubscribe();
      await other.drain();
      const [removal, end] = requests.filter(({ method }) => method === 'DELETE');
      expect(removal).to.deep.include({ method: 'DELETE', keepalive: true });
      expect(removal).not.to.have.property('body');
      expect(removal?.headers).to.have.property('authorization', 'Bearer token');
      expect(removals(sent())).to.deep.equal([last, 'DELETE 101 204']);
      expect(end).to.deep.include({ method: 'DELETE', keepalive: true });
      expect(outcomeLines(), 'of another connection').to.deep.equal([]);
      await ucwa.close();
    });

    type Connected = ReturnType<typeof connected>;
    const closings: readonly (readonly [string, (given: Connected) => unknown])[] = [
      ['unsubscribe', ({ ucwa }) => record(presence(ucwa, sara)).subscription.unsubscribe()],
      ['take(1)', ({ ucwa }) => record(presence(ucwa, sara).pipe(take(1)))],
      [
        'switchMap',
        ({ ucwa }) =>
          of(sara, undefined)
            .pipe(switchMap((options) => (options === undefined ? NEVER : presence(ucwa, options))))
            .subscribe(),
      ],
      [
        'a callback that throws',
        ({ ucwa }) =>
          presence(ucwa, sara)
            .pipe(
              map(() => {
                throw new Error('callback');
              }),
            )
            .subscribe({ error: () => undefined }),
      ],
      [
        'an error of the channel',
        ({ ucwa, server }) => {
          const kept = record(presence(ucwa, sara));
          server.failNext(1, { status: 403 }, ({ url }) => url.includes('/events'));
          server.setPresence(SARA, busy);
          expect(kept.error).to.be.instanceOf(HttpError);
        },
      ],
      ['close()', ({ ucwa }) => [record(presence(ucwa, sara)), ucwa.close()]],
      [
        'await using',
        ({ ucwa }) => {
          record(presence(ucwa, sara));
          return ucwa[Symbol.asyncDispose]();
        },
      ],
    ];
    for (const [name, close] of closings) {
      it(`sends one DELETE after ${name}`, async () => {
        const given = connected();
        await close(given);
        await given.ucwa.drain();
        expect(given.server.presenceSubscriptions).to.deep.equal([]);
        expect(given.server.applications).to.deep.equal([]);
        expect(removals(given.sent())).to.deep.equal([last, 'DELETE 101 204']);
        expect(given.outcomeLines().map((line) => line.replace(/ (seen|notWatched)$/, ''))).to.deep.equal([
          'presenceSubscription Released',
          'application Released',
        ]);
      });
    }

    it('sends a DELETE although an observer throws', async () => {
      const { ucwa, server } = connected();
      const uncaught = expectUncaught();
      const watching = presence(ucwa, sara)
        .pipe(take(2))
        .subscribe({
          next: ({ link }) => {
            if (link.rel === 'contact') throw new Error('observer');
          },
        });
      expect(await uncaught).to.be.instanceOf(Error);
      watching.unsubscribe();
      await ucwa.drain();
      expect(server.presenceSubscriptions).to.deep.equal([]);
    });

    it('sends a DELETE after a timeout', () => {
      const { ucwa, server } = connected();
      inVirtualTime(() => {
        const kept = record(presence(ucwa, sara).pipe(timeout(1000)));
        timer(2000).subscribe(() => {
          expect(kept.error).to.have.property('name', 'TimeoutError');
          expect(server.presenceSubscriptions).to.deep.equal([]);
        });
      });
    });

    it('errors on a connection that is closed', async () => {
      const { ucwa, sent } = connected();
      const watching = presence(ucwa, sara);
      await ucwa.close();
      const kept = record(watching);
      expect(kept.error).to.be.instanceOf(ClosedError);
      expect(sent()).to.deep.equal([]);
    });

    it('completes on close()', async () => {
      const { ucwa } = connected();
      const kept = record(presence(ucwa, sara));
      await ucwa.close();
      expect(kept.isComplete).to.equal(true);
    });

    it('retries until it succeeds', () => {
      const { ucwa, server, outcomes } = connected();
      inVirtualTime(() => {
        const kept = record(presence(ucwa, sara));
        server.failNext(3, 'reset', isRemoval);
        server.failNext(2, { status: 500 }, isRemoval);
        server.failNext(
          1,
          { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
          isRemoval,
        );
        kept.subscription.unsubscribe();
        timer(120_000).subscribe(() => expect(server.presenceSubscriptions).to.deep.equal([]));
      });
      expect(outcomes[0]).to.deep.include({ outcome: 'Released', resource: 'presenceSubscription' });
    });

    it('gives up when the subscription has expired', () => {
      const { ucwa, server, outcomeLines } = connected();
      inVirtualTime(() => {
        const kept = record(presence(ucwa, { ...sara, durationMinutes: 10 }));
        server.failNext(10_000, { status: 503 }, isRemoval);
        kept.subscription.unsubscribe();
        timer(599_000).subscribe(() => expect(outcomeLines()).to.deep.equal([]));
        timer(700_000).subscribe(() =>
          expect(outcomeLines()).to.deep.equal(['presenceSubscription Expired', 'application Released']),
        );
      });
    });

    it('reports the reason of a refused removal', async () => {
      const { ucwa, server, outcomes } = connected();
      const kept = record(presence(ucwa, sara));
      server.failNext(1, { status: 403 }, isRemoval);
      kept.subscription.unsubscribe();
      const { clean } = await ucwa.drain();
      expect(clean).to.equal(false);
      expect(outcomes[0]).to.deep.include({ outcome: 'Failed', attempts: 1 });
      expect(server.presenceSubscriptions, 'gone with the application').to.deep.equal([]);
    });

    it('reports success if it is already gone', async () => {
      const { ucwa, server, outcomeLines } = connected();
      const kept = record(presence(ucwa, sara));
      server.failNext(1, { status: 404 }, isRemoval);
      kept.subscription.unsubscribe();
      const { clean } = await ucwa.drain();
      expect(clean).to.equal(true);
      expect(outcomeLines()[0]).to.equal('presenceSubscription AlreadyGone notWatched');
    });

    it('reports success if the first response was lost', () => {
      const { ucwa, server, outcomeLines } = connected();
      inVirtualTime(() => {
        const kept = record(presence(ucwa, sara));
        server.failNext(1, 'resetAfterActing', isRemoval);
        kept.subscription.unsubscribe();
      });
      expect(outcomeLines()).to.deep.equal([
        'presenceSubscription AlreadyGone notWatched',
        'application Released',
      ]);
    });
  });

  describe('reports the deleted event', () => {
    it('as seen while another subscriber keeps the channel open', async () => {
      const { ucwa, outcomeLines } = connected();
      const all = record(ucwa.events$);
      record(presence(ucwa, sara)).subscription.unsubscribe();
      await ucwa.drain();
      expect(outcomeLines()).to.deep.equal(['presenceSubscription Released seen']);
      expect(all.values.slice(-2)).to.deep.equal(['deleted contact', 'deleted presenceSubscription']);
      await ucwa.close();
    });

    it('as seen after the longest delay of the server', () => {
      const { ucwa, server, outcomeLines } = connected({ mediumSeconds: 5 });
      inVirtualTime(() => {
        const all = record(ucwa.events$);
        const kept = record(presence(ucwa, sara));
        timer(10_000).subscribe(() => kept.subscription.unsubscribe());
        timer(14_999).subscribe(() => {
          expect(server.presenceSubscriptions).to.deep.equal([]);
          expect(outcomeLines()).to.deep.equal([]);
        });
        timer(15_001).subscribe(() => {
          expect(outcomeLines()).to.deep.equal(['presenceSubscription Released seen']);
          all.subscription.unsubscribe();
        });
      });
    });

    it('as not seen if it does not arrive in time', () => {
      const { ucwa, outcomeLines } = connected({ mediumSeconds: 60 });
      inVirtualTime(() => {
        const all = record(ucwa.events$);
        record(presence(ucwa, sara)).subscription.unsubscribe();
        timer(6999).subscribe(() => expect(outcomeLines()).to.deep.equal([]));
        timer(7001).subscribe(() => {
          expect(outcomeLines()).to.deep.equal(['presenceSubscription Released notSeen']);
          all.subscription.unsubscribe();
        });
      });
    });

    it('as not watched if the channel is closed', () => {
      const { ucwa, outcomeLines } = connected({ mediumSeconds: 60 });
      inVirtualTime(() => {
        const all = record(ucwa.events$);
        record(presence(ucwa, sara)).subscription.unsubscribe();
        timer(1000).subscribe(() => {
          all.subscription.unsubscribe();
          expect(outcomeLines()).to.deep.equal(['presenceSubscription Released notWatched']);
        });
      });
      expect(outcomeLines()).to.deep.equal([
        'presenceSubscription Released notWatched',
        'application Released',
      ]);
    });
  });

  describe('is unsubscribed before it exists', () => {
    it('sends nothing before the application exists', () => {
      const { ucwa, server, sent } = connected({ latencyMs: 20 });
      inVirtualTime(() => {
        const kept = record(presence(ucwa, sara));
        timer(5).subscribe(() => kept.subscription.unsubscribe());
      });
      expect(sent()).to.deep.equal(['POST applications 201', 'DELETE 101 204']);
      expect(server.applications).to.deep.equal([]);
    });

    it('sends nothing before the token arrives', () => {
      const { ucwa, sent, outcomeLines } = connected(
        {},
        { auth: bearer(() => timer(50).pipe(map(() => 'token'))) },
      );
      inVirtualTime(() => {
        const kept = record(presence(ucwa, sara));
        timer(5).subscribe(() => kept.subscription.unsubscribe());
      });
      expect(sent()).to.deep.equal([]);
      expect(outcomeLines()).to.deep.equal([]);
    });

    for (const leavesAt of [21, 29, 31, 39]) {
      it(`removes the result of a POST left after ${leavesAt} of 40 ms`, () => {
        const { ucwa, server, sent, outcomeLines } = connected({ latencyMs: 20 });
        inVirtualTime(() => {
          const kept = record(presence(ucwa, sara));
          timer(leavesAt).subscribe(() => kept.subscription.unsubscribe());
          timer(leavesAt + 0.5).subscribe(() => {
            expect(sent().at(-1)).to.equal('POST 101/subscriptions -');
            let pending = 0;
            ucwa.releases.pending$.subscribe((count) => (pending = count));
            expect(pending).to.be.greaterThan(0);
          });
        });
        expect(server.presenceSubscriptions).to.deep.equal([]);
        expect(server.applications).to.deep.equal([]);
        expect(outcomeLines()).to.deep.equal([
          'presenceSubscription Released notWatched',
          'application Released',
        ]);
      });
    }
  });

  describe('cannot be created', () => {
    it('errors if it is refused, and removes nothing', async () => {
      const { ucwa, sent, outcomeLines, server } = connected({ maxPresenceSubscriptions: 0 });
      const kept = record(presence(ucwa, sara));
      expect(kept.error).to.be.instanceOf(HttpError);
      expect((kept.error as Error).message).to.contain('LimitExceeded');
      await ucwa.drain();
      expect(removals(sent())).to.deep.equal(['DELETE 101 204']);
      expect(outcomeLines()).to.deep.equal(['application Released']);
      expect(server.applications).to.deep.equal([]);
    });

    const lost: readonly (readonly [string, Fault])[] = [
      ['the connection breaks after the server acted', 'resetAfterActing'],
      ['the answer breaks off', { truncateAfterBytes: 10 }],
      [
        'a page of a proxy comes instead',
        { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      ],
      ['an answer without its link comes', { status: 201, body: '{"id":"3"}' }],
      ['a gateway gives up', { status: 504 }],
    ];
    for (const [name, fault] of lost) {
      it(`records Unknown if ${name}`, async () => {
        const { ucwa, server, outcomes, sent } = connected();
        server.failNext(1, fault, isCreation);
        const kept = record(presence(ucwa, sara));
        expect(kept.error).to.be.instanceOf(Error);
        const { clean } = await ucwa.drain();
        expect(clean).to.equal(false);
        const [unknown] = outcomes;
        expect(unknown).to.deep.include({
          outcome: 'Unknown',
          resource: 'presenceSubscription',
          id: undefined,
        });
        expect(unknown).to.have.property('hint').that.contains('30 minutes');
        expect(
          sent().filter((line) => line.startsWith('POST 101')),
          'never sent twice',
        ).to.have.length(1);
        expect(server.presenceSubscriptions, 'gone with the application').to.deep.equal([]);
      });
    }

    it('does not wait forever for a silent server', () => {
      const { server } = connected();
      const deaf: Transport = (request) => (isCreation(request) ? NEVER : server.transport(request));
      inVirtualTime(() => {
        const ucwa = connectUcwa({ server: server.url, auth: bearer('t'), transport: deaf });
        const all = record(ucwa.events$);
        const kept = record(presence(ucwa, sara));
        const left = record(presence(ucwa, sara));
        timer(1).subscribe(() => left.subscription.unsubscribe());
        const recorded: string[] = [];
        ucwa.releases.outcomes$.subscribe(({ outcome, resource }) => recorded.push(`${resource} ${outcome}`));
        timer(119_999).subscribe(() => expect(kept.error).to.equal(undefined));
        timer(120_001).subscribe(() => {
          expect(kept.error).to.be.instanceOf(NetworkError);
          expect(recorded).to.deep.equal(['presenceSubscription Unknown', 'presenceSubscription Unknown']);
          all.subscription.unsubscribe();
        });
      });
    });

    it('repeats a request that the server did not process', () => {
      const { ucwa, server } = connected();
      inVirtualTime(() => {
        server.failNext(2, { status: 503 }, isCreation);
        const kept = record(presence(ucwa, sara));
        timer(10_000).subscribe(() => {
          expect(kept.values).to.deep.equal(CREATED);
          expect(server.presenceSubscriptions).to.have.length(1);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('errors if the application has no people', async () => {
      const server = connected().server;
      const bare: Transport = (request) =>
        server.transport(request).pipe(
          map((response) => {
            const body = { _links: { self: { href: '/app' }, events: { href: '/app/events' } } };
            return { ...response, status: 200, body$: of(new TextEncoder().encode(JSON.stringify(body))) };
          }),
        );
      const ucwa = connectUcwa({
        server: existingApplication(`${server.url}/101`),
        auth: bearer('t'),
        transport: bare,
      });
      const kept = record(presence(ucwa, sara));
      expect((kept.error as Error).message).to.contain('/_links/presenceSubscriptions');
      expect((await ucwa.drain()).outcomes).to.deep.equal([]);
    });
  });

  describe('is ended by the server', () => {
    it('emits the deleted event and completes without a DELETE', async () => {
      const { ucwa, server, sent, outcomeLines } = connected();
      const kept = record(presence(ucwa, { ...sara, onLost: 'complete' }));
      const other = record(presence(ucwa, { ...bob, onLost: 'complete' }));
      server.endSubscription('97b6bd66');
      expect(kept.values).to.deep.equal([...CREATED, 'deleted contact', 'deleted presenceSubscription']);
      expect(kept.isComplete).to.equal(true);
      expect(other.values).to.deep.equal(CREATED);
      expect(outcomeLines()).to.deep.equal(['presenceSubscription EndedByServer seen']);
      other.subscription.unsubscribe();
      await ucwa.drain();
      expect(removals(sent())).to.deep.equal(['DELETE 101/subscriptions/97b6bd67 204', 'DELETE 101 204']);
    });

    it('sends no DELETE if the subscriber leaves on the deleted event', async () => {
      const { ucwa, server, sent } = connected();
      record(presence(ucwa, { ...sara, onLost: 'complete' }).pipe(take(5)));
      server.endSubscription('97b6bd66');
      await ucwa.drain();
      expect(removals(sent())).to.deep.equal(['DELETE 101 204']);
    });

    it('completes if it ended before the response arrived', () => {
      const { ucwa, server, outcomeLines } = connected({ latencyMs: 20 });
      inVirtualTime(() => {
        server.failNext(1, { delayMs: 500 }, isCreation);
        const kept = record(presence(ucwa, { ...sara, onLost: 'complete' }));
        timer(200).subscribe(() => server.endSubscription('97b6bd66'));
        timer(600).subscribe(() => {
          expect(kept.values.at(-1)).to.equal('deleted presenceSubscription');
          expect(kept.isComplete).to.equal(true);
          expect(outcomeLines()[0]).to.equal('presenceSubscription EndedByServer seen');
        });
      });
    });

    it('passes errors of the token provider on', () => {
      const refused = new NetworkError('no token', { method: 'POST', url: 'https://sts.example/' });
      const { ucwa, outcomeLines } = connected(
        {},
        {
          auth: bearer(() =>
            timer(1).pipe(
              map(() => {
                throw refused;
              }),
            ),
          ),
        },
      );
      inVirtualTime(() => {
        const kept = record(presence(ucwa, sara));
        timer(60_000).subscribe(() => expect(kept.error).to.equal(refused));
      });
      expect(outcomeLines()).to.deep.equal([]);
    });
  });

  describe('refuses bad options before any request', () => {
    const bad: readonly (readonly [string, object, string])[] = [
      ['no uris', {}, 'uris must be a list of sip: URIs'],
      ['a text', { uris: SARA }, 'uris must be'],
      ['an address without sip:', { uris: [SARA, 'sara@contoso.com'] }, 'uris[1] must be a sip: URI'],
      ['two URIs in one', { uris: [`${SARA} ${BOB}`] }, 'uris[0] must be'],
      ['a number', { uris: [7] }, 'uris[0] must be'],
      [
        'too short a time',
        { uris: [SARA], durationMinutes: 9 },
        'durationMinutes must be a whole number from 10 to 30',
      ],
      ['too long a time', { uris: [SARA], durationMinutes: 31 }, 'durationMinutes must be'],
      ['a fraction', { uris: [SARA], durationMinutes: 10.5 }, 'durationMinutes must be'],
      ['an unknown wish for its end', { uris: [SARA], onLost: 'retry' }, 'onLost must be one of'],
      ['a negative grace time', { uris: [SARA], graceSeconds: -1 }, 'graceSeconds must be'],
    ];
    for (const [name, options, message] of bad) {
      it(`throws for ${name}`, () => {
        const { ucwa, sent } = connected();
        expect(() => presence(ucwa, options as PresenceOptions)).to.throw(TypeError, message);
        expect(sent()).to.deep.equal([]);
      });
    }

    it('throws for a value that is no connection', () => {
      const lookalike = Object.fromEntries(Object.entries(connected().ucwa)) as unknown as Ucwa;
      for (const ucwa of [lookalike, undefined, null, 'ucwa'] as Ucwa[]) {
        expect(() => presence(ucwa, sara)).to.throw(TypeError, 'ucwa must be what connectUcwa() returned');
      }
    });
  });
});
