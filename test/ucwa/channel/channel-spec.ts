import { expect } from 'chai';
import { asyncScheduler, map, NEVER, of, take, timer, Observable, Subject, throwError } from 'rxjs';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import { headersFrom, type HttpRequest, type Transport } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import type { SimulatedEvent } from '../../../lib/testing/ucwa/eventQueue.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import type { EventBatch } from '../../../lib/ucwa/protocol/cursor.ts';
import { expectUncaught } from '../../support/uncaught.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { connected, record } from '../connected.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { existingApplication } from '../../../lib/ucwa/discovery/server.ts';
import { channelRefCount } from '../../../lib/ucwa/channel/channel.ts';

const EVENTS = '/ucwa/oauth/v1/applications/101/events?ack=1';
const thing = (name: string): SimulatedEvent => ({ type: 'updated', link: { rel: name, href: `/${name}` } });
const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');
const polls = (sent: readonly string[]): string[] => sent.filter((line) => line.includes('/events'));

describe('channel', () => {
  describe('shares one long poll', () => {
    it('sends nothing before there is a subscriber', () => {
      const { sent, ucwa } = connected();
      expect(ucwa).to.include.keys('events$', 'batches$');
      expect(sent()).to.deep.equal([]);
    });

    it('sends one request for all subscribers until the last one leaves', async () => {
      const { server, ucwa, sent } = connected();
      const one = record(ucwa.events$);
      const two = record(ucwa.events$);
      server.emit(thing('a'));
      one.subscription.unsubscribe();
      server.emit(thing('b'));
      expect(one.values).to.deep.equal(['updated a']);
      expect(two.values).to.deep.equal(['updated a', 'updated b']);
      two.subscription.unsubscribe();
      await ucwa.drain();
      expect(sent()).to.deep.equal([
        'POST applications 201',
        'GET 101/events?ack=1 200',
        'GET 101/events?ack=2 200',
        'GET 101/events?ack=3 -',
        'DELETE 101 204',
      ]);
    });

    it('resumes at the last cursor of the same application', () => {
      const { server, ucwa, sent } = connected();
      const holding = ucwa.application$.subscribe();
      const first = record(ucwa.events$.pipe(take(1)));
      server.emit(thing('a'));
      server.emit(thing('b'));
      const second = record(ucwa.events$);
      expect([first.values, second.values]).to.deep.equal([['updated a'], ['updated b']]);
      expect(polls(sent())).to.deep.equal([
        'GET 101/events?ack=1 200',
        'GET 101/events?ack=2 -',
        'GET 101/events?ack=2&priority=1 200',
        'GET 101/events?ack=3 -',
      ]);
      second.subscription.unsubscribe();
      holding.unsubscribe();
    });

    it('continues for the others when one observer throws', async () => {
      const { server, ucwa } = connected();
      const uncaught = expectUncaught();
      ucwa.events$.pipe(take(1)).subscribe(() => {
        throw new Error('observer');
      });
      const other = record(ucwa.events$);
      server.emit(thing('a'));
      server.emit(thing('b'));
      expect(await uncaught).to.be.instanceOf(Error);
      expect(other.values).to.deep.equal(['updated a', 'updated b']);
      await ucwa.close();
    });
  });

  describe('follows the cursor of the server', () => {
    it('adds its parameters to the first request only', async () => {
      const { server, ucwa, sent } = connected(
        {},
        { channel: { lowSeconds: 60, mediumSeconds: 30, timeoutSeconds: 300, priority: 1 } },
      );
      const kept = record(ucwa.events$);
      server.emit(thing('a'));
      expect(kept.values).to.deep.equal(['updated a']);
      expect(polls(sent())).to.deep.equal([
        'GET 101/events?ack=1&low=60&medium=30&timeout=300&priority=1 200',
        'GET 101/events?ack=2 -',
      ]);
      await ucwa.close();
    });

    it('follows a link with another query parameter', async () => {
      const { server, ucwa, sent } = connected({ cursorParameter: 'ck' });
      record(ucwa.events$);
      server.emit(thing('a'));
      expect(polls(sent())).to.deep.equal(['GET 101/events?ck=1 200', 'GET 101/events?ck=2 -']);
      await ucwa.close();
    });

    it('emits each batch with its own link and the acknowledging one', async () => {
      const { server, ucwa } = connected();
      const batches: EventBatch[] = [];
      ucwa.batches$.subscribe((batch) => batches.push(batch));
      server.emit(thing('a'));
      expect(batches.map(({ self, next, events }) => [self, next, events.length])).to.deep.equal([
        ['/ucwa/oauth/v1/applications/101/events?ack=1', '/ucwa/oauth/v1/applications/101/events?ack=2', 1],
      ]);
      await ucwa.close();
    });

    it('emits nothing for a response without events', () => {
      const { ucwa, sent } = connected();
      inVirtualTime(() => {
        let batches = 0;
        const reading = ucwa.batches$.subscribe(() => (batches += 1));
        timer(400_000).subscribe(() => {
          expect(batches).to.equal(0);
          expect(polls(sent())).to.deep.equal([
            'GET 101/events?ack=1 200',
            'GET 101/events?ack=2 200',
            'GET 101/events?ack=3 -',
          ]);
          reading.unsubscribe();
        });
      });
    });

    for (const kind of ['resume', 'resync'] as const) {
      it(`follows ${kind} and emits a gap at its position`, async () => {
        const { server, ucwa, sent } = connected();
        const batches: EventBatch[] = [];
        ucwa.batches$.subscribe((batch) => batches.push(batch));
        const kept = record(ucwa.events$);
        server.emit(thing('a'));
        server.reset(kind);
        server.emit(thing('b'));
        expect(kept.values).to.deep.equal(['updated a', `gap ${kind}`, 'updated b']);
        expect(batches.map(({ gap }) => gap)).to.deep.equal([undefined, kind, undefined]);
        expect(polls(sent()).at(-1)).to.equal('GET 101/events?ack=4 -');
        await ucwa.close();
      });
    }

    it('sends nothing to another server that a link leads to', async () => {
      const { server, ucwa, sent, outcomeLines } = connected();
      const evil = { next: { href: 'https://evil.example/events?ack=2' } };
      server.failNext(1, answeringWith(evil, [{ rel: 'me', href: '/me', events: [thing('a')] }]), isPending);
      const kept = record(ucwa.events$);
      expect(kept.error).to.be.instanceOf(OriginError);
      expect((kept.error as Error).message).to.contain('https://evil.example');
      await ucwa.drain();
      expect(sent()).to.deep.equal(['POST applications 201', 'GET 101/events?ack=1 200', 'DELETE 101 204']);
      expect(outcomeLines()).to.deep.equal(['application Released']);
    });

    it('requests no token for another server that a link leads to', async () => {
      const origins: string[] = [];
      const { server, ucwa } = connected(
        {},
        { auth: bearer((origin) => of((origins.push(origin), 'token'))) },
      );
      const elsewhere = { next: { href: 'https://elsewhere.example/events?ack=2' } };
      const sender = { rel: 'me', href: '/me', events: [thing('a')] };
      server.failNext(1, answeringWith(elsewhere, [sender]), isPending);
      expect(record(ucwa.events$).error).to.be.instanceOf(OriginError);
      let refused: unknown;
      ucwa
        .get({ href: 'https://elsewhere.example/people' })
        .subscribe({ error: (error: unknown) => (refused = error) });
      expect(refused).to.be.instanceOf(OriginError);
      await ucwa.close();
      expect([...new Set(origins)]).to.deep.equal(['https://ucwa.example']);
    });
  });

  describe('acknowledges', () => {
    const pollsWhenProcessed = async (ack?: 'eager' | 'processed'): Promise<string[]> => {
      const { server, ucwa, sent } = connected({}, ack === undefined ? {} : { channel: { ack } });
      let seen: string[] = [];
      ucwa.events$.subscribe(() => (seen = polls(sent())));
      server.emit(thing('a'));
      const after = polls(sent());
      expect(after, 'the next request is under way in the end').to.have.length(2);
      await ucwa.close();
      return seen;
    };

    it('sends the next request before it emits the batch', async () => {
      expect(await pollsWhenProcessed()).to.deep.equal([
        'GET 101/events?ack=1 200',
        'GET 101/events?ack=2 -',
      ]);
      expect(await pollsWhenProcessed('eager')).to.have.length(2);
    });

    it("sends the next request after the batch with ack: 'processed'", async () => {
      expect(await pollsWhenProcessed('processed')).to.deep.equal(['GET 101/events?ack=1 200']);
    });

    for (const ack of ['eager', 'processed'] as const) {
      it(`keeps the order for all subscribers when one causes events: ${ack}`, async () => {
        const { server, ucwa } = connected({}, { channel: { ack } });
        const first = record(ucwa.events$, ({ link }) => {
          if (link.rel === 'a') server.emit(thing('b'));
        });
        const second = record(ucwa.events$);
        server.emit(thing('a'));
        expect(first.values).to.deep.equal(['updated a', 'updated b']);
        expect(second.values).to.deep.equal(['updated a', 'updated b']);
        await ucwa.close();
      });
    }

    it('receives a batch again whose processing was interrupted', async () => {
      const { server, ucwa } = connected({}, { channel: { ack: 'processed' } });
      const holding = ucwa.application$.subscribe();
      const first = record(ucwa.events$.pipe(take(1)));
      server.emit(thing('a'));
      const second = record(ucwa.events$);
      expect([first.values, second.values]).to.deep.equal([['updated a'], ['updated a']]);
      holding.unsubscribe();
      await ucwa.close();
    });
  });

  describe('retries transient failures', () => {
    const page: Fault = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' };
    const cases: readonly (readonly [string, Fault, number])[] = [
      ['429', { status: 429 }, 250],
      ['429 with Retry-After', { status: 429, headers: { 'retry-after': '7' } }, 7250],
      ['408', { status: 408 }, 250],
      ['502', { status: 502 }, 250],
      ['503', { status: 503 }, 250],
      ['504', { status: 504 }, 250],
      ['500', { status: 500 }, 250],
      ['a connection that breaks before the answer', 'reset', 250],
      ['a connection that breaks in the answer', { truncateAfterBytes: 40 }, 250],
      ['the page of a proxy', page, 250],
      ['a blank response', { status: 200, body: ' ' }, 250],
      ['malformed JSON', { status: 200, body: '{"_links":' }, 250],
    ];
    for (const [name, fault, waitMs] of cases) {
      it(`sends the same cursor again after ${name} and loses no event`, () => {
        const { server, ucwa, sent } = connected();
        inVirtualTime(() => {
          server.failNext(1, fault, isPending);
          const times: number[] = [];
          const kept = record(ucwa.events$, () => times.push(asyncScheduler.now()));
          server.emit(thing('a'));
          timer(60_000).subscribe(() => {
            expect(kept.values).to.deep.equal(['updated a']);
            expect(times).to.deep.equal([waitMs]);
            const mayArrive = /^(a|the) /.test(name);
            expect(polls(sent()).map((line) => line.replace(/ \S+$/, ''))).to.deep.equal([
              'GET 101/events?ack=1',
              `GET 101/events?ack=1${mayArrive ? '&priority=1' : ''}`,
              'GET 101/events?ack=2',
            ]);
            kept.subscription.unsubscribe();
          });
        });
      });
    }

    it('loses no event of a response that was lost', () => {
      const { server, ucwa } = connected();
      inVirtualTime(() => {
        server.failNext(1, 'resetAfterActing', isPending);
        const kept = record(ucwa.events$);
        server.emit(thing('a'));
        server.emit(thing('b'));
        timer(60_000).subscribe(() => {
          expect(kept.values).to.deep.equal(['updated a', 'updated b']);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('increases its waits until a response arrives', () => {
      const { server, ucwa } = connected();
      inVirtualTime(() => {
        server.failNext(4, { status: 503 }, isPending);
        const kept = record(ucwa.events$);
        const times = (): number[] =>
          server.requests.filter(({ path }) => path.includes('/events')).map(({ time }) => time);
        timer(10_000).subscribe(() => {
          expect(times()).to.deep.equal([0, 250, 750, 1750, 3750]);
          server.failNext(1, { status: 503 }, isPending);
          server.emit(thing('a'));
        });
        timer(20_000).subscribe(() => {
          expect(times().slice(5)).to.deep.equal([10_000, 10_250]);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('backs off from a server that responds at once', () => {
      const { server, ucwa } = connected({ timeoutSeconds: 0 });
      inVirtualTime(() => {
        const kept = record(ucwa.events$);
        timer(60_000).subscribe(() => {
          expect(server.requests.length).to.be.lessThan(15);
          kept.subscription.unsubscribe();
        });
      });
    });

    for (const kind of ['resync', 'resume'] as const) {
      it(`backs off from repeated immediate ${kind}s`, () => {
        const { server, ucwa } = connected();
        inVirtualTime(() => {
          server.failNext(1000, answeringWith({ [kind]: { href: EVENTS } }), isPending);
          const kept = record(ucwa.events$);
          timer(7000).subscribe(() => {
            const times = server.requests.filter(({ path }) => path.includes('/events'));
            expect(times.map(({ time }) => time)).to.deep.equal([0, 0, 250, 750, 1750, 3750]);
            expect(kept.values).to.deep.equal(times.map(() => `gap ${kind}`));
            kept.subscription.unsubscribe();
          });
        });
      });
    }

    it('sends at most 500 requests in a row without a pause', () => {
      const { server, ucwa } = connected();
      inVirtualTime(() => {
        const sender = { rel: 'me', href: '/me', events: [thing('a')] };
        server.failNext(2000, answeringWith({ next: { href: EVENTS } }, [sender]), isPending);
        const kept = record(ucwa.events$);
        timer(600).subscribe(() => {
          const times = server.requests.filter(({ path }) => path.includes('/events'));
          const asked = [0, 250, 500].map((at) => times.filter(({ time }) => time === at).length);
          expect(asked).to.deep.equal([501, 501, 501]);
          expect(times).to.have.length(3 * 501);
          expect(kept.values).to.have.length(3 * 501);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('drains a backlog of 10,000 events without a wait', () => {
      const { server, ucwa } = connected();
      inVirtualTime(() => {
        const sender = { rel: 'me', href: '/me', events: Array.from({ length: 50 }, () => thing('a')) };
        server.failNext(200, answeringWith({ next: { href: EVENTS } }, [sender]), isPending);
        const times: number[] = [];
        const kept = record(ucwa.events$, () => times.push(asyncScheduler.now()));
        timer(1000).subscribe(() => {
          expect(times).to.have.length(10_000);
          expect(times.at(-1)).to.equal(0);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('emits a batch in full before it acknowledges it after a wait', () => {
      const { server, ucwa } = connected({}, { channel: { ack: 'processed' } });
      inVirtualTime(() => {
        server.failNext(2, answeringWith({ resync: { href: EVENTS } }), isPending);
        const asked: number[] = [];
        const kept = record(ucwa.events$, () =>
          asked.push(polls(server.requests.map(({ path }) => path)).length),
        );
        timer(1000).subscribe(() => {
          expect(asked).to.deep.equal([1, 2]);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('resends a request without a response after its timeout', () => {
      const { server } = connected();
      const deaf: Transport = (request) =>
        isPending(request) && asyncScheduler.now() < 1000 ? NEVER : server.transport(request);
      inVirtualTime(() => {
        const channel = { timeoutSeconds: 200 };
        const ucwa = connectUcwa({ server: server.url, auth: bearer('t'), transport: deaf, channel });
        const kept = record(ucwa.events$);
        const asked = (): string[] => polls(server.requests.map(({ path }) => path));
        timer(319_999).subscribe(() => expect(asked()).to.have.length(0));
        timer(321_000).subscribe(() => {
          expect(asked()).to.have.length(1);
          expect(asked()[0]).to.contain('events?ack=1&timeout=200');
          expect(kept.error).to.equal(undefined);
          kept.subscription.unsubscribe();
        });
      });
    });

    it('stops waiting when the last subscriber leaves', () => {
      const { server, ucwa, sent } = connected();
      inVirtualTime(() => {
        server.failNext(1, { status: 503 }, isPending);
        const kept = record(ucwa.events$);
        timer(100).subscribe(() => kept.subscription.unsubscribe());
      });
      expect(polls(sent())).to.deep.equal(['GET 101/events?ack=1 503']);
    });
  });

  describe('ends with permanent failures', () => {
    const json = (status: number, code: string, subcode?: string): Fault => ({
      status,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, subcode }),
    });
    const cases: readonly (readonly [string, Fault, string])[] = [
      [
        '400',
        json(400, 'BadRequest', 'ParameterValidationFailure'),
        '400 BadRequest/ParameterValidationFailure',
      ],
      ['401', { status: 401 }, 'the token was refused'],
      ['403', json(403, 'Forbidden'), 'not allowed'],
      ['409 PGetReplaced', json(409, 'Conflict', 'PGetReplaced'), 'another client reads the event channel'],
      ['a 404 that is not from UCWA', { status: 404, body: '<html>' }, 'check the URL'],
    ];
    for (const [name, fault, message] of cases) {
      it(`errors at once for ${name} and leaves the server clean`, async () => {
        const { server, ucwa, outcomeLines } = connected();
        server.failNext(1, fault, isPending);
        const kept = record(ucwa.events$);
        expect(kept.error).to.be.instanceOf(HttpError);
        expect((kept.error as Error).message).to.contain(message);
        await ucwa.drain();
        expect(server.applications).to.deep.equal([]);
        expect(outcomeLines()).to.deep.equal(['application Released']);
      });
    }

    const tiring: readonly (readonly [string, Fault, new (...args: never[]) => Error])[] = [
      ['500', { status: 500 }, HttpError],
      ['texts', { status: 200, headers: { 'content-type': 'text/plain' }, body: 'busy' }, DecodeError],
      ['answers without a link to follow', answeringWith({}), DecodeError],
    ];
    for (const [name, fault, kind] of tiring) {
      it(`errors after four ${name} in a row`, () => {
        const { server, ucwa } = connected();
        inVirtualTime(() => {
          server.failNext(4, fault, isPending);
          const kept = record(ucwa.events$);
          timer(60_000).subscribe(() => {
            expect(kept.error).to.be.instanceOf(kind);
            expect(polls(server.requests.map(({ path }) => path))).to.have.length(4);
            expect(server.applications).to.deep.equal([]);
          });
        });
      });
    }

    const ended: readonly (readonly [string, string])[] = [
      ['InactiveApplicationExpired', 'after a time without activity; subscribe again'],
      ['TooManyApplications', 'the user has too many; close another one'],
      ['UserAgentNotAllowed', 'does not allow this userAgent; choose another one'],
    ];
    for (const [subcode, message] of ended) {
      it(`errors with the cause and a remedy for an ended application: ${subcode}`, async () => {
        const { server, ucwa, outcomeLines, sent } = connected();
        server.failNext(1, json(410, 'Gone', subcode), isPending);
        const kept = record(ucwa.events$);
        expect((kept.error as Error).message)
          .to.contain(`410 Gone/${subcode}`)
          .and.to.contain(message);
        await ucwa.drain();
        expect(outcomeLines()).to.deep.equal(['application EndedByServer']);
        expect(sent().at(-1)).to.equal('GET 101/events?ack=1 410');
      });
    }

    it('reports that a given application is gone without a DELETE', () => {
      const { server, ucwa: owner, sent } = connected();
      owner.application$.subscribe();
      const recorded: unknown[] = [];
      const ucwa = connectUcwa({
        server: existingApplication(`${server.url}/101`),
        auth: bearer('t'),
        transport: server.transport,
      });
      ucwa.releases.outcomes$.subscribe((outcome) => recorded.push(outcome));
      inVirtualTime(() => {
        const kept = record(ucwa.events$);
        const other = record(ucwa.batches$.pipe(map(({ events }) => events[0]!)));
        server.restart();
        timer(60_000).subscribe(() => {
          expect(kept.error).to.be.instanceOf(HttpError);
          expect((kept.error as Error).message).to.contain('there is no such application');
          expect(other.error).to.equal(kept.error);
          expect(recorded).to.deep.equal([]);
          expect(sent().filter((line) => line.startsWith('DELETE'))).to.deep.equal([]);
        });
      });
    });

    it('emits the last batch before it errors', () => {
      const answers = [
        {
          body: {
            _links: { next: { href: '/e?ack=2' } },
            sender: [{ rel: 'me', href: '/me', events: [thing('a')] }],
          },
        },
        { status: 403, body: { code: 'Forbidden' } },
      ];
      const scripted: Transport = ({ method, url }) => {
        const application = { _links: { self: { href: '/app' }, events: { href: '/e?ack=1' } } };
        const { status = 200, body } =
          method === 'GET' && url.includes('/e?') ? answers.shift()! : { body: application };
        const body$ = of(new TextEncoder().encode(JSON.stringify(body)));
        return of({ status, url, headers: headersFrom({ 'content-type': 'application/json' }), body$ });
      };
      const ucwa = connectUcwa({
        server: existingApplication('https://ucwa.example/app'),
        auth: bearer('t'),
        transport: scripted,
      });
      const kept = record(ucwa.events$);
      expect(kept.values).to.deep.equal(['updated a']);
      expect(kept.error).to.be.instanceOf(HttpError);
    });

    it('waits for a network without limit', () => {
      const { server, ucwa } = connected();
      inVirtualTime(() => {
        server.failNext(100, 'reset', isPending);
        const kept = record(ucwa.events$);
        timer(600_000).subscribe(() => {
          expect(kept.error).to.equal(undefined);
          kept.subscription.unsubscribe();
        });
      });
      expect(server.applications).to.deep.equal([]);
    });

    it('passes errors of the token provider on', () => {
      const { ucwa } = connected({}, { auth: bearer(() => new Promise<string>(() => undefined)) });
      const kept = record(ucwa.events$);
      kept.subscription.unsubscribe();
      const failing = connected(
        {},
        {
          auth: bearer(() =>
            timer(0).pipe(
              map(() => {
                throw new NetworkError('no token', { method: 'POST', url: 'https://sts.example/' });
              }),
            ),
          ),
        },
      );
      inVirtualTime(() => {
        const other = record(failing.ucwa.events$);
        timer(1).subscribe(() => expect(other.error).to.be.instanceOf(NetworkError));
      });
    });
  });
});

function answeringWith(links: object, sender: readonly object[] = []): Fault {
  const body = JSON.stringify({ _links: links, sender });
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

/** A channel, and how often it was opened and closed. */
function counted(source: Observable<unknown>): {
  readonly channel$: Observable<unknown>;
  readonly opened: string[];
} {
  const opened: string[] = [];
  const channel$ = new Observable((subscriber) => {
    opened.push('open');
    source.subscribe(subscriber);
    return () => opened.push('close');
  });
  return { channel$, opened };
}

describe('channelRefCount', () => {
  it('opens the channel once, and closes it with the last user', () => {
    const { channel$, opened } = counted(NEVER);
    const { acquire: begin, release: end } = channelRefCount(channel$);
    const listeners = Array.from({ length: 1000 }, () => (): void => expect.fail('nothing failed'));
    listeners.forEach(begin);
    expect(opened).to.deep.equal(['open']);
    listeners.slice(1).forEach(end);
    expect(opened).to.deep.equal(['open']);
    end(listeners[0]!);
    expect(opened).to.deep.equal(['open', 'close']);
  });

  it('opens the channel again for a later user', () => {
    const { channel$, opened } = counted(NEVER);
    const { acquire: begin, release: end } = channelRefCount(channel$);
    const failed = (): void => undefined;
    begin(failed);
    end(failed);
    begin(failed);
    expect(opened).to.deep.equal(['open', 'close', 'open']);
  });

  it('reports the error of the channel once to each current user', () => {
    const channel = new Subject();
    const { acquire: begin, release: end } = channelRefCount(channel);
    const recorded: string[] = [];
    const one = (error: unknown): unknown => recorded.push(`one ${String(error)}`);
    const other = (error: unknown): unknown => recorded.push(`other ${String(error)}`);
    const gone = (): void => expect.fail('it has left');
    [one, gone, other].forEach(begin);
    end(gone);
    channel.error('broken');
    end(one);
    expect(recorded).to.deep.equal(['one broken', 'other broken']);
  });

  it('reports an immediate error to the first user', () => {
    const recorded: unknown[] = [];
    channelRefCount(throwError(() => 'broken')).acquire((error) => recorded.push(error));
    expect(recorded).to.deep.equal(['broken']);
  });

  it('opens the channel again for a user that its error causes', () => {
    const sources = [new Subject(), NEVER];
    const { channel$, opened } = counted(
      new Observable((subscriber) => sources[opened.length === 1 ? 0 : 1]?.subscribe(subscriber)),
    );
    const { acquire: begin, release: end } = channelRefCount(channel$);
    const again = (): void => expect.fail('nothing failed again');
    begin(() => begin(again));
    (sources[0] as Subject<unknown>).error('broken');
    expect(opened).to.deep.equal(['open', 'open', 'close']);
    end(again);
    expect(opened).to.deep.equal(['open', 'open', 'close', 'close']);
  });
});
