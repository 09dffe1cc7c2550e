import { serve } from '../testing/http/index.ts';
import { ewsSimulator, type EwsSimulator, ucwaSimulator, type UcwaSimulator } from '../testing/index.ts';
import { parseOptions } from './arguments.ts';
import { demoEws } from './demoEws.ts';
import { demoUcwa } from './demoUcwa.ts';
import type { Terminal } from './terminal.ts';

/** The servers of the demo. */
export interface DemoServers {
  readonly ucwa: UcwaSimulator;
  readonly ews: EwsSimulator;
}

/** Runs the demo on two simulated servers over real sockets; resolves with the exit code. */
export function demo(terminal: Terminal, args: readonly string[]): Promise<number> {
  parseOptions(args, {});
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
    return ucwaIsClean && ewsIsClean && presences + notifications === 0 ? 0 : 1;
  } finally {
    await ucwaServer.close();
    await ewsServer.close();
  }
}

function at(origin: string, url: string): string {
  return new URL(new URL(url).pathname, origin).href;
}
