import { expect } from 'chai';
import { filter, firstValueFrom, take, tap, toArray } from 'rxjs';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { pushNotifications } from '../../../lib/ews/push/push.ts';
import { pushListener, type PushListener } from '../../../lib/ews/push/listener.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';

const isMail = ({ type }: EwsEvent): boolean => type === 'newMail';

describe('Push notifications over real sockets', () => {
  let server: EwsSimulator;
  let served: Served;
  let listener: PushListener;
  let callback: SpecServer;
  let exchange: Exchange;

  beforeEach(async () => {
    listener = pushListener({ path: '/notified' });
    callback = await httpServer(listener.handler);
    server = ewsSimulator({ push: fetchTransport() });
    served = await serve(server.transport);
    exchange = connectExchange({ server: `${served.origin}/EWS/Exchange.asmx`, retry: { initialMs: 5 } });
  });

  afterEach(async () => {
    listener.close();
    server.restart();
    await served.close();
    await callback.close();
  });

  const push = (path = '/notified'): ReturnType<typeof pushNotifications> =>
    pushNotifications(
      exchange,
      {
        folders: ['inbox'],
        events: ['newMail'],
        callbackUrl: `${callback.url}${path}`,
        statusFrequencyMinutes: 1,
      },
      listener.incoming$,
    );

  it('emit posts of another server, and end with the last response', async () => {
    let mails = 0;
    const seen = await firstValueFrom(
      push().pipe(
        tap(() => {
          if (mails < 5) server.deliverMail();
          mails += 1;
        }),
        filter(isMail),
        take(5),
        toArray(),
      ),
    );
    const items = seen.flatMap((event) => (event.type === 'newMail' ? [event.item!.id] : []));
    expect(items).to.deep.equal([...new Set(items)].sort());
    const { clean, outcomes } = await exchange.drain();
    expect([clean, ...outcomes.map(({ outcome }) => outcome)]).to.deep.equal([true, 'Released']);
  });

  it('read a large post in many chunks', async () => {
    let isBegun = false;
    const seen = firstValueFrom(
      push().pipe(
        tap(() => {
          if (!isBegun) for (let mails = 0; mails < 200; mails += 1) server.deliverMail();
          isBegun = true;
        }),
        filter(isMail),
        take(200),
        toArray(),
      ),
    );
    expect(await seen).to.have.length(200);
  });

  it('reject each post to another path', async () => {
    const refused = firstValueFrom(listener.refused$);
    const watching = push('/elsewhere').subscribe();
    expect(await refused).to.deep.equal({ status: 404, problem: 'It came to another path.' });
    watching.unsubscribe();
    listener.close();
    const { clean, outcomes } = await exchange.drain();
    // The subscription can no longer be ended, and the ledger says so.
    expect([clean, ...outcomes.map(({ outcome }) => outcome)]).to.deep.equal([false, 'Failed']);
  });

  it('leave no socket and no rejection when everything closes at once', async () => {
    const watching = push().subscribe({ error: () => undefined });
    await firstValueFrom(listener.incoming$);
    server.deliverMail();
    await callback.close();
    listener.close();
    watching.unsubscribe();
    const { outcomes } = await exchange.drain();
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Failed']);
    callback = await httpServer(() => undefined);
  });
});
