import { expect } from 'chai';
import { delay, mergeMap, of, Subject, takeUntil, throwError } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../lib/core/transport/transport.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import type { ContactPresence } from '../../lib/ucwa/presence/contactState.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { presenceBoard } from '../../lib/ucwa/presence/presenceBoard.ts';
import { batchText, requestsIn } from '../support/ucwa/batches.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';
import { response } from '../support/responses.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { type Batching, batching } from '../../lib/ucwa/batch/batched.ts';

/** `no network`, the status of every response, or `parts`. */
type Failure = 'no network' | 429 | 503 | 'parts';

/** `parts`: a proxy answers batches with 200, and each of their parts with 503. */
const failed = (request: HttpRequest, failure: Failure): ReturnType<Transport> => {
  if (failure === 'no network') return throwError(() => new NetworkError('no answer', request));
  if (failure !== 'parts') return of({ ...response(failure), url: request.url });
  const isBatch = request.headers?.['content-type']?.startsWith('multipart/') === true;
  if (!isBatch) return of({ ...response(503), url: request.url });
  const body = [batchText(requestsIn(request).map(() => ({ status: 503 })))];
  const headers = { 'content-type': 'multipart/batching; boundary="3968fb75-0b0e"' };
  return of({ ...response(200, { headers, body }), url: request.url });
};

const named = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `sip:u${index}@contoso.com`);

/** The requests in ten minutes of failure, and in the minute after it. */
interface Counted {
  readonly during: readonly string[];
  readonly after: readonly string[];
  readonly board: ReadonlyMap<string, ContactPresence>;
}

const batch = batching();

/** All contacts change, then the server fails. Without contacts, only the channel is open. */
function outage(
  contacts: number,
  failure: Failure,
  batches: { readonly batch?: Batching } = { batch },
): Counted {
  const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 50 });
  const during: string[] = [];
  const after: string[] = [];
  const lost = new NetworkError('it broke off', { method: 'GET', url: server.url });
  const broken = new Subject<void>();
  /** The requests in flight fail when the server begins to fail. */
  const breaks = broken.pipe(mergeMap(() => throwError(() => lost)));
  let phase: 'before' | 'during' | 'after' = 'before';
  let board: Counted['board'] = new Map();
  const transport: Transport = (request) => {
    if (phase === 'during') during.push(request.url);
    if (phase === 'after') after.push(request.url);
    if (phase === 'during') return failed(request, failure);
    return server.transport(request).pipe(takeUntil(breaks));
  };
  inVirtualTime(() => {
    const ucwa = connectUcwa({
      ...{ server: server.url, auth: bearer('token'), transport, retry: { random: () => 0.5 } },
      ...batches,
    });
    const uris = named(contacts);
    const watching =
      contacts === 0
        ? ucwa.events$.subscribe()
        : presenceBoard(ucwa, uris).subscribe((states) => (board = states));
    at(60, () => uris.forEach((uri) => server.setPresence(uri, { availability: 'Busy' })));
    at(60.026, () => {
      phase = 'during';
      broken.next();
    });
    at(660, () => (phase = 'after'));
    at(720, () => {
      phase = 'before';
      watching.unsubscribe();
    });
  });
  return { during, after, board };
}

const isBusy = ({ availability, failure }: ContactPresence): boolean =>
  availability === 'Busy' && failure === undefined;

/** All contacts change in the instant in which all requests but P-GETs begin to fail for a minute. */
function burst(
  contacts: number,
  failure: Failure,
  batches: { readonly batch?: Batching } = {},
): { readonly sent: number; readonly busy: number } {
  const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 50 });
  let sent = 0;
  let isDown = false;
  let board: Counted['board'] = new Map();
  const transport: Transport = (request) => {
    if (!isDown || request.url.includes('/events')) return server.transport(request);
    sent += 1;
    return failed(request, failure).pipe(delay(50));
  };
  inVirtualTime(() => {
    const retry = { random: (): number => 0.5 };
    const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport, retry, ...batches });
    const uris = named(contacts);
    const watching = presenceBoard(ucwa, uris).subscribe((states) => (board = states));
    at(60, () => {
      isDown = true;
      uris.forEach((uri) => server.setPresence(uri, { availability: 'Busy' }));
    });
    at(120, () => (isDown = false));
    at(200, () => watching.unsubscribe());
  });
  return { sent, busy: [...board.values()].filter(isBusy).length };
}

