import { catchError, filter, firstValueFrom, map, of, ReplaySubject, tap, throwError, timeout } from 'rxjs';
import { fetchTransport } from '../core/transport/fetch.ts';
import type { Transport } from '../core/transport/transport.ts';
import { unsubscribeEnvelope } from '../ews/protocol/envelope.ts';
import {
  basic,
  EwsError,
  type EwsEvent,
  type Exchange,
  connectExchange,
  pullNotifications,
} from '../ews/index.ts';
import { soapCall } from '../ews/protocol/soap.ts';
import type { EwsSimulator } from '../testing/index.ts';
import { printExchanges } from './printExchanges.ts';
import type { Terminal } from './terminal.ts';
import { describeOutcome } from './watch.ts';

const TIMEOUT_MS = 4000;

/** Watches a mailbox on a simulated server; resolves with whether everything was removed. */
export async function demoEws(terminal: Terminal, simulator: EwsSimulator, url: string): Promise<boolean> {
  const transport = printExchanges(terminal)(fetchTransport());
  const service = connectExchange({
    server: url,
    auth: basic({ username: 'sara', password: 'demo' }),
    transport,
  });
  service.releases.outcomes$.subscribe((outcome) => {
    terminal.out(`  ledger: ${describeOutcome(outcome)}`);
  });
  try {
    const subscriptionId = await watchInbox(terminal, simulator, service);
    terminal.out('unsubscribe a second time, by hand');
    return (await unsubscribeAgain(transport, url, subscriptionId)) === 'ErrorSubscriptionNotFound';
  } finally {
    await service.close();
  }
}

async function watchInbox(terminal: Terminal, simulator: EwsSimulator, service: Exchange): Promise<string> {
  terminal.out('subscribe: new mail in the inbox');
  const events$ = new ReplaySubject<EwsEvent>(Infinity);
  const watching = pullNotifications(service, {
    folders: ['inbox'],
    events: ['newMail'],
    pollIntervalSeconds: 0.2,
  })
    .pipe(
      tap((event) => {
        terminal.out(`  event: ${event.type} of subscription ${event.subscriptionId}`);
      }),
    )
    .subscribe(events$);
  const nextEvent = (type: string): Promise<EwsEvent> =>
    firstValueFrom(
      events$.pipe(
        filter((event) => event.type === type),
        timeout(TIMEOUT_MS),
      ),
    );
  const { subscriptionId } = await nextEvent('status');
  terminal.out('on the server: a message arrives');
  simulator.deliverMail();
  await nextEvent('newMail');

  terminal.out('unsubscribe');
  watching.unsubscribe();
  await service.drain();
  return subscriptionId;
}

/** Resolves with the response code of the server. */
function unsubscribeAgain(transport: Transport, url: string, subscriptionId: string): Promise<string> {
  const envelope = unsubscribeEnvelope({ version: 'Exchange2013_SP1' }, subscriptionId);
  return firstValueFrom(
    soapCall(transport, { operation: 'Unsubscribe', url, envelope }).pipe(
      map(({ responseCode }) => responseCode),
      catchError((error: unknown) => (error instanceof EwsError ? of(error.code) : throwError(() => error))),
    ),
  );
}
