import { type Auth, bearer } from '../core/transport/auth.ts';
import { map, merge, type Observable } from 'rxjs';
import {
  affinity,
  autodiscovered,
  basic,
  type EwsEvent,
  connectExchange,
  type Exchange,
  type ExchangeOptions,
  type Folder,
  pullNotifications,
  type PullOptions,
  streamingNotifications,
} from '../ews/index.ts';
import { urlOption } from '../core/options.ts';
import { numberArgument, parseOptions, required } from './arguments.ts';
import { readPassword, readToken } from './secret.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usageError.ts';
import { watch } from './watch.ts';

export const WATCH_EWS_HELP = `rxchange watch ews --url URL [options]: events of mailboxes, as lines of JSON, until Ctrl-C

  --url URL               such as https://mail.contoso.com/EWS/Exchange.asmx
  --autodiscover ADDRESS  looks the URL up instead, by the address of a mailbox
  --allow-redirect DOMAIN where it may be besides the domain of the address; may be given several times
  --user NAME             signs in with this name and a password; without it, with a token
  --password-file FILE    its first line is the password; else RXCHANGE_PASSWORD, else it is asked for
  --token-file FILE       its first line is the token; else RXCHANGE_TOKEN, else it is asked for
  --mode pull|stream      asks for events from time to time, or has them sent as they happen (default: pull)
  --mailbox ADDRESS       a mailbox to watch, impersonating its user; may be given several times (default: one's own)
  --delegate              watches the folders of each --mailbox as a delegate, without impersonation
  --folder NAME           a folder to watch, such as inbox; may be given several times (default: inbox)
  --all-folders           watches all folders instead
  --event TYPE            created, deleted, modified, moved, copied, newMail or freeBusyChanged; may be given
                          several times (default: newMail)
  --interval SECONDS      pull: how long to wait between questions (default: 30)
  --timeout MINUTES       pull: how long the server keeps the subscription without a question (default: 10)`;

const OPTIONS = {
  url: { type: 'string' },
  autodiscover: { type: 'string' },
  'allow-redirect': { type: 'string', multiple: true },
  user: { type: 'string' },
  'password-file': { type: 'string' },
  'token-file': { type: 'string' },
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

/** Writes the events of mailboxes until the user interrupts; resolves with the exit code. */
export async function watchEws(terminal: Terminal, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, OPTIONS);
  const common = { server: serverOf(options), affinity: affinity() };
  // An error in the other options is reported before the password is read.
  eventsOf(connectExchange(common), options);

  const service = connectExchange({ ...common, auth: await authOf(terminal, options) });
  return watch(terminal, eventsOf(service, options), service);
}

function serverOf(options: Options): ExchangeOptions['server'] {
  const { url, autodiscover: address, 'allow-redirect': allowRedirectTo = [] } = options;
  if (address === undefined) return urlOption('--url', required(url, '--url')).href;
  if (url !== undefined) throw new UsageError('--url and --autodiscover exclude each other');
  return autodiscovered(address, { allowRedirectTo });
}

/** The events of all mailboxes; where some were named, each says whose it is. */
function eventsOf(service: Exchange, options: Options): Observable<EwsEvent> {
  const { mailbox: mailboxes = [], delegate = false } = options;
  if (delegate && mailboxes.length === 0) throw new UsageError('--delegate needs --mailbox');
  if (delegate && options['all-folders'] === true)
    throw new UsageError('--delegate and --all-folders exclude each other');
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
  const { mode = 'pull', folder: names = ['inbox'], interval, timeout } = options;
  const folders = names.map((name): Folder =>
    mailbox === undefined ? name : { distinguished: name, mailbox },
  );
  const watched = {
    ...(options['all-folders'] === true ? { allFolders: true as const } : { folders }),
    // The library checks what the user typed, and its message names what may be.
    events: (options.event ?? ['newMail']) as PullOptions['events'],
  };
  if (mode === 'stream') {
    if (interval !== undefined || timeout !== undefined)
      throw new UsageError('--interval and --timeout are for --mode pull');
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

async function authOf(terminal: Terminal, options: Options): Promise<Auth> {
  const { user: username } = options;
  if (username === undefined) return bearer(await readToken(terminal, options['token-file']));
  return basic({ username, password: await readPassword(terminal, options['password-file']) });
}
