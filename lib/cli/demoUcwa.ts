import { elementAt, filter, firstValueFrom, mergeMap, ReplaySubject, timeout } from 'rxjs';
import { fetchTransport } from '../core/fetchTransport.ts';
import { serve, ucwaSimulator } from '../testing/index.ts';
import { connect, presence, type UcwaEvent } from '../ucwa/index.ts';
import { printExchanges } from './printExchanges.ts';
import type { Terminal } from './terminal.ts';
import { describeOutcome } from './watch.ts';

const SARA = 'sip:sara@contoso.com';
const PATIENCE_MS = 4000;

/** Watches presence on a simulated server and leaves; resolves with how many subscriptions are left there. */
export async function demoUcwa(terminal: Terminal): Promise<number> {
  const simulator = ucwaSimulator({ token: 'demo', mediumSeconds: 0.1 });
  const server = await serve(simulator.transport);
  terminal.out(`UCWA on ${server.origin}`);
  const ucwa = connect({
    applications: new URL(new URL(simulator.url).pathname, server.origin).href,
    token: 'demo',
    transport: printExchanges(terminal)(fetchTransport()),
  });
  ucwa.releases.outcomes$.subscribe((outcome) => {
    terminal.out(`  ledger: ${describeOutcome(outcome)}`);
  });

  const events$ = new ReplaySubject<UcwaEvent>(Infinity);
  const listening = ucwa.batches$
    .pipe(
      mergeMap(({ events, next }) => {
        for (const { type, link } of events)
          terminal.out(`  event: ${type} ${link.rel} ${link.href}  (next: ${queryOf(next)})`);
        return events;
      }),
    )
    .subscribe(events$);
  const seen = (type: string, rel: string, times = 1): Promise<UcwaEvent> =>
    firstValueFrom(
      events$.pipe(
        filter((event) => event.type === type && event.link.rel === rel),
        elementAt(times - 1),
        timeout(PATIENCE_MS),
      ),
    );

  terminal.out(`subscribe: presence of ${SARA}`);
  const watching = presence(ucwa, { uris: [SARA] }).subscribe();
  await seen('added', 'presenceSubscription');
  terminal.out('on the server: Sara is busy now');
  simulator.setPresence(SARA, { availability: 'Busy' });
  await seen('updated', 'contactPresence', 2);

  terminal.out('unsubscribe');
  watching.unsubscribe();
  await seen('deleted', 'presenceSubscription');
  await ucwa.drain();
  const left = simulator.presenceSubscriptions.length;

  terminal.out('leave the event channel: the application is removed as well');
  listening.unsubscribe();
  const { clean } = await ucwa.close();
  await server.close();
  return clean && simulator.applications.length === 0 ? left : Math.max(1, left);
}

function queryOf(href: string): string {
  return href.slice(href.indexOf('?') + 1);
}
