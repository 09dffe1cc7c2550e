import fc from 'fast-check';
import { expect } from 'chai';
import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  delay,
  delayWhen,
  EMPTY,
  finalize,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  Subject,
  tap,
  throwError,
  timer,
  VirtualTimeScheduler,
} from 'rxjs';
import { withRetry } from '../../../lib/core/backoff/withRetry.ts';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import { releaseLedger } from '../../../lib/core/lifecycle/ledger.ts';
import { type ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { restrictToOrigin } from '../../../lib/core/transport/restrictToOrigin.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type RequestProgress,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { withProgress } from '../../../lib/core/transport/withProgress.ts';
import { withToken } from '../../../lib/core/auth/withToken.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { batched, type BatchOptions } from '../../../lib/ucwa/batch/batched.ts';
import { batchResponse, type BatchServer, batchServer, requestsIn } from '../../support/ucwa/batches.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { respondWith, response } from '../../support/responses.ts';
import { type Fate, fakeResourceServer } from '../../support/resource/fakeResourceServer.ts';
import { fakeResource } from '../../support/resource/fakeResource.ts';

const POOL = 'https://pool.example/ucwa/v1/applications/192';
const LINK = `${POOL}/batch`;
const PATH = '/ucwa/v1/applications/192';

const get = (name: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  ...{ method: 'GET', url: `${POOL}/${name}` },
  ...more,
});

const remove = (name: string, more: Partial<HttpRequest> = {}): HttpRequest =>
  get(name, { method: 'DELETE', ...more });

const removeNamed = (name: string): HttpRequest => remove(name);

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `s${index}`);

/** Answers with the last step of the path. */
const echo: Transport = ({ url }) => of(response(200, { body: [url.slice(url.lastIndexOf('/') + 1)] }));

const through = (server: Transport, options: Partial<BatchOptions> = {}): Transport =>
  batched({ url: () => LINK, backoff: { initialMs: 100, random: () => 1 }, ...options })(server);

const sizes = ({ requests }: BatchServer): number[] =>
  requests.map((request) => (request.url === LINK ? requestsIn(request).length : 1));

/** Returns the results of the requests in their order of arrival. */
function results(transport: Transport, requests: readonly HttpRequest[]): unknown[] {
  const seen: unknown[] = [];
  for (const request of requests) {
    transport(request)
      .pipe(mergeMap((answer) => readText(answer, 'spec').pipe(map((text) => `${answer.status} ${text}`))))
      .subscribe({ next: (text) => seen.push(text), error: (error: unknown) => seen.push(error) });
  }
  return seen;
}

