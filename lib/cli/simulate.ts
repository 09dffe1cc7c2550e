import { firstValueFrom, takeUntil, timer } from 'rxjs';
import type { Transport } from '../core/transport/transport.ts';
import { serve } from '../testing/http/index.ts';
import { ewsSimulator, ucwaDomain } from '../testing/index.ts';
import { numberArgument, parseOptions, UsageError } from './arguments.ts';
import { printExchanges } from './printExchanges.ts';
import type { Terminal } from './terminal.ts';

export const SIMULATE_HELP = `rxchange simulate ews|ucwa [options]: run a simulated server on this machine until Ctrl-C

  --port N           port to listen on (default: a free port)
  --allow-host HOST  another host that requests may name, with or without a port; repeatable
  --every SECONDS    interval of events: a message arrives, or Sara's presence changes (default: 5)

The UCWA server includes discovery and sign-in, prints their URL, and accepts every user. Each exchange is printed to
standard output.`;

/** The simulators log every request, and those of both protocols are far smaller. */
const MAX_BYTES = 1024 * 1024;

/** A simulated server to run. */
interface Simulated {
  readonly transport: Transport;
  readonly url: string;
  /** The URL of discovery, if the server has it. */
  readonly discovery?: string;
  /** Causes an event; `count` is the number of earlier ones. */
  readonly causeEvent: (count: number) => void;
  readonly countSubscriptions: () => number;
}

const SIMULATED: Readonly<Record<'ews' | 'ucwa', () => Simulated>> = {
  ews: () => {
    const simulator = ewsSimulator();
    return {
      ...simulator,
      causeEvent: () => simulator.deliverMail(),
      countSubscriptions: () => simulator.subscriptions.length,
    };
  },
  ucwa: () => {
    const { transport, pool, setPresence } = ucwaDomain({ mediumSeconds: 1, anyToken: true });
    return {
      transport,
      url: pool.url,
      discovery: '/',
      causeEvent: (count) => {
        setPresence('sip:sara@contoso.com', { availability: count % 2 === 0 ? 'Busy' : 'Online' });
      },
      countSubscriptions: () => pool.presenceSubscriptions.length,
    };
  },
};

/** Serves a simulated server until the user interrupts; resolves with the exit code. */
export async function simulate(
  terminal: Terminal,
  protocol: 'ews' | 'ucwa',
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
  const simulated = SIMULATED[protocol]();
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
    .subscribe(simulated.causeEvent);
  await firstValueFrom(terminal.interrupted$);
  await server.close();
  terminal.err(`subscriptions left on the server: ${simulated.countSubscriptions()}`);
  return 0;
}
