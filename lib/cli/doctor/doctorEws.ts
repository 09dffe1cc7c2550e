import { firstValueFrom, NEVER } from 'rxjs';
import { bearer } from '../../core/auth/auth.ts';
import { urlOption } from '../../core/options.ts';
import type { Transport } from '../../core/transport/transport.ts';
import { basic } from '../../ews/auth/basic.ts';
import { autodiscovered } from '../../ews/discovery/autodiscover.ts';
import { AUTODISCOVERED } from '../../ews/discovery/location.ts';
import { secureContextOf } from '../../node/certificates.ts';
import { nodeTransport } from '../../node/nodeTransport.ts';
import { proxyOfEnvironment } from '../../node/proxy.ts';
import { numberArgument, parseOptions, UsageError } from '../arguments.ts';
import type { Terminal } from '../terminal.ts';
import { type Credentials, credentialsOf, fileOf } from './credentials.ts';
import { type EwsContext, type EwsFacts, ewsSteps, recommendation } from './ewsSteps.ts';
import { networkSteps } from './network.ts';
import { printer } from './print.ts';
import { runSteps, type Step } from './steps.ts';

export const DOCTOR_EWS_HELP = `rxchange doctor ews --url URL [options]: check step by step whether notifications work, and say what to do

  --url URL                EWS endpoint, such as https://mail.contoso.com/EWS/Exchange.asmx
  --autodiscover ADDRESS   find the endpoint by the address of a mailbox, instead of --url
  --user NAME              sign in with this user name and a password
  --password-file FILE     file whose first line is the password (default: RXCHANGE_PASSWORD, or a prompt)
  --token-file FILE        file whose first line is the token (default: RXCHANGE_TOKEN)
  --ca FILE                file with the authorities to trust, as PEM (default: those of Node)
  --wait SECONDS           how long to wait for the first envelope of a stream (default: 60)
  --json                   print one JSON object, for tickets

It subscribes and unsubscribes once for each kind of notification, and changes nothing else.
The exit code is 0 if a kind of notification works and no step has failed, else 1.`;

/** Examines a server of EWS; resolves with the exit code. */
export async function doctorEws(terminal: Terminal, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, {
    url: { type: 'string' },
    autodiscover: { type: 'string' },
    user: { type: 'string' },
    'password-file': { type: 'string' },
    'token-file': { type: 'string' },
    ca: { type: 'string' },
    wait: { type: 'string' },
    json: { type: 'boolean' },
  });
  const { url, autodiscover: address, user: username } = options;
  if ((url === undefined) === (address === undefined))
    throw new UsageError('give either --url or --autodiscover');
  const server = address === undefined ? undefined : autodiscovered(address);
  const facts: EwsFacts = url === undefined ? {} : { url: urlOption('--url', url).href };
  const waitSeconds = numberArgument(options.wait, '--wait') ?? 60;
  const ca = options.ca === undefined ? {} : { ca: fileOf('--ca', options.ca) };
  const secureContext = secureContextOf(ca);
  const connect = (): Transport => nodeTransport(ca);
  const credentials = await credentialsOf(
    terminal,
    username,
    options['password-file'],
    options['token-file'],
  );
  const context: EwsContext = { connect, credentials, waitSeconds };

  const discovery: Step<EwsFacts> = {
    name: 'discovery',
    needs: [],
    run: async () => {
      const { locate } = AUTODISCOVERED.read('server', server);
      const auth = authOf(credentials);
      const transport = connect();
      const sign = auth?.sign({ allowInsecureHttp: false }) ?? ((unsigned: Transport) => unsigned);
      const found = locate({ transport, auth, sign, redirects: undefined, closing$: NEVER });
      const endpoint = await firstValueFrom(found.url$);
      return { state: 'ok', text: endpoint, facts: { url: endpoint } };
    },
  };
  const needs = server === undefined ? [] : ['discovery'];
  const steps = [
    ...(server === undefined ? [] : [discovery]),
    ...networkSteps<EwsFacts>({ proxyOf: (origin) => proxyOfEnvironment(origin), secureContext }, needs),
    ...ewsSteps(context),
  ];
  const print = printer(terminal, options.json === true);
  const { findings, facts: found } = await runSteps(steps, facts, print.found);
  return print.end(findings, recommendation(found));
}

function authOf({ username, password, token }: Credentials): ReturnType<typeof bearer> | undefined {
  if (token !== undefined) return bearer(token);
  return username === undefined || password === undefined ? undefined : basic({ username, password });
}
