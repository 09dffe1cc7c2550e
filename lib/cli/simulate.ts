import { firstValueFrom, takeUntil, timer } from 'rxjs';
import type { Transport } from '../core/transport/transport.ts';
import { ewsSimulator, ucwaDomain } from '../testing/index.ts';
import { XFRAME } from '../testing/ucwa/routes/xframe.ts';
import { numberArgument, parseOptions, UsageError } from './arguments.ts';
import { serveOnPort } from './serveOnPort.ts';
import { printExchanges, type Terminal } from './terminal.ts';

export const SIMULATE_HELP = `rxchange simulate ews|ucwa [options]: run a simulated server on this machine until Ctrl-C

  --port N               port to listen on (default: 0, a free port)
  --allow-host HOST      another host that requests may name, with or without a port; repeatable
  --allow-origin ORIGIN  another origin whose pages may send requests (CORS, XFrame); repeatable
  --every SECONDS        interval of events: a message arrives, or Sara's presence changes (default: 5)
  --ready-json           print the URLs as one line of JSON as soon as the server listens

The UCWA server includes discovery, sign-in and an XFrame page, prints their URLs, and accepts every user. Pages on
this machine may send requests. Each exchange is printed to standard output.`;

/** The simulators log every request, and those of both protocols are far smaller. */
const MAX_BYTES = 1024 * 1024;

/** A simulated server to run. */
interface Simulated {
  readonly transport: Transport;
  /** The URLs or paths to print, by name; `url` is that of the server. */
  readonly urls: Readonly<Record<string, string>>;
  /** Causes an event; `count` is the number of earlier ones. */
  readonly causeEvent: (count: number) => void;
  readonly countSubscriptions: () => number;
}

const SIMULATED: Readonly<Record<'ews' | 'ucwa', (allowedOrigins: readonly string[]) => Simulated>> = {
  ews: () => {
    const simulator = ewsSimulator();
    return {
      transport: simulator.transport,
      urls: { url: simulator.url },
      causeEvent: () => simulator.deliverMail(),
      countSubscriptions: () => simulator.subscriptions.length,
    };
  },
  ucwa: (allowedOrigins) => {
    const { transport, pool, setPresence } = ucwaDomain({ mediumSeconds: 1, anyToken: true, allowedOrigins });
    return {
      transport,
      urls: { url: pool.url, discovery: '/', xframe: XFRAME },
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
    'allow-origin': { type: 'string', multiple: true },
    every: { type: 'string' },
    'ready-json': { type: 'boolean' },
  });
  const port = numberArgument(options.port, '--port') ?? 0;
  const everySeconds = numberArgument(options.every, '--every') ?? 5;
  if (everySeconds <= 0) throw new UsageError('--every must be more than 0');
  const allowedOrigins = options['allow-origin'] ?? [];
  const simulated = SIMULATED[protocol](allowedOrigins);
  const server = await serveOnPort(printExchanges(terminal)(simulated.transport), {
    port,
    allowedHosts: options['allow-host'] ?? [],
    allowedOrigins,
    maxBytes: MAX_BYTES,
  });
  const urls = Object.entries(simulated.urls).map(
    ([name, url]) => [name, new URL(new URL(url, server.origin).pathname, server.origin).href] as const,
  );
  if (options['ready-json'] === true) terminal.out(JSON.stringify(Object.fromEntries(urls)));
  else for (const [name, url] of urls) terminal.out(name === 'url' ? url : `${name}: ${url}`);
  timer(everySeconds * 1000, everySeconds * 1000)
    .pipe(takeUntil(terminal.interrupted$))
    .subscribe(simulated.causeEvent);
  await firstValueFrom(terminal.interrupted$);
  await server.close();
  terminal.err(`subscriptions left on the server: ${simulated.countSubscriptions()}`);
  return 0;
}
