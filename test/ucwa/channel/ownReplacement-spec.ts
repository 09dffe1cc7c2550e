import { expect } from 'chai';
import {
  asyncScheduler,
  EMPTY,
  filter,
  lastValueFrom,
  mergeMap,
  ReplaySubject,
  scan,
  startWith,
  Subject,
  switchMap,
  take,
  takeWhile,
  timer,
} from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import type { HttpRequest, HttpResponse, Middleware } from '../../../lib/core/transport/transport.ts';
import type { Fault } from '../../../lib/testing/faults.ts';
import { serve } from '../../../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { random } from '../../support/random/random.ts';
import { connected, record } from '../connected.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';

const isPending = ({ url }: HttpRequest): boolean => url.includes('/events');
const REPLACED: Fault = {
  status: 409,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ code: 'Conflict', subcode: 'PGetReplaced' }),
};
const CHANGED = { type: 'updated', link: { rel: 'me', href: '/me' } };
const MINUTE = 60_000;

/**
 * Lets each request arrive after a time of its own, even if its client has left, as on connections of their
 * own.
 */
const arriving =
  (latencyMs: () => number): Middleware =>
  (transport) =>
  (request) => {
    const response$ = new ReplaySubject<HttpResponse>(1);
    timer(latencyMs())
      .pipe(mergeMap(() => transport(request)))
      .subscribe(response$);
    return response$;
  };

/** A server of which each request takes 5 to 45 ms, and a client of it. */
function scattered(seed: number): ReturnType<typeof connected> {
  const { next } = random(seed);
  const server = ucwaSimulator({ mediumSeconds: 0 });
  const transport = arriving(() => 5 + 40 * next())(server.transport);
  return { ...connected({}, { server: server.url, transport }), server };
}

describe('a P-GET that another of our own replaces', () => {
  it('does not end a switchMap whose aborted requests arrive late', () => {
    const errors: unknown[] = [];
    inVirtualTime(() => {
      const { ucwa, server } = scattered(1);
      const holding = ucwa.application$.subscribe();
      // Each response is followed by a request, which the next switch may abort on its way.
      const happening = timer(0, 37).subscribe(() => server.emit(CHANGED));
      timer(0, 100)
        .pipe(
          take(300),
          switchMap(() => ucwa.events$),
        )
        .subscribe({ error: (error: unknown) => errors.push(error) });
      timer(35_000).subscribe(() => {
        happening.unsubscribe();
        holding.unsubscribe();
        void ucwa.close();
      });
    });
    expect(errors).to.deep.equal([]);
  });

  it('does not end a switchMap over real sockets', async () => {
    const { below, oneIn } = random(2);
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const delayed = arriving(() => below(9))(server.transport);
    const received = new Subject<void>();
    const served = await serve((request) => {
      if (isPending(request)) received.next();
      return delayed(request);
    });
    const applications = `${served.origin}${new URL(server.url).pathname}`;
    const ucwa = connectUcwa({ server: applications, auth: bearer('token') });
    const holding = ucwa.application$.subscribe();
    const happening = timer(0, 7).subscribe(() => server.emit(CHANGED));
    const turns$ = received.pipe(
      filter(() => oneIn(3)),
      startWith(undefined),
      scan((count) => count + 1, 0),
      takeWhile((count) => count <= 200, true),
    );
    const switching$ = turns$.pipe(switchMap((turn) => (turn > 200 ? EMPTY : ucwa.events$)));
    await lastValueFrom(switching$, { defaultValue: undefined });
    happening.unsubscribe();
    holding.unsubscribe();
    const { clean } = await ucwa.close();
    expect(clean).to.equal(true);
    await served.close();
  });

  it('keeps the newer request when an older one arrives late', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      server.failNext(1, { arrivesAfterMs: 2000 }, isPending);
      const kept = record(ucwa.events$);
      timer(5000).subscribe(() => {
        server.emit(CHANGED);
        expect(kept.error).to.equal(undefined);
        expect(kept.values).to.deep.equal(['updated me']);
        kept.subscription.unsubscribe();
      });
    });
    expect(sent().filter((line) => line.includes('/events'))).to.deep.equal([
      'GET 101/events?ack=1 -',
      'GET 101/events?ack=1&priority=1 200',
      'GET 101/events?ack=2 -',
    ]);
  });

  it('sends the request again when the server does not know priorities', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      record(ucwa.events$).subscription.unsubscribe();
      server.failNext(1, REPLACED, isPending);
      const kept = record(ucwa.events$);
      expect(kept.error).to.equal(undefined);
      kept.subscription.unsubscribe();
      holding.unsubscribe();
    });
    expect(sent().filter((line) => line.includes('/events'))).to.deep.equal([
      'GET 101/events?ack=1 -',
      'GET 101/events?ack=1&priority=1 409',
      'GET 101/events?ack=1&priority=2 -',
    ]);
  });

  it('takes over the channel of an application that exists already', () => {
    const identity = { culture: 'en-us', endpointId: 'fixed', userAgent: 'spec' };
    const { ucwa, server } = connected({}, identity);
    const { transport, url } = server;
    const headers = { authorization: 'Bearer token', 'content-type': 'application/json' };
    inVirtualTime(() => {
      // The process has ended, which the server does not know yet.
      transport({ method: 'POST', url, headers, body: JSON.stringify(identity) }).subscribe();
      transport({ method: 'GET', url: `${url}/101/events?ack=1&priority=3`, headers }).subscribe();
      timer(10_000).subscribe(() => {
        const kept = record(ucwa.events$);
        server.emit(CHANGED);
        expect(kept.error).to.equal(undefined);
        expect(kept.values).to.deep.equal(['updated me']);
        void ucwa.close();
      });
    });
  });
});

