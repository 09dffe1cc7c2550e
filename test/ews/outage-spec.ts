import { expect } from 'chai';
import {
  asyncScheduler,
  concat,
  delay,
  EMPTY,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  Subject,
  Subscription,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../lib/core/transport/transport.ts';
import type { EwsEvent } from '../../lib/ews/protocol/events.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { type Exchange } from '../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { caseCount } from '../support/random/caseCount.ts';
import { faultAnswer } from './answers.ts';
import { message, status } from './streaming/streams.ts';

const MINUTE_MS = 60_000;
const RETRY = { random: () => 0.5 };

const NO_NETWORK = (request: HttpRequest): Observable<HttpResponse> =>
  throwError(() => new NetworkError('no answer', request));
const UNAVAILABLE = ({ url }: HttpRequest): Observable<HttpResponse> =>
  of({ status: 503, url, headers: headersFrom({}), body$: EMPTY });
const EMPTY_500 = ({ url }: HttpRequest): Observable<HttpResponse> =>
  of({ status: 500, url, headers: headersFrom({}), body$: EMPTY });
const BLANK_200 = ({ url }: HttpRequest): Observable<HttpResponse> =>
  of({
    status: 200,
    url,
    headers: headersFrom({ 'content-type': 'text/xml' }),
    body$: of(new TextEncoder().encode('\n')),
  });

const LOGIN_PAGE = ({ url }: HttpRequest): Observable<HttpResponse> =>
  of({
    status: 200,
    url,
    headers: headersFrom({ 'content-type': 'text/html' }),
    body$: of(new TextEncoder().encode('<html>Sign in</html>')),
  });

/** A response to any request: the same fault for all operations. */
const BUSY = ({ url }: HttpRequest): Observable<HttpResponse> =>
  of({
    status: 500,
    url,
    headers: headersFrom({ 'content-type': 'text/xml' }),
    body$: of(new TextEncoder().encode(faultAnswer('ErrorServerBusy'))),
  });

const pull = (exchange: Exchange): Observable<EwsEvent> =>
  pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'], pollIntervalSeconds: 30 });
const stream = (exchange: Exchange): Observable<EwsEvent> =>
  streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] });

/** Breaks the bodies of responses that are in flight when the outage begins. */
function cutBy(cut$: Observable<void>, request: HttpRequest): (response: HttpResponse) => HttpResponse {
  const cutOff$ = cut$.pipe(mergeMap(() => throwError(() => new NetworkError('broken off', request))));
  return (response) => ({ ...response, body$: response.body$.pipe(takeUntil(cutOff$)) });
}

/** Returns the requests of this many streams in ten minutes of an outage, and in the minute after it. */
function requestsOf(
  count: number,
  watch: (exchange: Exchange) => Observable<EwsEvent>,
  failure: (request: HttpRequest) => Observable<HttpResponse>,
): { readonly during: number; readonly after: number; readonly errors: number; readonly alive: number } {
  const found = { during: 0, after: 0, errors: 0, alive: 0 };
  inVirtualTime(() => {
    const server = ewsSimulator({ latencyMs: 20 });
    const cut$ = new Subject<void>();
    let phase: 'before' | 'during' | 'after' = 'before';
    const transport: Transport = (request) => {
      if (phase !== 'before') found[phase] += 1;
      return phase === 'during'
        ? failure(request)
        : server.transport(request).pipe(map(cutBy(cut$, request)));
    };
    const exchange = connectExchange({
      server: server.url,
      transport,
      retry: RETRY,
      streaming: { maxConnections: 5 },
    });
    const alive = new Set<number>();
    const watching = new Subscription();
    for (let index = 0; index < count; index += 1) {
      watching.add(
        watch(exchange).subscribe({
          next: () => phase === 'after' && alive.add(index),
          error: () => (found.errors += 1),
        }),
      );
    }
    timer(MINUTE_MS).subscribe(() => {
      phase = 'during';
      cut$.next();
    });
    timer(11 * MINUTE_MS).subscribe(() => (phase = 'after'));
    timer(12 * MINUTE_MS).subscribe(() => {
      phase = 'before';
      found.alive = alive.size;
      watching.unsubscribe();
    });
  });
  return found;
}

/** The number of subscriptions in an outage. */
const MANY = caseCount(80, 1000);

