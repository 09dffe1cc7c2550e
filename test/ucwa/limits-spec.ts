import { expect } from 'chai';
import { asyncScheduler, concat, interval, map, mergeMap, NEVER, type Observable, of, timer } from 'rxjs';
import type { Limits } from '../../lib/core/limits.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../lib/core/transport/transport.ts';
import { ucwaDiscovery } from '../../lib/testing/ucwa/discovery/discovery.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { batched } from '../../lib/ucwa/batch/batched.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { discover } from './discovery/discover.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { batchServer } from '../support/ucwa/batches.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { response } from '../support/responses.ts';
import { connected, record } from './connected.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { discovered } from '../../lib/ucwa/discovery/discovered.ts';

const isForEvents = ({ url }: HttpRequest): boolean => url.includes('/events');
const trickle = interval(1000).pipe(map(() => Uint8Array.of(32)));

/** Returns when a connection sends requests for events, in seconds, if the first gets this response. */
function pollsAt(limits: Limits, first: Observable<HttpResponse>, seconds = 1000): number[] {
  const times: number[] = [];
  inVirtualTime(() => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const transport: Transport = (request) => {
      if (!isForEvents(request)) return server.transport(request);
      times.push(asyncScheduler.now() / 1000);
      return times.length === 1 ? first : NEVER;
    };
    const retry = { initialMs: 2000, random: (): number => 0.5 };
    const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport, limits, retry });
    const watching = ucwa.events$.subscribe();
    timer(seconds * 1000).subscribe(() => watching.unsubscribe());
  });
  return times;
}

const json = (body$: Observable<Uint8Array>): Observable<HttpResponse> =>
  of({ ...response(200, { headers: { 'content-type': 'application/json' } }), body$ });

describe('The limits of a connection', () => {
  const open = new TextEncoder().encode('{');
  for (const [limits, first, seconds] of [
    [{ headersSeconds: 5 }, NEVER, 185],
    [{ silenceSeconds: 5 }, json(concat(of(open), NEVER)), 5],
    [{ responseSeconds: 7 }, json(concat(of(open), trickle)), 187],
  ] as const) {
    it(`abort and retry a request for events after ${Object.keys(limits).join()}`, () => {
      // Including the wait after the first failure.
      expect(pollsAt(limits, first, 200).slice(0, 2)).to.deep.equal([0, seconds + 1]);
    });
  }

  it('reject a response with more bytes than responseBytes', () => {
    const { ucwa } = connected({}, { limits: { responseBytes: 100 } });
    const { error } = record(ucwa.events$);
    expect(error)
      .to.include({ name: 'DecodeError' })
      .and.to.have.property('message')
      .that.contains('at most 100 bytes');
  });

  it('allow more bytes than the default by responseBytes', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const padded: Transport = (request) =>
      server
        .transport(request)
        .pipe(
          map((answer) =>
            request.method === 'POST'
              ? { ...answer, body$: concat(of(new Uint8Array(33 * 1024 * 1024).fill(32)), answer.body$) }
              : answer,
          ),
        );
    const limits = { responseBytes: 64 * 1024 * 1024 };
    const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport: padded, limits });
    const kept = record(ucwa.events$);
    expect(kept.error).to.equal(undefined);
    kept.subscription.unsubscribe();
  });

  it('follow no redirect when redirects is 0', () => {
    const transport: Transport = () => of(response(307, { headers: { location: '/elsewhere' } }));
    const { error } = record(connected({}, { transport, limits: { redirects: 0 } }).ucwa.events$);
    expect(error).to.have.property('message').that.contains('too many redirects');
  });

  it('are checked before anything is sent', () => {
    const transport: Transport = () => expect.fail('it was sent');
    const limits = { parts: 0 };
    const signIn = password({ username: 'sara@contoso.com', password: 'hush' });
    for (const make of [
      () => connectUcwa({ server: 'https://pool.contoso.com/applications', transport, limits }),
      () => connectUcwa({ server: discovered('contoso.com'), auth: signIn, transport, limits }),
      () => discover({ domain: 'contoso.com', auth: signIn, transport, limits }),
      () => batched({ url: () => undefined, limits }),
    ]) {
      expect(make).to.throw(TypeError, 'limits.parts must be a whole number of at least 1');
    }
  });
});