describe('batched', () => {
  describe('grouping', () => {
    it('sends requests of one turn as a batch and separates the responses', () => {
      const server = batchServer(echo);
      const seen = inVirtualTime(() => results(through(server.transport), [get('a'), remove('b'), get('c')]));
      expect(server.paths()).to.deep.equal([[`${PATH}/a`, `${PATH}/b`, `${PATH}/c`]]);
      expect(seen).to.deep.equal(['200 a', '200 b', '200 c']);
    });

    it('sets the URL of each response', () => {
      const urls: string[] = [];
      inVirtualTime(() => {
        const transport = through(batchServer(echo).transport);
        for (const name of ['a', 'b']) transport(get(name)).subscribe(({ url }) => urls.push(url));
      });
      expect(urls).to.deep.equal([`${POOL}/a`, `${POOL}/b`]);
    });

    it('sends a single request without a batch', () => {
      const server = batchServer(echo);
      const request = remove('a', { headers: { accept: '*/*' }, keepalive: true });
      const seen = inVirtualTime(() => {
        const soFar = results(through(server.transport), [request]);
        expect(server.requests, 'before the turn is over').to.deep.equal([]);
        return soFar;
      });
      expect(seen).to.deep.equal(['200 a']);
      expect(server.requests).to.deep.equal([request]);
    });

    it('sends nothing before subscription and before the end of the turn', () => {
      const server = batchServer(echo);
      inVirtualTime(() => {
        const transport = through(server.transport);
        transport(get('never'));
        results(transport, [get('a'), get('b')]);
        expect(server.requests).to.have.length(0);
      });
      expect(server.paths()).to.deep.equal([[`${PATH}/a`, `${PATH}/b`]]);
    });

    it('does not wait for requests of another turn', () => {
      const server = batchServer(echo);
      inVirtualTime(() => {
        const transport = through(server.transport);
        results(transport, [get('a'), get('b')]);
        timer(1).subscribe(() => results(transport, [get('c'), get('d')]));
      });
      expect(server.paths()).to.deep.equal([
        [`${PATH}/a`, `${PATH}/b`],
        [`${PATH}/c`, `${PATH}/d`],
      ]);
    });

    it('takes the end of the turn from a given scheduler', () => {
      const server = batchServer(echo);
      const scheduler = new VirtualTimeScheduler();
      results(through(server.transport, { scheduler }), [get('a'), get('b')]);
      expect(server.requests).to.have.length(0);
      scheduler.flush();
      expect(server.paths()).to.deep.equal([[`${PATH}/a`, `${PATH}/b`]]);
    });

    it('sends immediate requests at once and batches those that follow', () => {
      const server = batchServer((request) => timer(10).pipe(mergeMap(() => echo(request))));
      const atOnce = ({ method }: HttpRequest): boolean => method === 'GET';
      inVirtualTime(() => {
        const transport = through(server.transport, { atOnce });
        results(transport, [get('a'), get('b'), get('c')]);
        expect(server.paths()).to.deep.equal([`${PATH}/a`]);
        timer(20).subscribe(() => results(transport, [remove('d'), get('e')]));
      });
      expect(server.paths()).to.deep.equal([
        `${PATH}/a`,
        [`${PATH}/b`, `${PATH}/c`],
        [`${PATH}/d`, `${PATH}/e`],
      ]);
    });

    it('never waits if each response arrives before the next request', () => {
      const server = batchServer(echo);
      const scheduler = new VirtualTimeScheduler();
      const atOnce = ({ method }: HttpRequest): boolean => method === 'GET';
      const transport = through(server.transport, { atOnce, scheduler });
      expect(results(transport, [get('a'), get('b')])).to.deep.equal(['200 a', '200 b']);
      results(transport, [remove('c'), remove('d')]);
      expect(server.paths()).to.deep.equal([`${PATH}/a`, `${PATH}/b`]);
      scheduler.flush();
      expect(server.paths()).to.deep.equal([`${PATH}/a`, `${PATH}/b`, [`${PATH}/c`, `${PATH}/d`]]);
    });

    it('delays immediate requests while the server asks to wait', () => {
      let refusals = 1;
      const inner = batchServer(echo);
      const server = batchServer((request) => inner.transport(request));
      const sentAt: number[] = [];
      inVirtualTime(({ flush }) => {
        const transport = through(
          (request) => {
            sentAt.push(asyncScheduler.now());
            return refusals-- > 0 ? of(response(429)) : server.transport(request);
          },
          { atOnce: ({ method }) => method === 'GET', backoff: { initialMs: 100, random: () => 1 } },
        );
        results(transport, [remove('a'), remove('b')]);
        timer(10).subscribe(() => results(transport, [get('c')]));
        flush();
      });
      expect(sentAt[0]).to.equal(0);
      expect(sentAt[1]).to.be.at.least(100);
    });

    it('uses no timer, which a page being closed would not run', async () => {
      const server = batchServer(echo);
      Object.assign(globalThis, { document: {} });
      try {
        results(through(server.transport), [get('a'), get('b')]);
        expect(server.requests).to.have.length(0);
        await Promise.resolve();
        expect(server.paths()).to.deep.equal([[`${PATH}/a`, `${PATH}/b`]]);
      } finally {
        Reflect.deleteProperty(globalThis, 'document');
      }
    });

    it('keeps a turn together when a response arrives during it', () => {
      const server = batchServer(echo);
      const answers = new Subject<void>();
      inVirtualTime(() => {
        const transport = through((request) =>
          server.requests.length === 0
            ? defer(() => server.transport(request)).pipe(delayWhen(() => answers))
            : server.transport(request),
        );
        results(transport, [get('a'), get('b')]);
        timer(10).subscribe(() => {
          results(transport, [get('c')]);
          answers.next();
          results(transport, [get('d')]);
        });
      });
      expect(server.paths()).to.deep.equal([
        [`${PATH}/a`, `${PATH}/b`],
        [`${PATH}/c`, `${PATH}/d`],
      ]);
    });

    it('sends requests at once and unbatched while there is no batch link', () => {
      const server = batchServer(echo);
      let link: string | undefined;
      inVirtualTime(() => {
        const transport = through(server.transport, { url: () => link });
        expect(results(transport, [get('a'), get('b')])).to.deep.equal(['200 a', '200 b']);
        link = LINK;
        results(transport, [get('c'), get('d')]);
      });
      expect(server.paths()).to.deep.equal([`${PATH}/a`, `${PATH}/b`, [`${PATH}/c`, `${PATH}/d`]]);
    });

    it('neither batches nor delays the event channel, photos or a batch', () => {
      const server = batchServer(echo);
      inVirtualTime(() => {
        results(through(server.transport), [get('a'), get('events?ack=1'), get('photos/sara'), get('b')]);
        expect(server.paths()).to.deep.equal([`${PATH}/events`, `${PATH}/photos/sara`]);
      });
      expect(server.paths()).to.deep.equal([
        `${PATH}/events`,
        `${PATH}/photos/sara`,
        [`${PATH}/a`, `${PATH}/b`],
      ]);
    });

    it('excludes the requests that the caller names', () => {
      const server = batchServer(echo);
      const alone = ({ method }: HttpRequest): boolean => method === 'DELETE';
      inVirtualTime(() => results(through(server.transport, { alone }), [get('a'), remove('b'), get('c')]));
      expect(server.paths()).to.deep.equal([`${PATH}/b`, [`${PATH}/a`, `${PATH}/c`]]);
    });

    it('does not mix requests with different authorization', () => {
      const server = batchServer(echo);
      const signed = (name: string, token: string): HttpRequest =>
        get(name, { headers: { authorization: token } });
      inVirtualTime(() => {
        results(through(server.transport), [
          signed('a', 'x'),
          signed('b', 'y'),
          signed('c', 'x'),
          signed('d', 'y'),
        ]);
      });
      expect(server.paths()).to.deep.equal([
        [`${PATH}/a`, `${PATH}/c`],
        [`${PATH}/b`, `${PATH}/d`],
      ]);
      expect(server.requests.map(({ headers }) => headers?.['authorization'])).to.deep.equal(['x', 'y']);
    });

    for (const option of ['url', 'alone', 'atOnce'] as const) {
      it(`errors with what ${option} throws`, () => {
        const thrown = new Error('not today');
        const fail = (): never => {
          throw thrown;
        };
        const seen = inVirtualTime(() => results(through(echo, { [option]: fail }), [get('a')]));
        expect(seen).to.deep.equal([thrown]);
      });
    }
  });

  describe('limits', () => {
    const all = (
      count: number,
      options: Partial<BatchOptions>,
      latencyMs = 10,
    ): BatchServer & { most: number } => {
      let outstanding = 0;
      let most = 0;
      const server = batchServer((request) =>
        defer(() => {
          outstanding += 1;
          most = Math.max(most, outstanding);
          return timer(latencyMs).pipe(
            mergeMap(() => echo(request)),
            map((answer) => {
              outstanding -= 1;
              return answer;
            }),
          );
        }),
      );
      const seen = inVirtualTime(() =>
        results(through(server.transport, options), names(count).map(removeNamed)),
      );
      expect(seen).to.deep.equal(names(count).map((name) => `200 ${name}`));
      return { ...server, most };
    };

    it('releases 1,000 resources with 50 requests of 20 parts', () => {
      const server = all(1000, {});
      expect(sizes(server)).to.deep.equal(Array.from({ length: 50 }, () => 20));
    });

    it('releases 1,000 resources with 10 requests of 100 parts', () => {
      const server = all(1000, { maxParts: 100 });
      expect(sizes(server)).to.deep.equal(Array.from({ length: 10 }, () => 100));
    });

    it('keeps the order across batches', () => {
      const server = all(70, {});
      expect(sizes(server)).to.deep.equal([20, 20, 20, 10]);
      expect(server.paths().flat()).to.deep.equal(names(70).map((name) => `${PATH}/${name}`));
    });

    it('keeps at most 100 requests outstanding', () => {
      expect(all(1000, {}).most).to.equal(100);
    });

    it('keeps at most the given number of requests outstanding', () => {
      const server = all(20, { maxOutstanding: 7, maxParts: 3 });
      expect(server.most).to.equal(6);
      expect(sizes(server)).to.deep.equal([3, 3, 3, 3, 3, 3, 2]);
    });

    it('counts unbatched requests', () => {
      const server = all(5, { maxOutstanding: 2, maxParts: 1 });
      expect(server.most).to.equal(2);
      expect(sizes(server)).to.deep.equal([1, 1, 1, 1, 1]);
    });

    it('sends 5,000 requests in batches although each answer is synchronous', () => {
      for (const [maxParts, batches] of [
        [1, 5000],
        [20, 250],
      ] as const) {
        const server = batchServer(echo);
        const requests = names(5000).map(removeNamed);
        const seen = inVirtualTime(() => results(through(server.transport, { maxParts }), requests));
        expect(seen).to.have.length(5000);
        expect(server.requests).to.have.length(batches);
      }
    });
  });

  describe('responses to a batch', () => {
    it('fails only the request whose part failed', () => {
      const server = batchServer((request) =>
        request.url.endsWith('b') ? of(response(404)) : echo(request),
      );
      const seen = inVirtualTime(() => results(through(server.transport), [get('a'), get('b'), get('c')]));
      expect(seen).to.deep.equal(['200 a', '404 ', '200 c']);
      expect(sizes(server)).to.deep.equal([3]);
    });

    it('fails every request, with its own URL, when the connection breaks', () => {
      const broken = new NetworkError('no answer', { method: 'POST', url: LINK }, { code: 'ECONNRESET' });
      const seen = inVirtualTime(() =>
        results(
          through(() => throwError(() => broken)),
          [get('a'), get('b')],
        ),
      );
      expect(seen.map((error) => error instanceof NetworkError && error.message)).to.deep.equal([
        `no answer to the batch that it went with: GET ${POOL}/a (ECONNRESET)`,
        `no answer to the batch that it went with: GET ${POOL}/b (ECONNRESET)`,
      ]);
      expect(seen[0]).to.have.property('cause', broken);
    });

    it('fails every request when the response breaks off', () => {
      const broken = new NetworkError('the answer broke off', { method: 'POST', url: LINK });
      const body$ = concat(
        of(new TextEncoder().encode('--x\r\n')),
        throwError(() => broken),
      );
      const server = respondWith({ ...response(200), body$ });
      const seen = inVirtualTime(() => results(through(server.transport), [get('a'), get('b')]));
      expect(seen.map((error) => error instanceof NetworkError)).to.deep.equal([true, true]);
      expect(server.requests).to.have.length(1);
    });

    it('fails every request when there is no response', () => {
      const seen = inVirtualTime(() =>
        results(
          through(() => EMPTY),
          [get('a'), get('b')],
        ),
      );
      expect(seen.map((error) => error instanceof NetworkError)).to.deep.equal([true, true]);
    });

    it('passes on any other error unchanged', () => {
      const thrown = new Error('transport is misconfigured');
      let calls = 0;
      const seen = inVirtualTime(() =>
        results(
          through(() => {
            calls += 1;
            throw thrown;
          }),
          [get('a'), get('b')],
        ),
      );
      expect(seen).to.deep.equal([thrown, thrown]);
      expect(calls).to.equal(1);
    });

    it('fails every request when a proxy responds with a page', () => {
      const page = response(200, { headers: { 'content-type': 'text/html' }, body: ['<html>'] });
      const seen = inVirtualTime(() =>
        results(
          through(() => of(page)),
          [get('a'), get('b')],
        ),
      );
      expect(seen.map((error) => error instanceof DecodeError)).to.deep.equal([true, true]);
    });

    it('returns a refused token to every request, which needs one renewal', () => {
      const asked: string[] = [];
      const server = batchServer(echo);
      const guarded: Transport = (request) =>
        request.headers?.['authorization'] === 'Bearer t2' ? server.transport(request) : of(response(401));
      const provider = (origin: string): Observable<string> =>
        defer(() => {
          asked.push(origin);
          return timer(5).pipe(map(() => `t${asked.length}`));
        });
      const transport = withToken(provider)(through(guarded));
      const seen = inVirtualTime(() => results(transport, [get('a'), get('b'), get('c')]));
      expect(seen).to.deep.equal(['200 a', '200 b', '200 c']);
      expect(asked).to.have.length(2);
      expect(sizes(server)).to.deep.equal([3]);
    });

    it('returns the end of the application to every request', () => {
      const gone = response(404, { body: ['{"code":"NotFound","subcode":"ApplicationNotFound"}'] });
      const server = respondWith(gone);
      const seen = inVirtualTime(() => results(through(server.transport), [get('a'), get('b')]));
      expect(seen).to.deep.equal(Array(2).fill('404 {"code":"NotFound","subcode":"ApplicationNotFound"}'));
      expect(server.requests).to.have.length(1);
    });

    it('sends each request alone when the batch link is not found', () => {
      const requests: HttpRequest[] = [];
      const server: Transport = (request) => {
        requests.push(request);
        return request.url === LINK ? of(response(404, { body: ['no such page'] })) : echo(request);
      };
      const seen = inVirtualTime(() => results(through(server), [remove('a'), remove('b'), remove('c')]));
      expect(seen).to.deep.equal(['200 a', '200 b', '200 c']);
      expect(requests.map(({ method }) => method)).to.deep.equal(['POST', 'DELETE', 'DELETE', 'DELETE']);
    });

    it('leaves server failures to the retries of each request', () => {
      const server = batchServer(echo);
      const transport = withRetry({ initialMs: 10, random: () => 1 })(
        through((request) =>
          server.requests.push(request) === 1 ? of(response(502)) : server.transport(request),
        ),
      );
      const seen = inVirtualTime(() => results(transport, [get('a'), get('b')]));
      expect(seen).to.deep.equal(['200 a', '200 b']);
    });
  });

  describe('when there are too many requests', () => {
    /** Refuses batches of more than `most` parts. */
    const small = (most: number, headers: Record<string, string> = {}): BatchServer => {
      const server = batchServer(echo);
      return {
        ...server,
        transport: (request) =>
          defer(() => {
            if (request.url !== LINK || requestsIn(request).length <= most) return server.transport(request);
            server.requests.push(request);
            return of(response(429, { headers }));
          }),
      };
    };

    /** Counts the requests that were sent by these times. */
    const countsAt = (server: BatchServer, times: readonly number[]): number[] => {
      const counts: number[] = [];
      for (const time of times) timer(time).subscribe(() => counts.push(server.requests.length));
      return counts;
    };

    it('halves the batch, waits, and loses no request', () => {
      const server = small(5);
      const requests = names(20).map(removeNamed);
      let counts: readonly number[] = [];
      const seen = inVirtualTime(() => {
        counts = countsAt(server, [99, 101, 299]);
        return results(through(server.transport), requests);
      });
      expect(counts).to.deep.equal([1, 2, 2]);
      expect(sizes(server)).to.deep.equal([20, 10, 5, 6, 3, 4, 5, 3]);
      expect(seen).to.deep.equal(names(20).map((name) => `200 ${name}`));
    });

    it('waits as long as the server asks', () => {
      const server = small(3, { 'retry-after': '7' });
      let counts: readonly number[] = [];
      inVirtualTime(() => {
        counts = countsAt(server, [7099, 7101]);
        const requests = names(6).map(removeNamed);
        results(through(server.transport), requests);
      });
      expect(counts).to.deep.equal([1, 3]);
      expect(sizes(server)).to.deep.equal([6, 3, 3]);
    });

    it('delays new requests during the wait and keeps the order', () => {
      const server = small(2, { 'retry-after': '1' });
      const order: string[] = [];
      inVirtualTime(() => {
        const transport = through(server.transport, { maxParts: 4 });
        const ask = (name: string): unknown => transport(remove(name)).subscribe(() => order.push(name));
        names(4).forEach(ask);
        timer(500).subscribe(() => ask('late'));
      });
      expect(sizes(server)).to.deep.equal([4, 2, 3, 1, 2]);
      expect(order).to.deep.equal([...names(4), 'late']);
    });

    it('keeps the order of batches that are refused together', () => {
      const server = batchServer(echo);
      let refusals = 2;
      const order: string[] = [];
      inVirtualTime(() => {
        const transport = through(
          (request) =>
            defer(() => (refusals-- > 0 ? of(response(429)) : server.transport(request))).pipe(delay(10)),
          { maxParts: 4, maxOutstanding: 8 },
        );
        for (const name of names(10)) transport(remove(name)).subscribe(() => order.push(name));
      });
      expect(order).to.deep.equal(names(10));
      expect(sizes(server)).to.deep.equal([2, 3, 3, 2]);
    });

    it('sends only the refused requests of a batch alone', () => {
      const server = batchServer(echo);
      const refusals = [429, 400];
      inVirtualTime(() => {
        const transport = through(
          (request) => {
            const status = request.url === LINK ? refusals.shift() : undefined;
            return (status === undefined ? server.transport(request) : of(response(status))).pipe(delay(10));
          },
          { maxParts: 4, maxOutstanding: 8 },
        );
        results(transport, names(12).map(removeNamed));
      });
      expect(sizes(server)).to.deep.equal([2, 3, 1, 1, 1, 1, 3]);
    });

    it('sends one at a time while single requests are refused', () => {
      let outstanding = 0;
      let most = 0;
      const alone: Transport = () =>
        defer(() => {
          most = Math.max(most, ++outstanding);
          return of(response(429)).pipe(
            delay(10),
            finalize(() => (outstanding -= 1)),
          );
        });
      let batches = 0;
      const transport = through((request) => {
        if (request.url !== LINK) return alone(request);
        batches += 1;
        return of(response(429));
      });
      const seen = inVirtualTime(() => results(transport, names(3).map(removeNamed)));
      expect(seen).to.deep.equal(['429 ', '429 ', '429 ']);
      expect({ most, batches }).to.deep.equal({ most: 1, batches: 1 });
    });

    it('passes on the refusal of a single request', () => {
      const server = batchServer(() => of(response(429)));
      const refusing: Transport = (request) => {
        server.requests.push(request);
        return of(response(429));
      };
      const seen = inVirtualTime(() => results(through(refusing), names(4).map(removeNamed)));
      expect(seen).to.deep.equal(['429 ', '429 ', '429 ', '429 ']);
      expect(sizes(server)).to.deep.equal([4, 2, 1, 1, 1, 1]);
    });

    it('passes on the refusal if Retry-After is an hour', () => {
      const server = respondWith(response(503, { headers: { 'retry-after': '3600' } }));
      const seen = inVirtualTime(() => results(through(server.transport), [remove('a'), remove('b')]));
      expect(seen).to.deep.equal(['503 ', '503 ']);
      expect(server.requests).to.have.length(1);
    });

    it('drops requests that are unsubscribed during the wait', () => {
      const server = small(1);
      inVirtualTime(() => {
        const transport = through(server.transport, { backoff: { initialMs: 100, random: () => 1 } });
        const all = ['a', 'b', 'c'].map((name) => transport(remove(name)).subscribe());
        timer(50).subscribe(() => all.forEach((one) => one.unsubscribe()));
        timer(60).subscribe(() => results(transport, [remove('d')]));
      });
      expect(server.paths()).to.deep.equal([['a', 'b', 'c'].map((name) => `${PATH}/${name}`), `${PATH}/d`]);
    });

    it('keeps no timer without subscribers', () => {
      const timers = (): number =>
        process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
      const before = timers();
      const scheduler = new VirtualTimeScheduler();
      const transport = through(() => of(response(429, { headers: { 'retry-after': '200' } })), {
        scheduler,
      });
      const all = [transport(remove('a')).subscribe(), transport(remove('b')).subscribe()];
      scheduler.flush();
      expect(timers()).to.equal(before + 1);
      for (const one of all) one.unsubscribe();
      expect(timers()).to.equal(before);
    });

    it('responds once to every request under any limit', () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 60 }), (most, count) => {
          const server = small(most);
          const seen = inVirtualTime(() => results(through(server.transport), names(count).map(removeNamed)));
          expect([...seen].sort()).to.deep.equal(
            names(count)
              .map((name) => `200 ${name}`)
              .sort(),
          );
          expect(sizes(server)[0]).to.equal(Math.min(20, count));
        }),
      );
    });
  });

  describe('on unsubscription', () => {
    const leaving = (
      requests: readonly HttpRequest[],
      leave: readonly { readonly index: number; readonly at: number }[],
    ): { readonly server: BatchServer; readonly seen: string[]; readonly aborted: number } => {
      const server = batchServer((request) => echo(request).pipe(delay(20)));
      const seen: string[] = [];
      let aborted = 0;
      inVirtualTime(() => {
        const transport = through(
          (request) =>
            new Observable<HttpResponse>((subscriber) => {
              let isAnswered = false;
              subscriber.add(() => {
                if (!isAnswered) aborted += 1;
              });
              return server.transport(request).subscribe({
                next: (answer) => {
                  isAnswered = true;
                  subscriber.next(answer);
                },
                complete: () => subscriber.complete(),
              });
            }),
        );
        const all = requests.map((request) =>
          transport(request).subscribe(({ url }) => seen.push(url.slice(POOL.length + 1))),
        );
        for (const { index, at } of leave) {
          if (at === 0) all[index]?.unsubscribe();
          else timer(at).subscribe(() => all[index]?.unsubscribe());
        }
      });
      return { server, seen, aborted };
    };
    const onProgress = (): void => undefined;

    it('omits a request unsubscribed before the end of the turn', () => {
      const { server, seen } = leaving([get('a'), get('b'), get('c')], [{ index: 1, at: 0 }]);
      expect(server.paths()).to.deep.equal([[`${PATH}/a`, `${PATH}/c`]]);
      expect(seen).to.deep.equal(['a', 'c']);
    });

    it('sends nothing if all unsubscribe before the end of the turn', () => {
      const { server, aborted } = leaving(
        [get('a'), get('b')],
        [
          { index: 0, at: 0 },
          { index: 1, at: 0 },
        ],
      );
      expect(server.requests).to.deep.equal([]);
      expect(aborted).to.equal(0);
    });

    it('ignores the response to an unsubscribed part and delivers the others', () => {
      const { seen, aborted } = leaving([get('a'), get('b')], [{ index: 0, at: 10 }]);
      expect(seen).to.deep.equal(['b']);
      expect(aborted).to.equal(0);
    });

    it('aborts the batch when all its parts are unsubscribed', () => {
      const { seen, aborted } = leaving(
        [get('a'), get('b')],
        [
          { index: 0, at: 5 },
          { index: 1, at: 10 },
        ],
      );
      expect(seen).to.deep.equal([]);
      expect(aborted).to.equal(1);
    });

    it('keeps a batch until its creating part is unsubscribed', () => {
      const parts = [get('a'), get('b', { method: 'POST', onProgress })];
      const kept = leaving(parts, [{ index: 0, at: 5 }]);
      expect([kept.seen, kept.aborted]).to.deep.equal([['b'], 0]);
      const left = leaving(parts, [
        { index: 0, at: 5 },
        { index: 1, at: 10 },
      ]);
      expect([left.seen, left.aborted]).to.deep.equal([[], 1]);
    });

    it('gives the room of an aborted batch to queued requests', () => {
      const sent: number[] = [];
      inVirtualTime(() => {
        const transport = through(
          (request) => {
            sent.push(request.url === LINK ? requestsIn(request).length : 1);
            return NEVER;
          },
          { maxParts: 2, maxOutstanding: 2 },
        );
        const [first, second] = names(4).map((name) => transport(get(name)).subscribe());
        timer(10).subscribe(() => {
          expect(sent).to.deep.equal([2]);
          first?.unsubscribe();
          second?.unsubscribe();
        });
      });
      expect(sent).to.deep.equal([2, 2]);
    });

    it('sends nothing for requests unsubscribed by an earlier response', () => {
      const server = batchServer(echo);
      const seen: string[] = [];
      inVirtualTime(() => {
        const transport = through(server.transport);
        const others = new Set<{ unsubscribe(): void }>();
        for (const name of ['a', 'b', 'c']) {
          others.add(
            transport(get(name)).subscribe(() => {
              seen.push(name);
              for (const other of others) other.unsubscribe();
            }),
          );
        }
      });
      expect(seen).to.deep.equal(['a']);
      expect(server.requests).to.have.length(1);
    });
  });

  describe('reports to onProgress', () => {
    const progressOf = (answer: Observable<HttpResponse>): string[] => {
      const recorded: string[] = [];
      const post = (name: string): HttpRequest =>
        get(name, {
          method: 'POST',
          onProgress: (progress: RequestProgress) => recorded.push(`${name} ${progress}`),
        });
      inVirtualTime(() => {
        const transport = through(restrictToOrigin(POOL)(withProgress(() => answer)));
        results(transport, [post('a'), post('b')]);
        expect(recorded).to.deep.equal([]);
      });
      return recorded;
    };
    const SENT = ['a sent', 'b sent'];
    const NOT_PROCESSED = ['a notProcessed', 'b notProcessed'];

    it('sent when the batch is sent, and nothing more of processed requests', () => {
      expect(
        progressOf(defer(() => of(batchResponse(LINK, [{ status: 201 }, { status: 201 }])))),
      ).to.deep.equal(SENT);
    });

    it('notProcessed for requests whose own part is refused', () => {
      const parts = [{ status: 201 }, { status: 403 }];
      expect(progressOf(defer(() => of(batchResponse(LINK, parts))))).to.deep.equal([
        ...SENT,
        'b notProcessed',
      ]);
    });

    it('notProcessed for all requests when the batch is refused', () => {
      expect(progressOf(of(response(401)))).to.deep.equal([...SENT, ...NOT_PROCESSED]);
    });

    it('notProcessed for all requests when no connection was established', () => {
      const refused = new NetworkError('no answer', get('x'), { code: 'ECONNREFUSED' });
      expect(progressOf(throwError(() => refused))).to.deep.equal([...SENT, ...NOT_PROCESSED]);
    });

    it('nothing final when the response was lost', () => {
      expect(progressOf(throwError(() => new NetworkError('no answer', get('x'))))).to.deep.equal(SENT);
    });

    it('nothing final when the response cannot be read', () => {
      expect(progressOf(of(response(200, { body: ['?'] })))).to.deep.equal(SENT);
    });

    it('sent again for repeated requests', () => {
      const recorded = progressOf(of(response(429)));
      expect(recorded).to.deep.equal([
        ...SENT,
        ...NOT_PROCESSED,
        'a sent',
        'a notProcessed',
        'b sent',
        'b notProcessed',
      ]);
    });

    it('nothing for requests to another origin', () => {
      const recorded: string[] = [];
      const post = get('a', { method: 'POST', onProgress: (progress) => recorded.push(progress) });
      const urls: string[] = [];
      const pinned = restrictToOrigin('https://other.example')(withProgress(echo));
      const transport = through((request) => {
        urls.push(request.url);
        return pinned(request);
      });
      const seen = inVirtualTime(() => results(transport, [post, post]));
      expect(seen.map((error) => error instanceof OriginError)).to.deep.equal([true, true]);
      expect(recorded).to.deep.equal([]);
      expect(urls).to.deep.equal([LINK]);
    });
  });

  it('leaves only live resources on the server over random interleavings and faults', () => {
    const THINGS = 'https://pool.example/things';
    const fate: fc.Arbitrary<Fate> = fc.record({
      thereMs: fc.nat(8),
      backMs: fc.nat(8),
      how: fc.constantFrom('serve', 'serve', 'serve', 'refuse', 'resetBefore', 'resetAfter', 'forbid'),
    });
    /** The resource server identifies resources by their last path segment. */
    const bare = (request: HttpRequest): HttpRequest => ({
      ...request,
      url: new URL(`/${request.url.slice(request.url.lastIndexOf('/') + 1)}`, THINGS).href,
    });
    // Every part of a batch has a response, even if it is an error.
    const alwaysAnswered = (answer: Observable<HttpResponse>): Observable<HttpResponse> =>
      answer.pipe(catchError(() => of(response(504))));
    let reached = { batches: 0, removed: 0, unknown: 0 };
    const visit = fc.record({
      ...{ comesAt: fc.nat(30), together: fc.integer({ min: 1, max: 5 }) },
      staysMs: fc.option(fc.nat(40), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(visit, { minLength: 1, maxLength: 4 }),
        fc.array(fate, { maxLength: 12 }),
        fc.array(fate, { maxLength: 6 }),
        (visits, partFates, batchFates) => {
          const things = fakeResourceServer(partFates);
          const batches = batchServer((request) => alwaysAnswered(things.transport(bare(request))));
          const outer = [...batchFates];
          const ledger = releaseLedger();
          const outcomes: ReleaseOutcome[] = [];
          const alive = new Set<string>();
          let pending = 0;

          let lostCreations = 0;
          const noteLost = ({ status, body$ }: HttpResponse): void => {
            if (status === 201) lostCreations += 1;
            body$.subscribe((bytes) => {
              lostCreations += new TextDecoder().decode(bytes).match(/^HTTP\/1\.1 201/gm)?.length ?? 0;
            });
          };
          const network: Transport = (request) =>
            defer(() => {
              const { how, thereMs } = (request.url === LINK ? outer.shift() : undefined) ?? {
                how: 'serve',
                thereMs: 0,
              };
              const lost = throwError(() => new NetworkError('no answer', request, { code: 'ECONNRESET' }));
              if (how === 'resetBefore') return lost;
              if (how === 'refuse') return timer(thereMs).pipe(map(() => response(429)));
              if (how === 'forbid') return timer(thereMs).pipe(map(() => response(400)));
              const acted =
                request.url === LINK ? batches.transport(request) : things.transport(bare(request));
              return how === 'resetAfter'
                ? acted.pipe(
                    tap(noteLost),
                    mergeMap(() => lost),
                  )
                : acted;
            });
          const send = withRetry({ retries: 3, initialMs: 10, random: () => 0.5 })(
            through(withProgress(network), { maxParts: 3, backoff: { initialMs: 5, random: () => 0.5 } }),
          );
          const checked = (request: HttpRequest): Observable<HttpResponse> =>
            send(request).pipe(
              map((answer) => {
                if (answer.status >= 300) throw new HttpError(answer.status, request);
                return answer;
              }),
            );
          const things$ = fakeResource(things.transport, ledger, {
            acquire: (_, onProgress) =>
              checked({ method: 'POST', url: `${THINGS}/`, onProgress }).pipe(
                mergeMap((r) => readText(r, 'thing')),
              ),
            release: (id) => checked({ method: 'DELETE', url: `${THINGS}/${id}` }).pipe(map(() => ({}))),
            use: (id) => {
              alive.add(id);
              return NEVER;
            },
          });

          inVirtualTime(() => {
            ledger.outcomes$.subscribe((outcome) => {
              outcomes.push(outcome);
              if (outcome.id !== undefined) alive.delete(outcome.id);
            });
            ledger.pending$.subscribe((count) => (pending = count));
            for (const { comesAt, together, staysMs } of visits) {
              timer(comesAt).subscribe(() => {
                const all = names(together).map(() => things$.subscribe({ error: () => undefined }));
                if (staysMs !== undefined) {
                  timer(staysMs).subscribe(() => all.forEach((one) => one.unsubscribe()));
                }
              });
            }
          });

          const recorded = (name: ReleaseOutcome['outcome']): ReleaseOutcome[] =>
            outcomes.filter(({ outcome }) => outcome === name);
          const failed = new Set(recorded('Failed').map(({ id }) => id));
          const orphans = [...things.ids].filter((id) => !alive.has(id) && !failed.has(id));
          expect(pending, 'nothing is under way').to.equal(0);
          expect(
            [...alive].every((id) => things.ids.has(id)),
            'what is alive is there',
          ).to.equal(true);
          expect(orphans, 'what is orphaned is lost').to.have.length(things.lostResponses + lostCreations);
          expect(recorded('Unknown').length, 'what is lost is told').to.be.at.least(orphans.length);
          expect(new Set(things.removed).size, 'removed once').to.equal(things.removed.length);
          reached = {
            batches: reached.batches + batches.requests.length,
            removed: reached.removed + things.removed.length,
            unknown: reached.unknown + recorded('Unknown').length,
          };
        },
      ),
      { numRuns: 500 },
    );
    for (const [what, count] of Object.entries(reached)) expect(count, what).to.be.above(100);
  });

  it('works over real sockets', async () => {
    const held = new Set(names(250).map((name) => `${PATH}/${name}`));
    const simple: Transport = ({ url }) => of(response(held.delete(new URL(url).pathname) ? 204 : 404));
    const server = batchServer(simple);
    const served = await serve(server.transport);
    const transport = batched({ url: () => `${served.origin}${PATH}/batch` })(fetchTransport());
    const statuses = await Promise.all(
      names(250).map(
        (name) =>
          new Promise<number>((resolve, reject) => {
            transport({ method: 'DELETE', url: `${served.origin}${PATH}/${name}` }).subscribe({
              next: ({ status }) => resolve(status),
              error: reject,
            });
          }),
      ),
    );
    await served.close();
    expect(new Set(statuses)).to.deep.equal(new Set([204]));
    expect(held.size).to.equal(0);
    expect(server.requests).to.have.length(13);
  });

  describe('validation of options', () => {
    const cases: readonly [options: Partial<Record<keyof BatchOptions, unknown>>, message: RegExp][] = [
      [{ url: LINK }, /^url must be a function/],
      [{ url: undefined }, /^url must be a function/],
      [{ maxParts: 0 }, /^maxParts must be a whole number from 1 to 100, but it is 0/],
      [{ maxParts: 101 }, /^maxParts .* from 1 to 100, but it is 101/],
      [{ maxParts: 1.5 }, /^maxParts .* 1\.5/],
      [{ maxParts: 8, maxOutstanding: 7 }, /^maxParts .* from 1 to 7, but it is 8/],
      [{ maxOutstanding: 0 }, /^maxOutstanding .* at least 1/],
      [{ alone: true }, /^alone must be a function/],
      [{ atOnce: true }, /^atOnce must be a function/],
      [{ backoff: { initialMs: -1 } }, /^backoff\.initialMs/],
    ];
    for (const [options, message] of cases) {
      it(`throws for ${Object.keys(options).join(', ')} ${JSON.stringify(options)}`, () => {
        const all = { url: () => LINK, ...options } as unknown as BatchOptions;
        expect(() => batched(all)).to.throw(TypeError, message);
      });
    }

    it('accepts maxParts up to maxOutstanding', () => {
      expect(() => batched({ url: () => LINK, maxOutstanding: 5 })).not.to.throw();
      expect(() => batched({ url: () => LINK, maxOutstanding: 500, maxParts: 500 })).not.to.throw();
    });
  });
});
