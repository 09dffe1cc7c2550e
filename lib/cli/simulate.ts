import { firstValueFrom, takeUntil, timer } from 'rxjs';
import type { Transport } from '../core/transport/transport.ts';
import { serve } from '../testing/http/index.ts';
import { ewsSimulator, ucwaDomain } from '../testing/index.ts';
import { numberArgument, parseOptions } from './arguments.ts';
import { printExchanges } from './printExchanges.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usageError.ts';

export const SIMULATE_HELP = `rxchange simulate ews|ucwa [options]: a simulated server on a port of this machine, until Ctrl-C

  --port N          the port to listen on (default: a free one)
  --allow-host HOST a further host, with a port or without, that requests may name; may be given several times
  --every SECONDS   how often something happens by itself: a mail arrives, Sara's presence changes (default: 5)

UCWA is served with discovery and sign-in, whose URL is told too. It lets everybody in. Each exchange is told on standard output.`;

/** The simulators keep the requests that they receive; those of both protocols are far smaller. */
const MAX_BYTES = 1024 * 1024;

/** A simulated server as this command needs it. */
interface Simulated {
  readonly transport: Transport;
  readonly url: string;
  /** Where discovery begins, if the server has it. */
  readonly discovery?: string;
  /** Lets something happen; the count says for the how manieth time. */
  readonly happen: (count: number) => void;
  /** How many subscriptions it holds. */
  readonly held: () => number;
}

const SIMULATED: Readonly<Record<'ews' | 'ucwa', () => Simulated>> = {
  ews: () => {
    const simulator = ewsSimulator();
    return {
      ...simulator,
      happen: () => simulator.deliverMail(),
      held: () => simulator.subscriptions.length,
    };
  },
  ucwa: () => {
    const { transport, pool, setPresence } = ucwaDomain({ mediumSeconds: 1, anyToken: true });
    return {
      transport,
      url: pool.url,
      discovery: '/',
      happen: (count) => {
        setPresence('sip:sara@contoso.com', { availability: count % 2 === 0 ? 'Busy' : 'Online' });
      },
      held: () => pool.presenceSubscriptions.length,
    };
  },
};

/** Serves a simulated server until the user interrupts; resolves with the exit code. */
export async function simulate(
  terminal: Terminal,
  kind: 'ews' | 'ucwa',
  args: readonly string[],
): Promise<number> {
  const options = parseOptions(args, {
    port: { type: 'string' },
    'allow-host': { type: 'string', multiple: true },
    every: { type: 'string' },
  });
  const port = numberArgument(options.port, '--port') ?? 0;
  const everySeconds = numberArgument(options.every, '--every') ?? 5;
  if (everySeconds <= 0) throw new UsageError('--every must be more than 0');
  const simulated = SIMULATED[kind]();
  const server = await serve(printExchanges(terminal)(simulated.transport), {
    port,
    allowedHosts: options['allow-host'] ?? [],
    maxBytes: MAX_BYTES,
  });
  terminal.out(new URL(new URL(simulated.url).pathname, server.origin).href);
  if (simulated.discovery !== undefined)
    terminal.out(`discovery: ${new URL(simulated.discovery, server.origin).href}`);
  timer(everySeconds * 1000, everySeconds * 1000)
    .pipe(takeUntil(terminal.interrupted$))
    .subscribe(simulated.happen);
  await firstValueFrom(terminal.interrupted$);
  await server.close();
  terminal.err(`left on the server: ${simulated.held()} subscriptions`);
  return 0;
}
