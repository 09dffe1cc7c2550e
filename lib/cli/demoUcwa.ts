import { elementAt, filter, firstValueFrom, mergeMap, ReplaySubject, timeout } from 'rxjs';
import { fetchTransport } from '../core/transport/fetch.ts';
import type { UcwaSimulator } from '../testing/index.ts';
import { connectUcwa, presence, type Ucwa, type UcwaEvent } from '../ucwa/index.ts';
import { printExchanges } from './printExchanges.ts';
import type { Terminal } from './terminal.ts';
import { describeOutcome } from './watch.ts';
import { bearer } from '../core/auth/auth.ts';

const SARA = 'sip:sara@contoso.com';
const TIMEOUT_MS = 4000;

/** Watches presence on a simulated server; resolves with whether everything was removed. */
export async function demoUcwa(terminal: Terminal, simulator: UcwaSimulator, url: string): Promise<boolean> {
  const ucwa = connectUcwa({
    server: url,
    auth: bearer('demo'),
    transport: printExchanges(terminal)(fetchTransport()),
  });
  ucwa.releases.outcomes$.subscribe((outcome) => {
    terminal.out(`  ledger: ${describeOutcome(outcome)}`);
  });
  try {
    await watchSara(terminal, simulator, ucwa);
  } finally {
    terminal.out('close the connection: the application is removed as well');
    await ucwa.close();
  }
  return simulator.applications.length === 0;
}

async function watchSara(terminal: Terminal, simulator: UcwaSimulator, ucwa: Ucwa): Promise<void> {
  const events$ = new ReplaySubject<UcwaEvent>(Infinity);
  ucwa.batches$
    .pipe(
      mergeMap(({ events, next }) => {
        for (const { type, link } of events) {
          terminal.out(`  event: ${type} ${link.rel} ${link.href}  (next: ${next.replace(/^.*\?/, '')})`);
        }
        return events;
      }),
    )
    .subscribe(events$);
  const nextEvent = (type: string, rel: string, times = 1): Promise<UcwaEvent> =>
    firstValueFrom(
      events$.pipe(
        filter((event) => event.type === type && event.link.rel === rel),
        elementAt(times - 1),
        timeout(TIMEOUT_MS),
      ),
    );

  terminal.out(`subscribe: presence of ${SARA}`);
  const watching = presence(ucwa, { uris: [SARA] }).subscribe({
    error: (error: unknown) => {
      events$.error(error);
    },
  });
  await nextEvent('added', 'presenceSubscription');
  terminal.out('on the server: Sara becomes busy');
  simulator.setPresence(SARA, { availability: 'Busy' });
  await nextEvent('updated', 'contactPresence', 2);

  terminal.out('unsubscribe');
  watching.unsubscribe();
  await nextEvent('deleted', 'presenceSubscription');
  await ucwa.drain();
}
