import {
  catchError,
  filter,
  firstValueFrom,
  lastValueFrom,
  map,
  of,
  ReplaySubject,
  throwError,
  timeout,
} from 'rxjs';
import { fetchTransport } from '../core/fetchTransport.ts';
import { unsubscribeEnvelope } from '../ews/envelope.ts';
import { EwsError, type EwsEvent, exchange, pullNotifications } from '../ews/index.ts';
import { soapCall } from '../ews/soap.ts';
import { ewsSimulator, serve } from '../testing/index.ts';
import { printExchanges } from './printExchanges.ts';
import type { Terminal } from './terminal.ts';
import { describeOutcome } from './watch.ts';

const PATIENCE_MS = 4000;

/** Watches a mailbox on a simulated server and leaves; resolves with how many subscriptions are left there. */
export async function demoEws(terminal: Terminal): Promise<number> {
  const simulator = ewsSimulator();
  const server = await serve(simulator.transport);
  terminal.out(`EWS on ${server.origin}`);
  const url = new URL(new URL(simulator.url).pathname, server.origin).href;
  const transport = printExchanges(terminal)(fetchTransport());
  const service = exchange({ url, basic: { username: 'sara', password: 'demo' }, transport });
  service.releases.outcomes$.subscribe((outcome) => {
    terminal.out(`  ledger: ${describeOutcome(outcome)}`);
  });

  terminal.out('subscribe: new mail in the inbox');
  const events$ = new ReplaySubject<EwsEvent>(Infinity);
  const watching = pullNotifications(service, {
    folders: ['inbox'],
    events: ['newMail'],
    pollIntervalSeconds: 0.2,
  }).subscribe(events$);
  events$.subscribe((event) => {
    terminal.out(`  event: ${event.type}${'item' in event ? ` ${event.item.id}` : ''}`);
  });
  const seen = (type: string): Promise<EwsEvent> =>
    firstValueFrom(
      events$.pipe(
        filter((event) => event.type === type),
        timeout(PATIENCE_MS),
      ),
    );
  const { subscriptionId } = await seen('status');
  terminal.out('on the server: a mail arrives');
  simulator.deliverMail();
  await seen('newMail');

  terminal.out('unsubscribe');
  watching.unsubscribe();
  const { clean } = await service.drain();

  terminal.out('unsubscribe by hand, a second time');
  const envelope = unsubscribeEnvelope({ version: 'Exchange2013_SP1' }, subscriptionId);
  const again$ = soapCall(transport, { operation: 'Unsubscribe', url, envelope }).pipe(
    map(() => 'NoError'),
    catchError((error: unknown) => (error instanceof EwsError ? of(error.code) : throwError(() => error))),
  );
  const isGone = (await lastValueFrom(again$)) === 'ErrorSubscriptionNotFound';
  await server.close();
  const left = simulator.subscriptions.length;
  return clean && isGone ? left : Math.max(1, left);
}
