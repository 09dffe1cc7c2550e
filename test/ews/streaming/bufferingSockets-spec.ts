import { expect } from 'chai';
import { filter, firstValueFrom, take, tap } from 'rxjs';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import type { Exchange } from '../../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { bufferingProxy } from '../../support/net/bufferingProxy.ts';
import type { SpecServer } from '../../support/net/httpServer.ts';

const mail = { folders: ['inbox'], events: ['newMail'] } as const;

describe('A proxy that buffers responses', () => {
  let server: EwsSimulator;
  let served: Served;
  let proxy: SpecServer;
  let exchange: Exchange;

  beforeEach(async () => {
    server = ewsSimulator({ heartbeatSeconds: 0.05 });
    served = await serve(server.transport);
    proxy = await bufferingProxy(served.port);
    exchange = connectExchange({
      server: `${proxy.url}/EWS/Exchange.asmx`,
      retry: { initialMs: 10 },
      limits: { silenceSeconds: 0.5 },
    });
  });
  afterEach(async () => {
    await served.close();
    await proxy.close();
  });

  it('is named by the status, with the advice to poll', async () => {
    const watching = streamingNotifications(exchange, mail).subscribe();
    const status = await firstValueFrom(exchange.status$.pipe(filter(({ state }) => state === 'waiting')));
    expect(status).to.include({ reason: 'starved' });
    expect(status)
      .to.have.nested.property('error.message')
      .that.matches(/no envelope on the stream for 0\.5 seconds.*proxy.*pullNotifications/);
    watching.unsubscribe();
    expect((await exchange.close()).clean).to.equal(true);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('does not keep polls from their events', async () => {
    const event = await firstValueFrom(
      pullNotifications(exchange, { ...mail, pollIntervalSeconds: 0.1 }).pipe(
        tap(({ type }) => type === 'status' && server.deliverMail()),
        filter(({ type }) => type === 'newMail'),
        take(1),
      ),
    );
    expect(event.type).to.equal('newMail');
    expect((await exchange.close()).clean).to.equal(true);
  });
});
