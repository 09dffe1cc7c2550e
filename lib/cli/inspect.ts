import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { firstValueFrom, NEVER } from 'rxjs';
import { defined } from '../core/defined.ts';
import type { Playground } from '../inspector/playground.ts';
import { type PageFile, relay, RELAY_HEADERS } from '../inspector/playground/relay.ts';
import { playgroundStreams, type PlaygroundStreams } from '../inspector/playground/streams.ts';
import type { Exchange } from '../ews/index.ts';
import type { Ucwa } from '../ucwa/index.ts';
import type { Served } from '../testing/http/index.ts';
import { numberArgument, parseOptions, UsageError } from './arguments.ts';
import { inspectorPage } from './inspectorPage.ts';
import { serveOnPort } from './serveOnPort.ts';
import type { Terminal } from './terminal.ts';
import { watch } from './watch.ts';
import { exchangeFrom } from './watchEws.ts';
import { ucwaFrom } from './watchUcwa.ts';

export const INSPECT_HELP = `rxchange inspect [options]: open a page that shows what the library does, with simulated servers in the page
rxchange inspect ucwa|ews [options of watch]: the same page for a real server; secrets stay in this process

  --port N   port of the page on this machine (default: 0, a free port)
  --open     open the page in the browser`;

/** A UCWA connection has no folders. */
const INBOX = { folders: ['inbox'], events: ['newMail'] } as const;

/** The page chooses the streams, and observes the user's own mailbox. */
const UNUSED = /^--(mode|mailbox|delegate|timeout|duration)(=|$)/;

const PAGE_OPTIONS = { port: { type: 'string' }, open: { type: 'boolean' } } as const;

/** The options of the page, and the other arguments. */
function pageOptions(args: readonly string[]): {
  readonly page: PageOptions;
  readonly rest: readonly string[];
} {
  const mine: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--port') mine.push(arg, ...args.slice((index += 1), index + 1));
    else (arg === '--open' || arg.startsWith('--port=') ? mine : rest).push(arg);
  }
  const { port, open = false } = parseOptions(mine, PAGE_OPTIONS);
  return { page: { port: numberArgument(port, '--port') ?? 0, open }, rest };
}

interface PageOptions {
  readonly port: number;
  readonly open: boolean;
}

/** Serves the page with simulated servers until the user interrupts; resolves with the exit code. */
export async function inspectPlayground(
  terminal: Terminal,
  args: readonly string[],
  folder?: string,
): Promise<number> {
  const { page, rest } = pageOptions(args);
  parseOptions(rest, {});
  const server = await servePage(terminal, page, await inspectorPage(folder), undefined);
  await firstValueFrom(terminal.interrupted$);
  await server.close();
  return 0;
}

/** Serves the page for a real server until the user interrupts; resolves with the exit code. */
export async function inspectServer(
  terminal: Terminal,
  protocol: 'ucwa' | 'ews',
  args: readonly string[],
  folder?: string,
): Promise<number> {
  const { page, rest } = pageOptions(args);
  const unused = rest.find((arg) => UNUSED.test(arg));
  if (unused !== undefined) throw new UsageError(`${unused} is an option of rxchange watch only`);
  // Before the prompt for a secret.
  const files = await inspectorPage(folder);
  const { connection, streams } = await streamsOf(terminal, protocol, rest);
  const playground: Playground = {
    records$: streams.records$,
    commands: ['subscribe', 'unsubscribe', ...(protocol === 'ucwa' ? (['setContacts'] as const) : [])],
    streams: streams.names,
    run: async (command) => {
      streams.run(command);
      await Promise.resolve();
    },
    close: streams.close,
  };
  const server = await servePage(terminal, page, files, playground);
  streams.run({ do: 'subscribe', to: protocol === 'ucwa' ? 'presenceBoard' : 'pullNotifications' });
  const code = await watch(terminal, NEVER, connection);
  await server.close();
  return code;
}

/** A connection to a real server, and its streams. */
interface Connected {
  readonly connection: Ucwa | Exchange;
  readonly streams: PlaygroundStreams;
}

async function streamsOf(
  terminal: Terminal,
  protocol: 'ucwa' | 'ews',
  args: readonly string[],
): Promise<Connected> {
  if (protocol === 'ews') {
    const { exchange, watched, pollIntervalSeconds } = await exchangeFrom(terminal, args);
    const connections = { exchange, uris: [], watched, ...defined({ pollIntervalSeconds }) };
    return { connection: exchange, streams: playgroundStreams(connections, NEVER) };
  }
  const { ucwa, watched } = await ucwaFrom(terminal, args);
  const { uris } = watched;
  return { connection: ucwa, streams: playgroundStreams({ ucwa, uris, watched: INBOX }, NEVER) };
}

async function servePage(
  terminal: Terminal,
  { port, open }: PageOptions,
  files: ReadonlyMap<string, PageFile>,
  playground: Playground | undefined,
): Promise<Served> {
  // 128 random bits: no other page or user of this machine can guess the address.
  const token = randomBytes(16).toString('hex');
  const server = await serveOnPort(relay({ token, files, playground }), {
    port,
    responseHeaders: Object.keys(RELAY_HEADERS),
    maxBytes: 64 * 1024,
  });
  const url = `${server.origin}/${token}/`;
  terminal.out(url);
  terminal.err('Open this address in a browser. Press Ctrl-C to end.');
  if (open) openBrowser(terminal, url);
  return server;
}

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

function openBrowser(terminal: Terminal, url: string): void {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  spawn(command, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => terminal.err(`${command} cannot open a browser: open the address yourself.`))
    .unref();
}
