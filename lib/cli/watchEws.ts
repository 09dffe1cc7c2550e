import { type Auth, bearer } from '../core/auth/auth.ts';
import { map, merge, type Observable } from 'rxjs';
import {
  affinity,
  autodiscovered,
  basic,
  type EwsEvent,
  connectExchange,
  type Exchange,
  type ExchangeOptions,
  pullNotifications,
  streamingNotifications,
} from '../ews/index.ts';
import type { PullOptions } from '../ews/pull/options.ts';
import type { NotificationOptions } from '../ews/subscription/options.ts';
import type { Folder } from '../ews/protocol/envelope.ts';
import { nodeTransport } from '../node/nodeTransport.ts';
import { urlOption } from '../core/options.ts';
import { numberArgument, parseOptions, required, UsageError, readPassword, readToken } from './arguments.ts';
import type { Terminal } from './terminal.ts';
import { tokenCommand } from './tokenCommand.ts';
import { watch } from './watch.ts';

export const WATCH_EWS_HELP = `rxchange watch ews --url URL [options]: print the events of mailboxes as JSON lines until Ctrl-C

  --url URL                EWS endpoint, such as https://mail.contoso.com/EWS/Exchange.asmx
  --autodiscover ADDRESS   find the endpoint by the address of a mailbox, instead of --url
  --allow-redirect DOMAIN  another domain in which the endpoint may be; repeatable
  --user NAME              sign in with this user name and a password (default: with a token)
  --password-file FILE     file whose first line is the password (default: RXCHANGE_PASSWORD, or a prompt)
  --token-file FILE        file whose first line is the token (default: RXCHANGE_TOKEN, or a prompt)
  --token-command CMD      command that prints the token, run again before that expires or after it was refused
  --mode pull|stream       poll for events, or receive them on a stream (default: pull)
  --mailbox ADDRESS        mailbox to watch by impersonating its user; repeatable (default: your own)
  --delegate               watch the folders of each --mailbox as a delegate, without impersonation
  --folder NAME            folder to watch, such as inbox; repeatable (default: inbox)
  --all-folders            watch all folders
  --event TYPE             created, deleted, modified, moved, copied, newMail or freeBusyChanged; repeatable
                           (default: newMail)
  --interval SECONDS       pull: time between two polls (default: 30)
  --timeout MINUTES        pull: lifetime of the subscription without a poll (default: 10)`;

const OPTIONS = {
  url: { type: 'string' },
  autodiscover: { type: 'string' },
  'allow-redirect': { type: 'string', multiple: true },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  'token-file': { type: 'string' },
  'token-command': { type: 'string' },
  mode: { type: 'string' },
  mailbox: { type: 'string', multiple: true },
  delegate: { type: 'boolean' },
  folder: { type: 'string', multiple: true },
  'all-folders': { type: 'boolean' },
  event: { type: 'string', multiple: true },
  interval: { type: 'string' },
  timeout: { type: 'string' },
} as const;

type Options = ReturnType<typeof parseOptions<typeof OPTIONS>>;

/** Prints the events of mailboxes until the user interrupts; resolves with the exit code. */
export async function watchEws(terminal: Terminal, args: readonly string[]): Promise<number> {
  const { exchange, events$ } = await exchangeFrom(terminal, args);
  return watch(terminal, events$, exchange);
}

/** A connection to an Exchange server, and the events to observe. */
interface WatchedExchange {
  readonly exchange: Exchange;
  readonly events$: Observable<EwsEvent>;
  /** The folders and events, without mailboxes. */
  readonly watched: NotificationOptions;
  readonly pollIntervalSeconds: number | undefined;
}

/** Resolves with the connection that the options of `watch ews` describe. */
export async function exchangeFrom(terminal: Terminal, args: readonly string[]): Promise<WatchedExchange> {
  const options = parseOptions(args, OPTIONS);
  const common = { server: serverOf(options), affinity: affinity(), transport: nodeTransport() };
  // An error in the other options is reported before the password is read.
  eventsOf(connectExchange(common), options);

  const exchange = connectExchange({ ...common, auth: await authOf(terminal, options) });
  return {
    ...{ exchange, events$: eventsOf(exchange, options), watched: watchedBy(options, undefined) },
    pollIntervalSeconds: numberArgument(options.interval, '--interval'),
  };
}

function serverOf(options: Options): ExchangeOptions['server'] {
  const { url, autodiscover: address, 'allow-redirect': allowRedirectTo = [] } = options;
  if (address === undefined) return urlOption('--url', required(url, '--url')).href;
  if (url !== undefined) throw new UsageError('--url and --autodiscover are mutually exclusive');
  return autodiscovered(address, { allowRedirectTo });
}

/** Returns the events of all mailboxes, with the address if --mailbox was given. */
function eventsOf(service: Exchange, options: Options): Observable<EwsEvent> {
  const { mailbox: mailboxes = [], delegate = false } = options;
  if (delegate && mailboxes.length === 0) throw new UsageError('--delegate requires --mailbox');
  if (delegate && options['all-folders'] === true)
    throw new UsageError('--delegate and --all-folders are mutually exclusive');
  if (mailboxes.length === 0) return notifications(service, options, undefined);
  return merge(
    ...mailboxes.map((mailbox) => {
      const events$ = delegate
        ? notifications(service, options, mailbox)
        : notifications(service.actingAs({ smtpAddress: mailbox }), options, undefined);
      return events$.pipe(map((event) => ({ mailbox, ...event })));
    }),
  );
}

function notifications(
  service: Exchange,
  options: Options,
  mailbox: string | undefined,
): Observable<EwsEvent> {
  const { mode = 'pull', interval, timeout } = options;
  const watched = watchedBy(options, mailbox);
  if (mode === 'stream') {
    if (interval !== undefined || timeout !== undefined)
      throw new UsageError('--interval and --timeout require --mode pull');
    return streamingNotifications(service, watched);
  }
  if (mode !== 'pull')
    throw new UsageError(`--mode must be pull or stream, but it is ${JSON.stringify(mode)}`);
  const pollIntervalSeconds = numberArgument(interval, '--interval');
  const timeoutMinutes = numberArgument(timeout, '--timeout');
  return pullNotifications(service, {
    ...watched,
    ...(pollIntervalSeconds === undefined ? {} : { pollIntervalSeconds }),
    ...(timeoutMinutes === undefined ? {} : { timeoutMinutes }),
  });
}

/** Returns the folders and events. The library validates them, and its message lists the allowed values. */
function watchedBy(options: Options, mailbox: string | undefined): NotificationOptions {
  const { folder: names = ['inbox'] } = options;
  const folders = names.map((name): Folder =>
    mailbox === undefined ? name : { distinguished: name, mailbox },
  );
  const events = (options.event ?? ['newMail']) as PullOptions['events'];
  return options['all-folders'] === true ? { allFolders: true, events } : { folders, events };
}

async function authOf(terminal: Terminal, options: Options): Promise<Auth> {
  const { user: username, 'token-command': command, 'token-file': file } = options;
  if (command !== undefined) {
    if (username !== undefined || file !== undefined)
      throw new UsageError('--token-command, --token-file and --user are mutually exclusive');
    return tokenCommand(command);
  }
  if (username === undefined) return bearer(await readToken(terminal, file));
  return basic({ username, password: await readPassword(terminal, options['password-file']) });
}
