import { expect } from 'chai';
import { filter, firstValueFrom, lastValueFrom, of, take, tap, toArray } from 'rxjs';
import type { ConnectionStatus } from '../../lib/core/connectionStatus.ts';
import { NetworkError } from '../../lib/core/errors.ts';
import type { EwsEvent } from '../../lib/ews/protocol/events.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { basic } from '../../lib/ews/auth/basic.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { type Exchange } from '../../lib/ews/session/session.ts';
import { type EwsDialect } from '../../lib/testing/ews/dialect.ts';
import { ewsSimulator, type EwsSimulator } from '../../lib/testing/ews/simulator.ts';
import { serve, type Served } from '../../lib/testing/http/serve.ts';
import { response } from '../support/responses.ts';
import { httpServer } from '../support/net/httpServer.ts';

const pull = { folders: ['inbox'], events: ['created', 'newMail'], pollIntervalSeconds: 0.02 } as const;
const credentials = { username: 'sara', password: 'pä$$' };

describe('Over real sockets', () => {
  for (const dialect of ['exchange', 'grommunio'] satisfies EwsDialect[]) {
    describe(`a pull from a server like ${dialect}`, () => {
      let server: EwsSimulator;
      let served: Served;
      let exchange: Exchange;

      beforeEach(async () => {
        server = ewsSimulator({ dialect, basic: credentials });
        served = await serve(server.transport);
        exchange = connectExchange({
          server: `${served.origin}/EWS/Exchange.asmx`,
          auth: basic(credentials),
          retry: { initialMs: 5 },
        });
      });

      afterEach(async () => {
        await exchange.close();
        const left = server.subscriptions;
        await served.close();
        expect(left).to.deep.equal([]);
      });

      it('emits events, and is removed on unsubscribe', async () => {
        const types = await lastValueFrom(
          pullNotifications(exchange, pull).pipe(
            tap(({ type }) => {
              if (type === 'status' && server.requests.length === 2) server.deliverMail();
            }),
            take(3),
            toArray(),
          ),
        );
        expect(types.map(({ type }) => type).slice(-2)).to.deep.equal(['created', 'newMail']);
        const { clean } = await exchange.drain();
        expect(clean).to.equal(true);
        expect(server.requests.at(-1)).to.include({ operation: 'Unsubscribe', status: 200 });
      });

      it('reads a response with hundreds of events, in order', async () => {
        const seen: EwsEvent[] = [];
        const done = new Promise<void>((resolve) => {
          pullNotifications(exchange, pull).subscribe((event) => {
            if (seen.length === 0) for (let mails = 0; mails < 200; mails += 1) server.deliverMail();
            seen.push(event);
            if (seen.length === 401) resolve();
          });
        });
        await done;
        const items = seen.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
        expect(items).to.deep.equal([...new Set(items)].sort());
        expect(items).to.have.length(200);
      });

      it('survives connections that break before, during and after the response', async () => {
        let failures = 0;
        const seen = await lastValueFrom(
          pullNotifications(exchange, pull).pipe(
            tap(() => {
              const how = (['reset', 'resetAfterActing', { truncateAfterBytes: 200 }] as const)[failures];
              failures += 1;
              if (how !== undefined) server.failNext(1, how, 'GetEvents');
            }),
            take(8),
            toArray(),
          ),
        );
        expect(seen.every(({ type }) => type === 'status' || type === 'gap')).to.equal(true);
        expect(seen.some(({ type }) => type === 'gap')).to.equal(dialect === 'grommunio');
      });

      it('releases its subscription after an unsubscribe before the response', async () => {
        server.failNext(1, { delayMs: 30 }, 'Subscribe');
        const watching = pullNotifications(exchange, pull).subscribe();
        // After one turn of the event loop the request is in flight, and cannot have a response yet.
        await new Promise((resolve) => setImmediate(resolve));
        watching.unsubscribe();
        const { clean, outcomes } = await exchange.drain();
        expect(clean).to.equal(true);
        expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
        expect(server.requests.map(({ operation }) => operation)).to.deep.equal(['Subscribe', 'Unsubscribe']);
      });

      it('continues after the server restarts', async () => {
        let hasRestarted = false;
        const found = await firstValueFrom(
          pullNotifications(exchange, pull).pipe(
            tap(() => {
              if (hasRestarted) server.deliverMail();
              else server.restart();
              hasRestarted = true;
            }),
            take(20),
            toArray(),
          ),
        );
        expect(found.some(({ type }) => type === 'newMail')).to.equal(true);
        expect(found.some(({ type }) => type === 'gap')).to.equal(dialect === 'grommunio');
      });
    });
  }

  it('an absent server causes a clear error, without a release', async () => {
    const gone = await httpServer(() => undefined);
    await gone.close();
    const exchange = connectExchange({
      server: `${gone.url}/EWS/Exchange.asmx`,
      retry: { retries: 1, initialMs: 1 },
    });
    const error = await lastValueFrom(pullNotifications(exchange, pull)).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(NetworkError).and.to.include({ code: 'ECONNREFUSED' });
    expect(await exchange.drain()).to.deep.equal({ clean: true, outcomes: [] });
  });

  it('the status says that the server is away, then back', async () => {
    const server = ewsSimulator();
    let isAway = false;
    const served = await serve((request) =>
      isAway ? of(response(503, { headers: { 'retry-after': '0' } })) : server.transport(request),
    );
    const exchange = connectExchange({
      server: `${served.origin}/EWS/Exchange.asmx`,
      retry: { initialMs: 5, maxMs: 10 },
    });
    const states: string[] = [];
    const reached = (state: ConnectionStatus['state']): Promise<ConnectionStatus> =>
      firstValueFrom(exchange.status$.pipe(filter((status) => status.state === state)));
    exchange.status$.subscribe(({ state }) => states.push(state));
    const watching = pullNotifications(exchange, pull).subscribe();
    await reached('live');
    isAway = true;
    expect(await reached('waiting')).to.include({ reason: 'throttled' });
    isAway = false;
    await reached('live');
    watching.unsubscribe();
    await exchange.close();
    await served.close();
    expect(states.slice(0, 4)).to.deep.equal(['idle', 'connecting', 'live', 'waiting']);
    expect(states.slice(-3)).to.deep.equal(['live', 'idle', 'closed']);
  });

  it('HTML instead of a response causes a clear error', async () => {
    const proxy = await httpServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>');
    });
    const exchange = connectExchange({
      server: `${proxy.url}/EWS/Exchange.asmx`,
      retry: { retries: 1, initialMs: 1 },
    });
    const error = await lastValueFrom(pullNotifications(exchange, pull)).catch((thrown: unknown) => thrown);
    expect(error).to.have.property('message').that.contains('a login page or a captive portal');
    const { outcomes } = await exchange.drain();
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Unknown', 'Unknown']);
    await proxy.close();
  });
});
