import { serve } from '../testing/http/index.ts';
import { ewsSimulator, type EwsSimulator, ucwaSimulator, type UcwaSimulator } from '../testing/index.ts';
import { parseOptions } from './arguments.ts';
import { inspectPlayground } from './inspect.ts';
import { type Terminal, printExchanges } from './terminal.ts';
import {
  catchError,
  filter,
  firstValueFrom,
  map,
  of,
  ReplaySubject,
  tap,
  throwError,
  timeout,
  elementAt,
  mergeMap,
} from 'rxjs';
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
import { describeOutcome } from './watch.ts';
import { connectUcwa, presence, type Ucwa, type UcwaEvent } from '../ucwa/index.ts';
import { bearer } from '../core/auth/auth.ts';

/** The servers of the demo. */
export interface DemoServers {
  readonly ucwa: UcwaSimulator;
  readonly ews: EwsSimulator;
}

/** Runs the demo on two simulated servers over real sockets; resolves with the exit code. */
export function demo(terminal: Terminal, args: readonly string[]): Promise<number> {
  if (parseOptions(args, { page: { type: 'boolean' } }).page === true) return inspectPlayground(terminal, []);
  return demoOn(terminal, {
    ucwa: ucwaSimulator({ token: 'demo', mediumSeconds: 0.1 }),
    ews: ewsSimulator(),
  });
}

/** Runs the demo on the given servers; resolves with 0 if no subscription is left on them. */
export async function demoOn(terminal: Terminal, { ucwa, ews }: DemoServers): Promise<number> {
  const ucwaServer = await serve(ucwa.transport);
  const ewsServer = await serve(ews.transport);
  try {
    terminal.out(`UCWA on ${ucwaServer.origin}`);
    const ucwaIsClean = await demoUcwa(terminal, ucwa, at(ucwaServer.origin, ucwa.url));
    terminal.out(`EWS on ${ewsServer.origin}`);
    const ewsIsClean = await demoEws(terminal, ews, at(ewsServer.origin, ews.url));
    const presences = ucwa.presenceSubscriptions.length;
    const notifications = ews.subscriptions.length;
    terminal.out(
      `left on the servers: ${presences} presence subscriptions, ${notifications} notification subscriptions`,
    );
    terminal.out('See it in a page: npx rxchange demo --page, or in a checkout npm run demo -- --page');
    return ucwaIsClean && ewsIsClean && presences + notifications === 0 ? 0 : 1;
  } finally {
    await ucwaServer.close();
    await ewsServer.close();
  }
}

function at(origin: string, url: string): string {
  return new URL(new URL(url).pathname, origin).href;
}

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

const SARA = 'sip:sara@contoso.com';

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
