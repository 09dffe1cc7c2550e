import { expect } from 'chai';
import { filter, firstValueFrom, lastValueFrom, take, tap, timeout, toArray } from 'rxjs';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsDialect } from '../../../lib/testing/ews/dialect.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { answer } from '../answers.ts';
import { message, status, streamed } from './streams.ts';

const mail = { folders: ['inbox'], events: ['newMail'] } as const;

describe('Streams over real sockets', () => {
  let served: Served | SpecServer | undefined;

  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  const start = async (options: EwsSimulatorOptions = {}): Promise<[EwsSimulator, Exchange]> => {
    const server = ewsSimulator({ heartbeatSeconds: 0.05, ...options });
    const listening = await serve(server.transport);
    served = listening;
    return [
      server,
      connectExchange({ server: `${listening.origin}/EWS/Exchange.asmx`, retry: { initialMs: 10 } }),
    ];
  };

  for (const dialect of ['exchange', 'grommunio'] satisfies EwsDialect[]) {
    it(`emit events in chunks of any size, with ${dialect}`, async () => {
      const [server, exchange] = await start({ dialect, chunkBytes: 17 });
      let mails = 0;
      const events = await lastValueFrom(
        streamingNotifications(exchange, mail).pipe(
          tap(({ type }) => {
            if (type === 'status' && mails < 3) {
              mails += 1;
              server.deliverMail();
            }
          }),
          filter(({ type }) => type === 'newMail'),
          take(3),
          toArray(),
        ),
      );
      expect(events).to.have.length(3);
      expect((await exchange.drain()).clean).to.equal(true);
      expect(server.subscriptions).to.deep.equal([]);
    });

    it(`have a gap after a reset, none after a close, with ${dialect}`, async () => {
      const [server, exchange] = await start({ dialect });
      const steps = [
        (): void => server.closeStreams(),
        (): void => void server.deliverMail(),
        (): void => server.closeStreams('reset'),
        (): void => void server.deliverMail(),
      ];
      const seen: string[] = [];
      const done = streamingNotifications(exchange, mail).pipe(
        tap(({ type }) => {
          if (type === 'status') steps.shift()?.();
          else seen.push(type);
        }),
        filter(() => seen.filter((type) => type === 'newMail').length === 2),
      );
      await firstValueFrom(done);
      expect(seen).to.deep.equal(['newMail', 'gap', 'newMail']);
      await exchange.drain();
      expect(server.subscriptions).to.deep.equal([]);
    });
  }

  it('continue after a restart, with a gap', async () => {
    const [server, exchange] = await start();
    const seen: EwsEvent[] = [];
    let isRestarted = false;
    await firstValueFrom(
      streamingNotifications(exchange, mail).pipe(
        tap((event) => {
          seen.push(event);
          if (!isRestarted) server.restart();
          isRestarted = true;
        }),
        filter(({ type }) => type === 'gap'),
      ),
    );
    expect(seen.at(-1)).to.include({ type: 'gap', reason: 'subscriptionLost' });
    await exchange.drain();
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('delay neither other requests nor close', async () => {
    const [server, exchange] = await start();
    const watching = streamingNotifications(exchange, mail).subscribe();
    await firstValueFrom(streamingNotifications(exchange, mail));
    expect(server.streams).to.have.length(1);
    await firstValueFrom(pullNotifications(exchange, mail).pipe(timeout(5000)));
    const report = await exchange.close();
    expect(report.outcomes).to.have.length(3);
    expect(report.clean).to.equal(true);
    expect(watching.closed).to.equal(true);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('wait for the rest of a message, and notice a closed socket', async () => {
    const OK = '<m:ResponseCode>NoError</m:ResponseCode>';
    const subscribed = answer('Subscribe', `${OK}<m:SubscriptionId>S1</m:SubscriptionId>`);
    const event = message(streamed('S1', 'NewMailEvent') + status('OK'));
    let streams = 0;
    served = await httpServer((request, response) => {
      request.setEncoding('utf8');
      let asked = '';
      request.on('data', (text: string) => (asked += text));
      request.on('end', () => {
        response.writeHead(200, { 'content-type': 'text/xml' });
        if (!asked.includes('<m:GetStreamingEvents>')) {
          response.end(asked.includes('<m:Subscribe>') ? subscribed : answer('Unsubscribe', OK));
          return;
        }
        streams += 1;
        response.write(event.slice(0, 300), () => {
          response.write(event.slice(300) + '<?xml', () => {
            // Closed in the middle of the next envelope, from this side only.
            if (streams === 1) response.socket?.end();
          });
        });
      });
    });
    const exchange = connectExchange({ server: `${served.url}/EWS/Exchange.asmx`, retry: { initialMs: 10 } });
    const events = await lastValueFrom(streamingNotifications(exchange, mail).pipe(take(3), toArray()));
    expect(events.map(({ type }) => type)).to.deep.equal(['newMail', 'gap', 'newMail']);
    expect(events[1]).to.include({ reason: 'connectionLost' });
    expect((await exchange.drain()).clean).to.equal(true);
  });
});
