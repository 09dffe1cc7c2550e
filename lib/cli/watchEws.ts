import { exchange, pullNotifications, type PullOptions } from '../ews/index.ts';
import { numberArgument, parseOptions, required } from './arguments.ts';
import { readPassword, readToken } from './secret.ts';
import type { Terminal } from './terminal.ts';
import { watch } from './watch.ts';

export const WATCH_EWS_HELP = `rxchange watch ews --url URL [options]: events of a mailbox, as lines of JSON, until Ctrl-C

  --url URL               such as https://mail.contoso.com/EWS/Exchange.asmx
  --user NAME             signs in with this name and a password; without it, with a token
  --password-file FILE    its first line is the password; else RXCHANGE_PASSWORD, else it is asked for
  --token-file FILE       its first line is the token; else RXCHANGE_TOKEN, else it is asked for
  --folder NAME           a folder to watch, such as inbox; may be given several times (default: inbox)
  --all-folders           watches all folders instead
  --event TYPE            created, deleted, modified, moved, copied, newMail or freeBusyChanged; may be given
                          several times (default: newMail)
  --interval SECONDS      how long to wait between questions (default: 30)
  --timeout MINUTES       how long the server keeps the subscription without a question (default: 10)`;

/** Writes the events of a mailbox until the user interrupts; resolves with the exit code. */
export async function watchEws(terminal: Terminal, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, {
    url: { type: 'string' },
    user: { type: 'string' },
    'password-file': { type: 'string' },
    'token-file': { type: 'string' },
    folder: { type: 'string', multiple: true },
    'all-folders': { type: 'boolean' },
    event: { type: 'string', multiple: true },
    interval: { type: 'string' },
    timeout: { type: 'string' },
  });
  const url = required(options.url, '--url');
  const pollIntervalSeconds = numberArgument(options.interval, '--interval');
  const timeoutMinutes = numberArgument(options.timeout, '--timeout');
  const watched: PullOptions = {
    ...(options['all-folders'] === true ? { allFolders: true } : { folders: options.folder ?? ['inbox'] }),
    // The library checks what the user typed, and its message names what may be.
    events: (options.event ?? ['newMail']) as PullOptions['events'],
    ...(pollIntervalSeconds === undefined ? {} : { pollIntervalSeconds }),
    ...(timeoutMinutes === undefined ? {} : { timeoutMinutes }),
  };
  // What is wrong with the other options is told before anybody is asked for a password.
  pullNotifications(exchange({ url }), watched);

  const service = exchange({ url, ...(await credentials(terminal, options)) });
  return watch(terminal, pullNotifications(service, watched), service);
}

interface Credentials {
  readonly user?: string | undefined;
  readonly 'password-file'?: string | undefined;
  readonly 'token-file'?: string | undefined;
}

async function credentials(
  terminal: Terminal,
  options: Credentials,
): Promise<{ basic: { username: string; password: string } } | { token: string }> {
  const { user: username } = options;
  if (username === undefined) return { token: await readToken(terminal, options['token-file']) };
  return { basic: { username, password: await readPassword(terminal, options['password-file']) } };
}