describe('The limits of a batch', () => {
  const url = 'https://pool.example/ucwa/v1/applications/192';
  const outcomes = (limits: Limits): string[] => {
    const seen: string[] = [];
    inVirtualTime(() => {
      const server = batchServer(() => of(response(200, { body: ['x'.repeat(200)] })));
      const transport = batched({ url: () => `${url}/batch`, limits })(server.transport);
      for (const name of ['a', 'b', 'c']) {
        transport({ method: 'GET', url: `${url}/${name}` })
          .pipe(mergeMap(({ status, body$ }) => body$.pipe(map(() => status))))
          .subscribe({
            next: (status) => seen.push(String(status)),
            error: (error: Error) => seen.push(error.name),
          });
      }
    });
    return seen;
  };

  it('reject a response with more parts than parts', () => {
    expect(outcomes({ parts: 3 })).to.deep.equal(['200', '200', '200']);
    expect(outcomes({ parts: 2 })).to.deep.equal(['DecodeError', 'DecodeError', 'DecodeError']);
  });

  it('reject a response with more bytes than responseBytes', () => {
    expect(outcomes({ responseBytes: 500 })).to.deep.equal(['DecodeError', 'DecodeError', 'DecodeError']);
  });
});

describe('The limits of discovery', () => {
  const signIn = password({ username: 'sara@contoso.com', password: 'hush' });
  const INTERNAL = 'https://lyncdiscoverinternal.contoso.com/';

  /** Returns the requested hosts, and when in seconds, if the internal one responds like this. */
  const askedAt = (internal: Observable<HttpResponse>, limits?: Limits): string[] => {
    const asked: string[] = [];
    inVirtualTime(() => {
      const hosts = ucwaDiscovery();
      const transport: Transport = (request) => {
        const { hostname } = new URL(request.url);
        if (asked.length < 3) asked.push(`${hostname.split('.')[0]!} ${asyncScheduler.now() / 1000}`);
        return request.url.startsWith(INTERNAL) ? internal : hosts.transport(request);
      };
      const options = { domain: 'contoso.com', auth: signIn, transport, timeoutSeconds: 0.3 };
      discover({ ...options, ...(limits === undefined ? {} : { limits }) }).location$.subscribe();
    });
    return asked;
  };

  it('give a host timeoutMs for its whole response, though the body trickles', () => {
    const trickling = interval(100).pipe(map(() => Uint8Array.of(32)));
    const expected = ['lyncdiscoverinternal 0', 'lyncdiscover 0.3', 'lyncweb 0.3'];
    expect(askedAt(json(trickling))).to.deep.equal(expected);
    expect(askedAt(json(NEVER))).to.deep.equal(expected);
    expect(askedAt(NEVER)).to.deep.equal(expected);
  });

  it('limit the bytes and the redirects of a host', () => {
    const large = of(new Uint8Array(2000).fill(32));
    expect(askedAt(json(large), { responseBytes: 1999 })[1]).to.equal('lyncdiscover 0');
    const redirect = of(response(302, { headers: { location: INTERNAL } }));
    expect(askedAt(redirect, { redirects: 1 })).to.deep.equal([
      'lyncdiscoverinternal 0',
      'lyncdiscoverinternal 0',
      'lyncdiscover 0',
    ]);
  });

  it('limit the time of a token endpoint whose response trickles', () => {
    const asked: number[] = [];
    inVirtualTime(() => {
      const hosts = ucwaDiscovery();
      const transport: Transport = (request) => {
        if (request.method !== 'POST') return hosts.transport(request);
        asked.push(asyncScheduler.now() / 1000);
        return asked.length === 1 ? json(trickle) : hosts.transport(request);
      };
      const retry = { initialMs: 2000, random: (): number => 0.5 };
      discover({
        domain: 'contoso.com',
        auth: signIn,
        transport,
        retry,
        limits: { responseSeconds: 20 },
      }).location$.subscribe({
        error: () => asked.push(asyncScheduler.now() / 1000),
      });
    });
    expect(asked).to.deep.equal([0, 20]);
  });
});
