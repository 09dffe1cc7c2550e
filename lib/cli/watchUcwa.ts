import { type ConnectOptions, connect, password, presence } from '../ucwa/index.ts';
import { numberArgument, parseOptions, required } from './arguments.ts';
import { readPassword, readToken } from './secret.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usageError.ts';
import { watch } from './watch.ts';

export const WATCH_UCWA_HELP = `rxchange watch ucwa --domain DOMAIN --user NAME --uri SIP-URI [options]: presence of contacts, as lines of JSON, until Ctrl-C

  --domain DOMAIN         whose server to find, such as contoso.com; an application is made there, and removed at the end
  --user NAME             who signs in there, such as sara@contoso.com
  --password-file FILE    its first line is the password; else RXCHANGE_PASSWORD, else it is asked for
  --discovery-url URL     where to begin to look for the server (default: https://lyncdiscoverinternal.DOMAIN/, then
                          https://lyncdiscover.DOMAIN/); may be given several times
  --applications URL      instead of --domain: where to make the application
  --application URL       instead of --domain: one that exists, such as
                          https://pool.contoso.com/ucwa/oauth/v1/applications/101; it is left there
  --token-file FILE       for those two: its first line is the token; else RXCHANGE_TOKEN, else it is asked for
  --uri SIP-URI           a contact, such as sip:sara@contoso.com; may be given several times
  --duration MINUTES      how long the server keeps the subscription, 10 to 30 (default: 30)
  --batch N               how many requests travel together at most; 1 lets each go alone (default: 20)`;

/** Where to watch, and who asks for it. */
interface Place {
  /** Gets the password or the token. */
  readonly readSecret: () => Promise<string>;
  readonly optionsWith: (secret: string) => ConnectOptions;
}

/** Writes the presence of contacts until the user interrupts; resolves with the exit code. */
export async function watchUcwa(terminal: Terminal, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, {
    domain: { type: 'string' },
    user: { type: 'string' },
    'password-file': { type: 'string' },
    'discovery-url': { type: 'string', multiple: true },
    application: { type: 'string' },
    applications: { type: 'string' },
    'token-file': { type: 'string' },
    uri: { type: 'string', multiple: true },
    duration: { type: 'string' },
    batch: { type: 'string' },
  });
  const { readSecret, optionsWith } = placeOf(terminal, options);
  const uris = options.uri ?? [];
  if (uris.length === 0) throw new UsageError('--uri is missing');
  const durationMinutes = numberArgument(options.duration, '--duration');
  const watched = { uris, ...(durationMinutes === undefined ? {} : { durationMinutes }) };
  const maxParts = numberArgument(options.batch, '--batch');
  const batch = maxParts === undefined ? {} : { batch: { maxParts } };
  // What is wrong with the other options is told before anybody is asked for a secret.
  presence(connect({ ...optionsWith('none'), ...batch }), watched);

  const ucwa = connect({ ...optionsWith(await readSecret()), ...batch });
  return watch(terminal, presence(ucwa, watched), ucwa);
}

function placeOf(
  terminal: Terminal,
  options: {
    readonly domain?: string | undefined;
    readonly user?: string | undefined;
    readonly 'password-file'?: string | undefined;
    readonly 'discovery-url'?: readonly string[] | undefined;
    readonly application?: string | undefined;
    readonly applications?: string | undefined;
    readonly 'token-file'?: string | undefined;
  },
): Place {
  const { domain, application, applications, 'discovery-url': urls } = options;
  if ([domain, application, applications].filter((way) => way !== undefined).length > 1) {
    throw new UsageError('--domain, --application and --applications exclude each other');
  }
  const readGivenToken = (): Promise<string> => readToken(terminal, options['token-file']);
  if (application !== undefined) {
    return { readSecret: readGivenToken, optionsWith: (token) => ({ application, token }) };
  }
  if (applications !== undefined) {
    return { readSecret: readGivenToken, optionsWith: (token) => ({ applications, token }) };
  }
  const found = {
    domain: required(domain, '--domain (or --application, or --applications)'),
    ...(urls === undefined ? {} : { urls }),
  };
  const username = required(options.user, '--user');
  return {
    readSecret: () => readPassword(terminal, options['password-file']),
    optionsWith: (secret) => ({ ...found, signIn: password({ username, password: secret }) }),
  };
}
