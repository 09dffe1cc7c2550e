import { basic } from '../../lib/ews/auth/basic.ts';
import { autodiscovered } from '../../lib/ews/discovery/autodiscover.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { expect } from 'chai';
import { inspect } from 'node:util';
import { delay, merge, type Observable, of, timer } from 'rxjs';
import type { Activity } from '../../lib/core/transport/requestLog.ts';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import type { ExchangeOptions } from '../../lib/ews/options.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { type Exchange } from '../../lib/ews/session/session.ts';
import { pushNotifications } from '../../lib/ews/push/push.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { pushCallback } from '../../lib/testing/ews/push.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../lib/testing/ews/options.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { response } from '../support/responses.ts';

const OPTIONS = { folders: ['inbox'], events: ['newMail'] } as const;
const URL_OF_SERVICE = 'https://mail.contoso.com/EWS/Exchange.asmx';

/** The activity of a connection until a stream is unsubscribed from, in milliseconds. */
function recordedFrom(
  stream: (exchange: Exchange) => Observable<unknown>,
  leaveAfterMs: number,
  options: Partial<ExchangeOptions> = {},
  simulated: EwsSimulatorOptions = {},
): readonly Activity[] {
  const recorded: Activity[] = [];
  const server = ewsSimulator(simulated);
  const exchange = connectExchange({
    server: server.url,
    transport: server.transport,
    ...options,
  });
  exchange.activity$.subscribe((activity) => recorded.push(activity));
  inVirtualTime(() => {
    const watching = stream(exchange).subscribe({ error: () => undefined });
    timer(leaveAfterMs).subscribe(() => watching.unsubscribe());
  });
  return recorded;
}

const inShort = ({ method, origin, path, status, end }: Activity): string =>
  `${method} ${origin.replace('https://', '')}${path} ${status ?? '-'} ${end}`;

describe('activity$ of a connection to EWS', () => {
  it('reports each operation, including the release', () => {
    const recorded = recordedFrom((exchange) => pullNotifications(exchange, OPTIONS), 0);
    expect(recorded.map(inShort)).to.deep.equal([
      'POST exchange.example/EWS/Exchange.asmx 200 answered',
      'POST exchange.example/EWS/Exchange.asmx 200 answered',
      'POST exchange.example/EWS/Exchange.asmx 200 answered',
    ]);
    for (const { bytes } of recorded) expect(bytes).to.be.above(100);
  });

  it('reports the posts to a push subscription, without its secret', () => {
    const { transport, incoming$ } = pushCallback();
    const options = { ...OPTIONS, callbackUrl: 'https://me.contoso.com/notified' };
    const recorded = recordedFrom(
      (exchange) => pushNotifications(exchange, options, incoming$),
      0,
      {},
      { push: transport },
    );
    expect(recorded.map(inShort)).to.deep.equal([
      'POST exchange.example/EWS/Exchange.asmx 200 answered',
      'POST me.contoso.com/notified?… 200 answered',
      // The post that ends the subscription.
      'POST me.contoso.com/notified?… 200 answered',
    ]);
    expect(recorded[1]?.bytes).to.be.above(500);
  });

  it('reports Autodiscover and its failed attempts', () => {
    const server = ewsSimulator();
    const transport: Transport = (request) => {
      const { hostname } = new URL(request.url);
      if (hostname === 'mail.contoso.com') {
        return server.transport({ ...request, url: server.url });
      }
      if (hostname === 'autodiscover.contoso.com') return of(response(404)).pipe(delay(10));
      const found = JSON.stringify({ Protocol: 'EWS', Url: URL_OF_SERVICE });
      const headers = headersFrom({ 'content-type': 'application/json' });
      return of({ ...response(200, { body: [found] }), headers }).pipe(delay(10));
    };
    const recorded = recordedFrom((exchange) => pullNotifications(exchange, OPTIONS), 1000, {
      server: autodiscovered('sara@contoso.com'),
      transport,
    });
    expect(recorded.map(inShort).slice(0, 3)).to.deep.equal([
      'GET autodiscover.contoso.com/autodiscover/autodiscover.json/v1.0/sara@contoso.com?… 404 answered',
      'GET contoso.com/autodiscover/autodiscover.json/v1.0/sara@contoso.com?… 200 answered',
      'POST mail.contoso.com/EWS/Exchange.asmx 200 answered',
    ]);
  });

  it('reports a stream once at its end, with its total bytes', () => {
    const recorded = recordedFrom((exchange) => streamingNotifications(exchange, OPTIONS), 600_000);
    const [longest] = recorded.toSorted((a, b) => b.ms - a.ms);
    expect(longest).to.include({ end: 'aborted', status: 200 });
    expect(longest?.ms).to.be.above(590_000);
    expect(longest?.bytes).to.be.above(1000);
  });

  it('reports the requests of all users of a connection', () => {
    const recorded = recordedFrom(
      (exchange) =>
        merge(
          ...['sara@contoso.com', 'alfred@contoso.com'].map((primarySmtpAddress) =>
            pullNotifications(exchange.actingAs({ primarySmtpAddress }), OPTIONS),
          ),
        ),
      0,
    );
    expect(recorded).to.have.length(6);
  });

  it('reports why a request was sent again', () => {
    const tokens = ['expired', 'fresh'];
    const recorded = recordedFrom(
      (exchange) => pullNotifications(exchange, OPTIONS),
      1000,
      { auth: bearer(() => tokens.shift() ?? 'fresh') },
      { token: 'fresh' },
    );
    expect(recorded.map(({ status, repeats }) => [status, repeats])).to.include.deep.members([
      [401, undefined],
      [200, { count: 1, reason: 'the token was refused' }],
    ]);
  });

  const signIns: readonly (readonly [string, Partial<ExchangeOptions>, EwsSimulatorOptions])[] = [
    ['token', { auth: bearer('hush-hush') }, { token: 'hush-hush' }],
    [
      'password',
      { auth: basic({ username: 'sara', password: 'hush-hush' }) },
      { basic: { username: 'sara', password: 'hush-hush' } },
    ],
    ['refused token', { auth: bearer('hush-hush') }, { token: 'another' }],
  ];
  for (const [what, options, simulated] of signIns) {
    it(`contains no ${what}`, () => {
      const recorded = recordedFrom(
        (exchange) => pullNotifications(exchange, OPTIONS),
        0,
        options,
        simulated,
      );
      const shown = inspect(recorded, { depth: null });
      expect(recorded).to.have.length.above(0);
      for (const secret of ['hush', btoa('sara:hush-hush')]) expect(shown).to.not.contain(secret);
    });
  }
});