describe('The load of an outage', () => {
  for (const failure of ['no network', 503] as const) {
    it(`equals the load of the channel, even with 1,000 contacts (${failure})`, () => {
      const alone = outage(0, failure).during.length;
      const { during, after, board } = outage(1000, failure);
      expect(alone).to.be.within(40, 50);
      expect(during.length).to.be.at.most(1.2 * alone);
      // 20 in a batch, and a few that were in flight individually.
      expect(after.length).to.be.at.most(1000 / 20 + 20);
      expect([...board.values()].filter(isBusy)).to.have.length(1000);
    });
  }

  it('equals the load of the channel without batches', () => {
    const alone = outage(0, 'no network').during.length;
    const { during, board } = outage(100, 'no network', {});
    expect(during.length).to.be.at.most(1.2 * alone);
    expect([...board.values()].filter(isBusy)).to.have.length(100);
  });

  it('begins with ten requests when 1,000 contacts change, without batches', () => {
    const { sent, busy } = burst(1000, 503);
    // Ten of the first moment, and one after each backoff.
    expect(sent).to.be.at.most(20);
    expect(busy).to.equal(1000);
  });

  it('equals the load of one request while all parts of batches fail', () => {
    const { sent, busy } = burst(200, 'parts', { batch });
    // The requests of the first moment, and one after each backoff.
    expect(sent).to.be.at.most(20);
    expect(busy).to.equal(200);
  });

  it('equals the load of the channel while 100 subscriptions are removed', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const sent: string[] = [];
    let isDown = false;
    const transport: Transport = (request) => {
      if (isDown) sent.push(request.method);
      return isDown ? failed(request, 503) : server.transport(request);
    };
    inVirtualTime(() => {
      const retry = { random: (): number => 0.5 };
      const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport, retry, batch });
      const all = named(100).map((uri) => presence(ucwa, { uris: [uri] }).subscribe());
      const stays = ucwa.events$.subscribe();
      at(10, () => {
        isDown = true;
        for (const one of all) one.unsubscribe();
      });
      at(250, () => (isDown = false));
      at(300, () => {
        expect(server.presenceSubscriptions).to.have.length(0);
        stays.unsubscribe();
      });
    });
    expect(sent).to.have.length.within(15, 30);
    expect(server.applications).to.have.length(0);
  });
});

describe('A batch that waits for the server', () => {
  it('does not contain the creation for a subscriber that has unsubscribed', () => {
    const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 10 });
    let isDown = false;
    const transport: Transport = (request) => (isDown ? failed(request, 503) : server.transport(request));
    inVirtualTime(() => {
      const retry = { random: (): number => 0.5 };
      const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport, retry, batch });
      const stays = ucwa.events$.subscribe();
      at(10, () => {
        isDown = true;
        ucwa.get({ href: '/down' }).subscribe({ error: () => undefined });
        isDown = false;
      });
      at(10.1, () => {
        const [one, two, three] = named(3).map((uri) => presence(ucwa, { uris: [uri] }).subscribe());
        at(0.01, () => two?.unsubscribe());
        at(60, () => {
          one?.unsubscribe();
          three?.unsubscribe();
          stays.unsubscribe();
        });
      });
      at(60, () => {
        const watched = server.presenceSubscriptions.flatMap(({ uris }) => uris);
        expect(watched).to.deep.equal(['sip:u0@contoso.com', 'sip:u2@contoso.com']);
      });
    });
    expect(server.applications).to.have.length(0);
  });
});

describe('online$', () => {
  it('triggers the pending requests and removals at once', () => {
    const server = ucwaSimulator({ mediumSeconds: 0, latencyMs: 10 });
    const online$ = new Subject<void>();
    let isDown = false;
    const transport: Transport = (request) =>
      isDown ? failed(request, 'no network') : server.transport(request);
    inVirtualTime(() => {
      const retry = { random: (): number => 1 };
      const ucwa = connectUcwa({
        server: server.url,
        batch,
        auth: bearer('token'),
        transport,
        retry,
        online$,
        graceSeconds: 0,
      });
      let board: Counted['board'] = new Map();
      const watching = presenceBoard(ucwa, named(1)).subscribe((states) => (board = states));
      const released: string[] = [];
      ucwa.releases.outcomes$.subscribe(({ resource, outcome }) => released.push(`${resource} ${outcome}`));
      at(5, () => server.setPresence('sip:u0@contoso.com', { availability: 'Busy' }));
      at(5.011, () => (isDown = true));
      at(30, () => {
        isDown = false;
        online$.next();
      });
      at(30.1, () => expect([...board.values()].map(isBusy)).to.deep.equal([true]));
      at(40, () => {
        isDown = true;
        watching.unsubscribe();
      });
      at(52, () => {
        isDown = false;
        online$.next();
      });
      at(52.1, () =>
        expect(released).to.deep.equal(['presenceSubscription Released', 'application Released']),
      );
    });
  });
});

describe('A contact whose GET fails', () => {
  it('is requested again with growing waits until it succeeds', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const asked: number[] = [];
    let isBroken = true;
    let now = 0;
    const transport: Transport = (request) => {
      if (!isBroken || !/u0.*\/presence$/i.test(decodeURIComponent(request.url)))
        return server.transport(request);
      asked.push(now);
      return of({ ...response(500), url: request.url });
    };
    inVirtualTime(() => {
      const retry = { random: (): number => 1 };
      const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport, retry });
      let board: Counted['board'] = new Map();
      const watching = presenceBoard(ucwa, named(2)).subscribe((states) => (board = states));
      for (let second = 0; second < 400; second += 1) at(second, () => (now = second));
      at(250, () => {
        expect([...board.values()].map(({ failure }) => failure !== undefined)).to.deep.equal([true, false]);
        isBroken = false;
      });
      at(290, () => {
        expect([...board.values()].some(({ failure }) => failure !== undefined)).to.equal(false);
        watching.unsubscribe();
      });
    });
    expect(asked.slice(0, 7)).to.deep.equal([0, 0, 1, 2, 4, 8, 16]);
    expect(asked).to.have.length.below(16);
  });
});
