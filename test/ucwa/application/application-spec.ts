import { expect } from 'chai';
import { asyncScheduler, timer } from 'rxjs';
import { DecodeError, HttpError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import type { Application } from '../../../lib/ucwa/application/liveApplication.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../../lib/ucwa/session/session.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';
import { existingApplication } from '../../../lib/ucwa/discovery/server.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

const isCreation = ({ method, url }: HttpRequest): boolean =>
  method === 'POST' && url.endsWith('/applications');
const isRemoval = ({ method, url }: HttpRequest): boolean => method === 'DELETE' && url.endsWith('/101');

interface Held {
  readonly seen: Application[];
  error: unknown;
  readonly leave: () => void;
}

const hold = (ucwa: Ucwa): Held => {
  const held: { seen: Application[]; error: unknown; leave: () => void } = {
    seen: [],
    error: undefined,
    leave: () => holding.unsubscribe(),
  };
  const holding = ucwa.application$.subscribe({
    next: (application) => held.seen.push(application),
    error: (error: unknown) => (held.error = error),
  });
  return held;
};

describe('application', () => {
  describe('that is created', () => {
    it('is shared, and deleted when the last subscriber unsubscribes', async () => {
      const { ucwa, server, sent, outcomeLines } = connected();
      const one = hold(ucwa);
      const two = hold(ucwa);
      expect(two.seen).to.deep.equal(one.seen);
      expect(one.seen[0]).to.include({
        self: `${server.url}/101`,
        events: `${server.url}/101/events?ack=1`,
      });
      expect(one.seen[0]).to.have.keys('self', 'events', 'me', 'people', 'resource');
      one.leave();
      expect(server.applications).to.have.length(1);
      two.leave();
      await ucwa.drain();
      expect(sent()).to.deep.equal(['POST applications 201', 'DELETE 101 204']);
      expect(outcomeLines()).to.deep.equal(['application Released']);
    });

    it('is deleted after its resources', () => {
      const { ucwa, sent } = connected({ latencyMs: 20 });
      inVirtualTime(() => {
        const kept = record(presence(ucwa, { uris: ['sip:sara@contoso.com'] }));
        timer(100).subscribe(() => kept.subscription.unsubscribe());
      });
      expect(sent().slice(-2)).to.deep.equal(['DELETE 101/subscriptions/97b6bd66 204', 'DELETE 101 204']);
    });

    it('identifies itself to the server', () => {
      const identity = { culture: 'de-de', endpointId: 'e', userAgent: 'Spec/1.0', instanceId: 'tab' };
      const { ucwa, server } = connected({}, identity);
      hold(ucwa).leave();
      expect(JSON.parse(server.requests[0]!.body!)).to.deep.equal(identity);
      expect(server.requests[0]!.headers).to.include({ 'x-ms-requiresminresourceversion': '2' });
    });

    it('has its own id per connection unless the caller sets one', () => {
      const bodies = [connected(), connected()].map(({ ucwa, server }) => {
        hold(ucwa).leave();
        expect(server.requests[0]!.headers).not.to.include.keys('x-ms-requiresminresourceversion');
        return JSON.parse(server.requests[0]!.body!) as Record<string, unknown>;
      });
      expect(bodies[0]).to.include({ culture: 'en-us', userAgent: 'rxchange' });
      expect(bodies[0]?.['endpointId']).not.to.equal(bodies[1]?.['endpointId']);
    });

    it('stays for the grace time, and is deleted at once on drain', () => {
      const { ucwa, server, sent } = connected({}, { graceSeconds: 10 });
      inVirtualTime(() => {
        hold(ucwa).leave();
        timer(9000).subscribe(() => hold(ucwa).leave());
        timer(18_999).subscribe(() => expect(server.applications).to.have.length(1));
        timer(19_001).subscribe(() => expect(server.applications).to.have.length(0));
        timer(20_000).subscribe(() => {
          hold(ucwa).leave();
          void ucwa.drain();
          expect(server.applications).to.have.length(0);
        });
      });
      expect(sent().filter((line) => line.startsWith('POST'))).to.have.length(2);
    });

    it('stays for 3 seconds by default', () => {
      const { ucwa, server, sent } = connected();
      inVirtualTime(() => {
        hold(ucwa).leave();
        timer(2999).subscribe(() => expect(server.applications).to.have.length(1));
        timer(3001).subscribe(() => expect(server.applications).to.have.length(0));
      });
      expect(sent()).to.deep.equal(['POST applications 201', 'DELETE 101 204']);
    });

    it('is created once for 71 components that mount and unmount in turn', () => {
      const { ucwa, server, sent } = connected({ latencyMs: 20 });
      inVirtualTime(() => {
        for (let mount = 0; mount < 71; mount += 1) {
          timer(mount * 137).subscribe(() => {
            const kept = record(presence(ucwa, { uris: ['sip:sara@contoso.com'] }));
            timer(mount % 2 === 0 ? 90 : 30).subscribe(() => kept.subscription.unsubscribe());
          });
        }
      });
      expect(sent().filter((line) => line.startsWith('POST applications'))).to.have.length(1);
      expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
    });

    it('stays when the first component unmounts during its creation', () => {
      const { ucwa, server, sent } = connected({ latencyMs: 20 });
      inVirtualTime(() => {
        const first = hold(ucwa);
        timer(5).subscribe(() => first.leave());
        timer(6).subscribe(() => {
          const second = hold(ucwa);
          timer(100).subscribe(() => second.leave());
        });
      });
      expect(sent()).to.deep.equal(['POST applications 201', 'DELETE 101 204']);
      expect(server.applications).to.deep.equal([]);
    });

    it('is not requested again after the last unsubscribes from a refused creation', () => {
      const { ucwa, server, sent } = connected();
      inVirtualTime(({ flush }) => {
        server.failNext(10, { status: 503 }, isCreation);
        const held = hold(ucwa);
        timer(100).subscribe(() => held.leave());
        flush();
        // No timer is left: a process ends here.
        expect(asyncScheduler.now()).to.equal(100);
      });
      expect(sent()).to.deep.equal(['POST applications 503']);
    });

    it('is not re-created after the last unsubscribes while the creation waits', () => {
      const { ucwa, server, sent } = connected();
      inVirtualTime(({ flush }) => {
        const all = record(ucwa.events$);
        server.failNext(100, { status: 503 }, isCreation);
        timer(100).subscribe(() => server.restart());
        timer(20_000).subscribe(() => all.subscription.unsubscribe());
        flush();
        expect(asyncScheduler.now()).to.equal(20_000);
      });
      expect(sent().filter((line) => line === 'POST applications 503')).not.to.have.length(0);
    });

    for (const how of ['close', 'drain', 'await using'] as const) {
      for (const grace of [{}, { graceSeconds: 60 }]) {
        it(`is deleted before ${how} resolves, with ${JSON.stringify(grace)} and slow releases`, async () => {
          const { ucwa, server, outcomeLines } = connected({ latencyMs: 20 }, grace);
          let ended: PromiseLike<unknown> | undefined;
          inVirtualTime(() => {
            const watching = record(presence(ucwa, { uris: ['sip:sara@contoso.com'], ...grace }));
            timer(200).subscribe(() => {
              if (how !== 'close') watching.subscription.unsubscribe();
              ended = how === 'await using' ? ucwa[Symbol.asyncDispose]() : ucwa[how]();
            });
            timer(500).subscribe(() => {
              expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
            });
          });
          const report = await ended;
          expect(outcomeLines()).to.deep.equal([
            'presenceSubscription Released notWatched',
            'application Released',
          ]);
          if (how === 'await using') return;
          expect(report).to.have.property('clean', true);
          expect(report).to.have.property('outcomes').with.length(2);
        });
      }
    }

    it('survives a drain while it has a subscriber', async () => {
      const { ucwa, server } = connected();
      const held = hold(ucwa);
      record(presence(ucwa, { uris: ['sip:sara@contoso.com'] })).subscription.unsubscribe();
      await ucwa.drain();
      expect(server.applications).to.have.length(1);
      held.leave();
      await ucwa.drain();
      expect(server.applications).to.deep.equal([]);
    });

    it('is re-created only after the previous one is deleted', () => {
      const { ucwa, server, sent } = connected({ latencyMs: 20 }, { graceSeconds: 0 });
      inVirtualTime(() => {
        const first = hold(ucwa);
        timer(30).subscribe(() => {
          first.leave();
          const second = hold(ucwa);
          timer(100).subscribe(() => {
            expect(second.seen[0]?.self).to.contain('/102');
            expect(server.applications).to.have.length(1);
            second.leave();
          });
        });
      });
      expect(sent()).to.deep.equal([
        'POST applications 201',
        'DELETE 101 204',
        'POST applications 201',
        'DELETE 102 204',
      ]);
    });

    it('is not confused with an earlier one whose creation was canceled', () => {
      const { ucwa, server } = connected({ latencyMs: 20 }, { endpointId: 'the same' });
      inVirtualTime(() => {
        const first = hold(ucwa);
        timer(5).subscribe(() => first.leave());
        timer(6).subscribe(() => {
          const second = hold(ucwa);
          timer(100).subscribe(() => {
            expect(second.seen).to.have.length(1);
            expect(server.applications.map(({ href }) => href)).to.deep.equal([
              new URL(second.seen[0]!.self).pathname,
            ]);
            second.leave();
          });
        });
      });
      expect(server.applications).to.deep.equal([]);
    });

    const lost: readonly (readonly [string, Fault])[] = [
      ['before the server acted', 'reset'],
      ['after it', 'resetAfterActing'],
      ['at a gateway', { status: 504 }],
    ];
    for (const [name, fault] of lost) {
      it(`is created once although the response was lost ${name}`, () => {
        const { ucwa, server, outcomeLines } = connected();
        inVirtualTime(() => {
          server.failNext(1, fault, isCreation);
          const held = hold(ucwa);
          timer(1000).subscribe(() => {
            expect(held.seen).to.have.length(1);
            expect(server.applications).to.have.length(1);
            held.leave();
          });
        });
        expect(server.applications).to.deep.equal([]);
        expect(outcomeLines()).to.deep.equal(['application Released']);
      });
    }

    it('reports Unknown if no response arrives at all', () => {
      const { ucwa, server, outcomes } = connected();
      inVirtualTime(() => {
        server.failNext(10, 'resetAfterActing', isCreation);
        const held = hold(ucwa);
        timer(60_000).subscribe(() => expect(held.error).to.have.property('name', 'NetworkError'));
      });
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.deep.include({ outcome: 'Unknown', resource: 'application' });
      expect(outcomes[0]).to.have.property('hint').that.contains('15 minutes');
    });

    it('stays Unknown if a refusal follows a lost response', () => {
      const { ucwa, server, outcomeLines } = connected();
      inVirtualTime(() => {
        server.failNext(1, 'resetAfterActing', isCreation);
        server.failNext(1, { status: 403 }, isCreation);
        const held = hold(ucwa);
        timer(60_000).subscribe(() => {
          expect(held.error).to.be.instanceOf(HttpError);
          expect(server.applications).to.have.length(1);
        });
      });
      expect(outcomeLines()).to.deep.equal(['application Unknown']);
    });

    it('errors when the server refuses it, and can be requested again', async () => {
      const { ucwa, server } = connected();
      server.failNext(1, { status: 403 }, isCreation);
      const first = hold(ucwa);
      expect(first.error).to.be.instanceOf(HttpError);
      const second = hold(ucwa);
      expect(second.seen).to.have.length(1);
      second.leave();
      await ucwa.drain();
      expect(server.applications).to.deep.equal([]);
    });

    for (const [subcode, message] of [
      ['TooManyApplications', 'close another one'],
      ['UserAgentNotAllowed', 'consult the administrator'],
    ] as const) {
      it(`errors without a retry if the server refuses to create one: ${subcode}`, async () => {
        const { ucwa, server, sent, outcomeLines } = connected({}, { onApplicationEnded: 'recreate' });
        const body = JSON.stringify({ code: 'Gone', subcode });
        server.failNext(
          1,
          { status: 410, headers: { 'content-type': 'application/json' }, body },
          isCreation,
        );
        expect((hold(ucwa).error as Error).message)
          .to.contain(`410 Gone/${subcode}`)
          .and.to.contain(message);
        await ucwa.drain();
        expect(sent()).to.deep.equal(['POST applications 410']);
        expect(outcomeLines()).to.deep.equal([]);
      });
    }

    it('errors if it has no event channel', () => {
      const { ucwa, server } = connected();
      server.failNext(1, { status: 201, body: '{"_links":{"self":{"href":"/a"},"events":[]}}' }, isCreation);
      expect(hold(ucwa).error).to.be.instanceOf(DecodeError);
    });

    it('is deleted by a retry after a failed DELETE', () => {
      const { ucwa, server, outcomes } = connected();
      inVirtualTime(() => {
        server.failNext(8, { status: 503 }, isRemoval);
        hold(ucwa).leave();
      });
      expect(server.applications).to.deep.equal([]);
      expect(outcomes[0]).to.deep.include({ outcome: 'Released' });
    });
  });

  describe('that is given', () => {
    const given = (): ReturnType<typeof connected> & { readonly owner: ReturnType<typeof connected> } => {
      const owner = connected();
      hold(owner.ucwa);
      const ucwa = connectUcwa({
        server: existingApplication(`${owner.server.url}/101`),
        auth: bearer('token'),
        transport: owner.server.transport,
        retry: { random: () => 0.5 },
      });
      return { ...owner, ucwa, owner };
    };

    it('is read once, shared, and never deleted', async () => {
      const { ucwa, server, sent, owner } = given();
      const one = hold(ucwa);
      const two = hold(ucwa);
      expect(one.seen[0]?.self).to.equal(`${server.url}/101`);
      one.leave();
      two.leave();
      expect((await ucwa.drain()).outcomes).to.deep.equal([]);
      expect(sent()).to.deep.equal(['POST applications 201', 'GET 101 200']);
      expect(server.applications).to.have.length(1);
      await owner.ucwa.close();
    });

    it('resumes its channel at the last cursor', async () => {
      const { ucwa, server, sent, owner } = given();
      const first = record(ucwa.events$);
      server.emit({ type: 'updated', link: { rel: 'a', href: '/a' } });
      first.subscription.unsubscribe();
      server.emit({ type: 'updated', link: { rel: 'b', href: '/b' } });
      const second = record(ucwa.events$);
      expect([first.values, second.values]).to.deep.equal([['updated a'], ['updated b']]);
      expect(sent().filter((line) => line.includes('ack=1'))).to.have.length(1);
      second.subscription.unsubscribe();
      await owner.ucwa.close();
    });

    it('errors when it is gone, and is read again by later subscribers', () => {
      const { ucwa, server } = given();
      inVirtualTime(() => {
        const all = record(ucwa.events$);
        server.restart();
        timer(60_000).subscribe(() => {
          expect((all.error as Error).message).to.contain('there is no such application');
          const held = hold(ucwa);
          expect((held.error as Error).message).to.contain('404 NotFound/ApplicationNotFound');
        });
      });
    });
  });
});
