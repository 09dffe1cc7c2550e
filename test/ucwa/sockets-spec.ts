import { expect } from 'chai';
import { filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import type { ConnectionStatus } from '../../lib/core/connectionStatus.ts';
import { HttpError } from '../../lib/core/errors.ts';
import { serve, type Served } from '../../lib/testing/http/serve.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../lib/testing/ucwa/options.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../lib/ucwa/session/session.ts';
import type { UcwaOptions } from '../../lib/ucwa/options.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { deleted } from '../../operators/ofType.ts';
import { ofRel } from '../../operators/ofRel.ts';
import { record } from './connected.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { existingApplication } from '../../lib/ucwa/discovery/server.ts';

describe('UCWA over real sockets', () => {
  const open: Served[] = [];
  afterEach(() => Promise.all(open.splice(0).map((served) => served.close())));

  const start = async (
    simulated: UcwaSimulatorOptions = {},
    options: Partial<UcwaOptions> = {},
  ): Promise<{ readonly server: UcwaSimulator; readonly ucwa: Ucwa }> => {
    const server = ucwaSimulator({ mediumSeconds: 0.01, token: 'token', ...simulated });
    const served = await serve(server.transport);
    open.push(served);
    const applications = `${served.origin}${new URL(server.url).pathname}`;
    return {
      server,
      ucwa: connectUcwa({
        server: applications,
        auth: bearer('token'),
        retry: { initialMs: 5 },
        ...options,
      }),
    };
  };

  it('subscribes, emits events, unsubscribes, and leaves nothing', async () => {
    const { server, ucwa } = await start();
    const watching = firstValueFrom(
      presence(ucwa, { uris: ['sip:sara@contoso.com'] }).pipe(take(4), toArray()),
    );
    const gone = firstValueFrom(ucwa.events$.pipe(ofRel('presenceSubscription'), deleted()));
    await firstValueFrom(ucwa.events$.pipe(ofRel('contactPresence')));
    server.setPresence('sip:sara@contoso.com', { availability: 'Busy' });

    const events = await watching;
    expect(events.map(({ type, link }) => `${type} ${link.rel}`)).to.deep.equal([
      'added contact',
      'added presenceSubscription',
      'updated contactPresence',
      'updated contactPresence',
    ]);
    expect((await gone).link.href).to.contain('/presenceSubscriptions/97b6bd66');

    const { clean } = await ucwa.close();
    expect(clean).to.equal(true);
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(server.applications).to.deep.equal([]);
    const removals = server.requests.filter(({ method }) => method === 'DELETE');
    expect(removals.map(({ status }) => status)).to.deep.equal([204, 204]);
    expect(removals[0]).to.include({ body: undefined });
    expect(removals[0]?.headers).to.include({ authorization: 'Bearer …' });
  });

  it('works with the fetch of the platform', async () => {
    const { server, ucwa } = await start({}, { fetch: globalThis.fetch });
    await firstValueFrom(presence(ucwa, { uris: ['sip:sara@contoso.com'] }).pipe(ofRel('contactPresence')));
    await ucwa.close();
    expect(server.applications).to.deep.equal([]);
  });

  it('leaves nothing on the server if connections break', async () => {
    const { server, ucwa } = await start();
    server.failNext(2, 'reset', ({ url }) => url.includes('/events'));
    server.failNext(1, 'resetAfterActing', ({ method }) => method === 'DELETE');
    await firstValueFrom(presence(ucwa, { uris: ['sip:sara@contoso.com'] }).pipe(ofRel('contactPresence')));
    const { outcomes } = await ucwa.drain();
    expect(outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`)).to.deep.equal([
      'presenceSubscription AlreadyGone',
      'application Released',
    ]);
    expect(server.applications).to.deep.equal([]);
  });

  it('reports as status that the server has gone, and is back', async () => {
    const server = ucwaSimulator({ mediumSeconds: 0.01 });
    const before = await serve(server.transport);
    const ucwa = connectUcwa({
      server: `${before.origin}${new URL(server.url).pathname}`,
      auth: bearer('token'),
      retry: { initialMs: 5 },
    });
    const next = (state: string): Promise<ConnectionStatus> =>
      firstValueFrom(ucwa.status$.pipe(filter((status) => status.state === state)));
    const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
    await next('live');
    await before.close();
    expect(await next('waiting')).to.include({ reason: 'network' });
    open.push(await serve(server.transport, { port: before.port }));
    await next('live');
    watching.unsubscribe();
    await next('idle');
    await ucwa.close();
    expect(await lastValueFrom(ucwa.status$)).to.deep.equal({ state: 'closed' });
    expect(server.applications).to.deep.equal([]);
  });

  it('releases a subscription whose creation was aborted', async () => {
    const { server, ucwa } = await start({ latencyMs: 20 });
    const kept = record(presence(ucwa, { uris: ['sip:sara@contoso.com'] }));
    await firstValueFrom(ucwa.application$);
    expect(server.requests.at(-1)?.method, 'the subscription is on its way').to.be.oneOf(['GET', 'POST']);
    kept.subscription.unsubscribe();
    await ucwa.drain();
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(server.applications).to.deep.equal([]);
  });

  it('detects two clients that compete for one channel', async () => {
    const { server, ucwa } = await start();
    const first = new Promise((resolve) => ucwa.events$.subscribe({ error: resolve }));
    const { self } = await firstValueFrom(ucwa.application$);
    const other = connectUcwa({ server: existingApplication(self), auth: bearer('token') });
    const second = record(other.events$);
    const error = await first;
    expect(error).to.be.instanceOf(HttpError);
    expect((error as Error).message).to.contain(
      'another client reads the event channel of the same application',
    );
    second.subscription.unsubscribe();
    await ucwa.close();
    expect(server.applications).to.deep.equal([]);
  });

  it('ends at once if the server rejects the token', async () => {
    const { server, ucwa } = await start({}, { auth: bearer('bad') });
    const error = await new Promise((resolve) =>
      ucwa.events$.pipe(filter(() => false)).subscribe({ error: resolve }),
    );
    expect(error).to.include({ status: 401 });
    expect(server.requests).to.have.length(1);
  });
});