describe('An outage of ten minutes', function () {
  this.timeout(60_000);

  for (const [way, watch] of [
    ['pull', pull],
    ['streaming', stream],
  ] as const) {
    for (const [name, failure] of [
      ['without a network', NO_NETWORK],
      ['of answers 503', UNAVAILABLE],
      ['of empty answers 500', EMPTY_500],
      ['of blank answers 200', BLANK_200],
      ['behind a captive portal', LOGIN_PAGE],
      ['of answers ErrorServerBusy', BUSY],
    ] as const) {
      it(`${name} costs many ${way} subscriptions the requests of one`, () => {
        const one = requestsOf(1, watch, failure);
        const many = requestsOf(MANY, watch, failure);
        expect(many.during).to.be.at.most(one.during * 1.2);
        expect(many.errors).to.equal(0);
        expect(many.alive, 'current again within a minute').to.equal(MANY);
        expect(many.after).to.be.at.most(4 * MANY);
      });
    }
  }

  it('with ErrorServerBusy costs five shared connections the requests of one', () => {
    const one = requestsOf(1, stream, BUSY);
    expect(requestsOf(1000, stream, BUSY).during).to.be.at.most(one.during * 1.2);
  });

  it('ends within two seconds of the first response, for lost pulls', () => {
    inVirtualTime(() => {
      const server = ewsSimulator({ latencyMs: 20 });
      let isDown = false;
      const transport: Transport = (request) => {
        if (isDown) return NO_NETWORK(request);
        respondedAt ??= isOver ? asyncScheduler.now() : undefined;
        return server.transport(request);
      };
      let isOver = false;
      let respondedAt: number | undefined;
      const recoveredAt: number[] = [];
      const exchange = connectExchange({ server: server.url, transport, retry: RETRY });
      const watching = Array.from({ length: 20 }, () =>
        pull(exchange).subscribe(({ type }) => {
          if (isOver && type === 'status') recoveredAt.push(asyncScheduler.now());
        }),
      );
      timer(MINUTE_MS).subscribe(() => (isDown = true));
      timer(40 * MINUTE_MS).subscribe(() => {
        expect(server.subscriptions, 'all have expired').to.deep.equal([]);
        isDown = false;
        isOver = true;
      });
      timer(41 * MINUTE_MS).subscribe(() => {
        expect(recoveredAt.length).to.be.at.least(20);
        expect(recoveredAt[19]! - respondedAt!).to.be.below(2000);
        for (const one of watching) one.unsubscribe();
      });
    });
  });

  it('ends at once when the platform is online again', () => {
    inVirtualTime(() => {
      const server = ewsSimulator({ latencyMs: 20 });
      const online$ = new Subject<void>();
      let isDown = false;
      let statuses = 0;
      const transport: Transport = (request) => (isDown ? NO_NETWORK(request) : server.transport(request));
      const exchange = connectExchange({ server: server.url, transport, retry: RETRY, online$ });
      const watching = pull(exchange).subscribe(() => (statuses += 1));
      const leaving = pull(exchange).subscribe();
      timer(MINUTE_MS).subscribe(() => {
        isDown = true;
        leaving.unsubscribe();
      });
      timer(3 * MINUTE_MS).subscribe(() => {
        isDown = false;
        statuses = 0;
        online$.next();
      });
      timer(3 * MINUTE_MS + 100).subscribe(() => {
        expect(statuses, 'asked for events').to.equal(1);
        expect(server.subscriptions, 'the other is removed').to.have.length(1);
        watching.unsubscribe();
      });
    });
  });
});

describe('A server that never responds', () => {
  it('fails many pulls after the retries of one', () => {
    const failing = (count: number): { readonly errors: number; readonly requests: number } => {
      const found = { errors: 0, requests: 0 };
      inVirtualTime(() => {
        const transport: Transport = (request) => {
          found.requests += 1;
          return NO_NETWORK(request).pipe(delay(20));
        };
        const exchange = connectExchange({
          server: 'https://mail.contoso.com/EWS/Exchange.asmx',
          transport,
          retry: RETRY,
        });
        const watching = new Subscription();
        for (let index = 0; index < count; index += 1)
          watching.add(pull(exchange).subscribe({ error: () => (found.errors += 1) }));
        timer(MINUTE_MS).subscribe(() => watching.unsubscribe());
      });
      return found;
    };
    expect(failing(1)).to.deep.equal({ errors: 1, requests: 5 });
    const many = failing(MANY);
    expect(many.errors).to.equal(MANY);
    // The first ten are in flight together.
    expect(many.requests).to.be.at.most(9 + 10);
  });
});

