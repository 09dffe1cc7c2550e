import { expect } from 'chai';
import { filter, firstValueFrom, map, mergeMap } from 'rxjs';
import { getStreamingEventsEnvelope } from '../../lib/ews/protocol/envelope.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { random } from '../support/random/random.ts';
import { ewsRun } from './ewsRun.ts';

describe('ewsRun', () => {
  it('delivers another mail after a gap in place of the last one', async () => {
    const server = ewsSimulator();
    const served = await serve(server.transport);
    const run = ewsRun(server, random(1), { origin: served.origin, subscriptions: 4 });
    await firstValueFrom(run.changed$.pipe(filter(() => server.streams[0]?.subscriptionIds.length === 2)));

    // Another client takes over the stream, and with it the last mail.
    const [ids = []] = server.streams.map(({ subscriptionIds }) => subscriptionIds);
    const body = getStreamingEventsEnvelope({ version: 'Exchange2013_SP1' }, ids, 1);
    const elsewhere = server
      .transport({ method: 'POST', url: server.url, headers: { 'content-type': 'text/xml' }, body })
      .pipe(mergeMap(({ body$ }) => body$))
      .subscribe();
    run.finish();

    await firstValueFrom(
      run.changed$.pipe(
        map(() => run.disagreements()),
        filter(({ length }) => length === 0),
      ),
    );
    expect(run.tally.losses).to.equal(0);
    expect(run.tally.gaps).to.be.at.least(2);
    elsewhere.unsubscribe();
    await run.close();
    await served.close();
  });
});