describe('a P-GET that another client replaces', () => {
  it('ends the streams at once when none of ours was given up', () => {
    const { ucwa, server } = connected();
    inVirtualTime(() => {
      const kept = record(ucwa.events$);
      server.failNext(1, REPLACED, isPending);
      server.emit(CHANGED);
      expect(kept.error).to.be.instanceOf(HttpError);
    });
  });

  it('ends the streams at the second 409 after one aborted P-GET', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      record(ucwa.events$).subscription.unsubscribe();
      server.failNext(1000, REPLACED, isPending);
      const kept = record(ucwa.events$);
      expect(kept.error).to.be.instanceOf(HttpError);
      expect((kept.error as Error).message).to.contain('another client reads the event channel');
      holding.unsubscribe();
    });
    expect(sent().filter((line) => line.includes('409'))).to.have.length(2);
  });

  it('ends the streams at the fourth 409 after many aborted P-GETs', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      for (let left = 50; left > 0; left -= 1) record(ucwa.events$).subscription.unsubscribe();
      server.failNext(1000, REPLACED, isPending);
      expect(record(ucwa.events$).error).to.be.instanceOf(HttpError);
      holding.unsubscribe();
    });
    expect(sent().filter((line) => line.includes('409'))).to.have.length(4);
  });

  it('ends the streams at the fourth answer while the application switches often', () => {
    const { ucwa, server, sent } = connected();
    let error: unknown;
    let endedAt = 0;
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      timer(1000, 1000)
        .pipe(take(30))
        .subscribe(() => {
          server.failNext(1, REPLACED, isPending);
        });
      timer(0, 100)
        .pipe(
          take(300),
          switchMap(() => ucwa.events$),
        )
        .subscribe({
          error: (cause: unknown) => {
            error = cause;
            endedAt = asyncScheduler.now();
          },
        });
      timer(40_000).subscribe(() => holding.unsubscribe());
    });
    expect(error).to.be.instanceOf(HttpError);
    expect(endedAt).to.equal(4000);
    expect(sent().filter((line) => line.includes('409'))).to.have.length(4);
  });

  it('ends the streams at once a minute after ours was given up', () => {
    const { ucwa, server, sent } = connected();
    inVirtualTime(() => {
      const holding = ucwa.application$.subscribe();
      record(ucwa.events$).subscription.unsubscribe();
      const kept = record(ucwa.events$);
      timer(MINUTE + 1).subscribe(() => {
        server.failNext(1000, REPLACED, isPending);
        server.emit(CHANGED);
        expect(kept.error).to.be.instanceOf(HttpError);
        holding.unsubscribe();
      });
    });
    expect(sent().filter((line) => line.includes('409'))).to.have.length(1);
  });
});
