import { connect, presence } from '../ucwa/index.ts';
import { numberArgument, parseOptions, required } from './arguments.ts';
import { readToken } from './secret.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usageError.ts';
import { watch } from './watch.ts';

export const WATCH_UCWA_HELP = `rxchange watch ucwa --application URL --uri SIP-URI [options]: presence of contacts, as lines of JSON, until Ctrl-C

  --application URL       an application that exists, such as https://pool.contoso.com/ucwa/oauth/v1/applications/101;
                          it is left there
  --applications URL      where to make one instead; it is removed at the end
  --uri SIP-URI           a contact, such as sip:sara@contoso.com; may be given several times
  --duration MINUTES      how long the server keeps the subscription, 10 to 30 (default: 30)
  --token-file FILE       its first line is the token; else RXCHANGE_TOKEN, else it is asked for`;

/** Writes the presence of contacts until the user interrupts; resolves with the exit code. */
export async function watchUcwa(terminal: Terminal, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, {
    application: { type: 'string' },
    applications: { type: 'string' },
    uri: { type: 'string', multiple: true },
    duration: { type: 'string' },
    'token-file': { type: 'string' },
  });
  const place = applicationOf(options);
  const uris = options.uri ?? [];
  if (uris.length === 0) throw new UsageError('--uri is missing');
  const durationMinutes = numberArgument(options.duration, '--duration');
  const watched = { uris, ...(durationMinutes === undefined ? {} : { durationMinutes }) };
  // What is wrong with the other options is told before anybody is asked for a token.
  presence(connect({ ...place, token: 'none' }), watched);

  const ucwa = connect({ ...place, token: await readToken(terminal, options['token-file']) });
  return watch(terminal, presence(ucwa, watched), ucwa);
}

function applicationOf(options: {
  readonly application?: string | undefined;
  readonly applications?: string | undefined;
}): { application: string } | { applications: string } {
  if (options.applications === undefined)
    return { application: required(options.application, '--application') };
  if (options.application !== undefined)
    throw new UsageError('--application and --applications exclude each other');
  return { applications: options.applications };
}