describe('ErrorServerBusy for five minutes', () => {
  const polls = (watch: (exchange: Exchange) => readonly Exchange[]): number[] => {
    const asked: number[] = [];
    inVirtualTime(() => {
      const server = ewsSimulator({ latencyMs: 20 });
      let isBusy = false;
      const transport: Transport = (request) => {
        const { body = '' } = request;
        if (!isBusy || !body.includes('GetEvents')) return server.transport(request);
        asked.push(asyncScheduler.now());
        if (body.includes('alfred@contoso.com')) return server.transport(request);
        const fault = faultAnswer('ErrorServerBusy', 'Busy.', [['BackOffMilliseconds', '300000']]);
        const headers = headersFrom({ 'content-type': 'text/xml' });
        return of({ status: 500, url: request.url, headers, body$: of(new TextEncoder().encode(fault)) });
      };
      const exchange = connectExchange({ server: server.url, transport, retry: RETRY });
      const watching = new Subscription();
      for (const [index, each] of watch(exchange).entries()) {
        timer(index * 1000).subscribe(() => watching.add(pull(each).subscribe()));
      }
      timer(MINUTE_MS).subscribe(() => (isBusy = true));
      timer(6 * MINUTE_MS).subscribe(() => watching.unsubscribe());
    });
    return asked;
  };

  it('does not stop the polls of other users', () => {
    const asked = polls((exchange) => [
      exchange,
      exchange.actingAs({ primarySmtpAddress: 'alfred@contoso.com' }),
    ]);
    expect(asked).to.have.length.within(10, 12);
  });

  it('stops all polls of the user', () => {
    expect(polls((exchange) => [exchange, exchange, exchange])).to.have.length(1);
  });
});

describe('Silent streams', () => {
  it('cost 100 users the requests of one backoff', () => {
    const requestsOf = (count: number): number => {
      let streams = 0;
      inVirtualTime(() => {
        const server = ewsSimulator({ latencyMs: 20 });
        const transport: Transport = (request) => {
          if (!request.body?.includes('GetStreamingEvents')) return server.transport(request);
          streams += 1;
          return of({ status: 200, url: request.url, headers: headersFrom({}), body$: NEVER });
        };
        const exchange = connectExchange({ server: server.url, transport, retry: RETRY });
        const watching = new Subscription();
        for (let index = 0; index < count; index += 1)
          watching.add(
            stream(exchange.actingAs({ primarySmtpAddress: `u${index}@contoso.com` })).subscribe(),
          );
        timer(20 * MINUTE_MS).subscribe(() => watching.unsubscribe());
      });
      return streams;
    };
    // Each is sent once, and then one after another.
    expect(requestsOf(100)).to.be.below(100 + (20 * MINUTE_MS) / 10_000);
  });
});

describe('A stream whose responses begin with an unreadable envelope', () => {
  it('is requested again with backoff', () => {
    inVirtualTime(() => {
      const server = ewsSimulator({ latencyMs: 20 });
      const body = message(status('OK')).replace('OK', '&') + message(status('OK'));
      let streams = 0;
      let gaps = 0;
      const transport: Transport = (request) => {
        if (!request.body?.includes('GetStreamingEvents')) return server.transport(request);
        streams += 1;
        const headers = headersFrom({ 'content-type': 'text/xml' });
        const body$ = concat(of(new TextEncoder().encode(body)), NEVER);
        return of({ status: 200, url: request.url, headers, body$ }).pipe(delay(20));
      };
      const exchange = connectExchange({ server: server.url, transport, retry: RETRY });
      const watching = stream(exchange).subscribe(({ type }) => (gaps += type === 'gap' ? 1 : 0));
      timer(10 * MINUTE_MS).subscribe(() => {
        watching.unsubscribe();
        expect(streams).to.be.within(5, 60);
        expect(gaps, 'each is reported').to.be.at.least(streams - 1);
      });
    });
  });
});
