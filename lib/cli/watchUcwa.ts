import {
  batching,
  connectUcwa,
  discovered,
  existingApplication,
  password,
  presence,
  type Ucwa,
  type UcwaOptions,
} from '../ucwa/index.ts';
import { numberArgument, parseOptions, required, UsageError, readPassword, readToken } from './arguments.ts';
import type { Terminal } from './terminal.ts';
import { tokenCommand } from './tokenCommand.ts';
import { watch } from './watch.ts';
import { bearer } from '../core/auth/auth.ts';
import { nodeTransport } from '../node/nodeTransport.ts';

export const WATCH_UCWA_HELP = `rxchange watch ucwa --domain DOMAIN --user NAME --uri SIP-URI [options]: print the presence of contacts as JSON lines until Ctrl-C

  --domain DOMAIN       find the server of this domain, such as contoso.com, and create an application on it
  --user NAME           user who signs in to --domain, such as sara@contoso.com
  --password-file FILE  file whose first line is the password (default: RXCHANGE_PASSWORD, or a prompt)
  --discovery-url URL   URL at which discovery starts; repeatable (default: https://lyncdiscoverinternal.DOMAIN/, then
                        https://lyncdiscover.DOMAIN/)
  --applications URL    create the application at this URL, instead of --domain
  --application URL     use this existing application, instead of --domain, and do not remove it; such as
                        https://pool.contoso.com/ucwa/oauth/v1/applications/101
  --token-file FILE     file whose first line is the token for --application or --applications
                        (default: RXCHANGE_TOKEN, or a prompt)
  --token-command CMD   command that prints the token, run again before that expires or after it was refused
  --uri SIP-URI         contact to watch, such as sip:sara@contoso.com; repeatable
  --duration MINUTES    lifetime of the subscription on the server, from 10 to 30 (default: 30)
  --batch N             largest number of requests in one batch; 1 disables batching (default: 20)`;

/** The connection options, once the secret is known. */
interface Login {
  /** Reads the password or the token. */
  readonly readSecret: () => Promise<string>;
  readonly optionsWith: (secret: string) => UcwaOptions;
}

/** Prints the presence of contacts until the user interrupts; resolves with the exit code. */
export async function watchUcwa(terminal: Terminal, args: readonly string[]): Promise<number> {
  const { ucwa, watched } = await ucwaFrom(terminal, args);
  return watch(terminal, presence(ucwa, watched), ucwa);
}

/** A connection to a UCWA server, and the contacts to observe. */
interface WatchedUcwa {
  readonly ucwa: Ucwa;
  readonly watched: { readonly uris: readonly string[]; readonly durationMinutes?: number };
}

/** Resolves with the connection that the options of `watch ucwa` describe. */
export async function ucwaFrom(terminal: Terminal, args: readonly string[]): Promise<WatchedUcwa> {
  const options = parseOptions(args, {
    domain: { type: 'string' },
    user: { type: 'string' },
    'password-file': { type: 'string' },
    'discovery-url': { type: 'string', multiple: true },
    application: { type: 'string' },
    applications: { type: 'string' },
    'token-file': { type: 'string' },
    'token-command': { type: 'string' },
    uri: { type: 'string', multiple: true },
    duration: { type: 'string' },
    batch: { type: 'string' },
  });
  const { readSecret, optionsWith } = loginOf(terminal, options);
  const uris = options.uri ?? [];
  if (uris.length === 0) throw new UsageError('--uri is missing');
  const durationMinutes = numberArgument(options.duration, '--duration');
  const watched = { uris, ...(durationMinutes === undefined ? {} : { durationMinutes }) };
  const maxParts = numberArgument(options.batch, '--batch');
  const common = {
    batch: batching(maxParts === undefined ? {} : { maxParts }),
    transport: nodeTransport(),
  };
  // Reports invalid options before the prompt for a secret.
  presence(connectUcwa({ ...optionsWith('none'), ...common }), watched);

  return { ucwa: connectUcwa({ ...optionsWith(await readSecret()), ...common }), watched };
}

function loginOf(
  terminal: Terminal,
  options: {
    readonly domain?: string | undefined;
    readonly user?: string | undefined;
    readonly 'password-file'?: string | undefined;
    readonly 'discovery-url'?: readonly string[] | undefined;
    readonly application?: string | undefined;
    readonly applications?: string | undefined;
    readonly 'token-file'?: string | undefined;
    readonly 'token-command'?: string | undefined;
  },
): Login {
  const { domain, application, applications, 'discovery-url': urls } = options;
  if ([domain, application, applications].filter((url) => url !== undefined).length > 1) {
    throw new UsageError('--domain, --application and --applications are mutually exclusive');
  }
  const { 'token-file': file, 'token-command': command } = options;
  if (command !== undefined && file !== undefined)
    throw new UsageError('--token-command and --token-file are mutually exclusive');
  const withToken = (server: UcwaOptions['server']): Login => ({
    readSecret: () => (command === undefined ? readToken(terminal, file) : Promise.resolve('')),
    optionsWith: (token) => ({ server, auth: command === undefined ? bearer(token) : tokenCommand(command) }),
  });
  if (application !== undefined) return withToken(existingApplication(application));
  if (applications !== undefined) return withToken(applications);
  if (command !== undefined) throw new UsageError('--token-command requires --application or --applications');
  const server = discovered(
    required(domain, '--domain (or --application, or --applications)'),
    urls === undefined ? {} : { urls },
  );
  const username = required(options.user, '--user');
  return {
    readSecret: () => readPassword(terminal, options['password-file']),
    optionsWith: (secret) => ({ server, auth: password({ username, password: secret }) }),
  };
}
