import { bearer } from '../../core/auth/auth.ts';
import { hostOption } from '../../core/hosts.ts';
import { urlOption } from '../../core/options.ts';
import { secureContextOf } from '../../node/certificates.ts';
import { nodeTransport } from '../../node/nodeTransport.ts';
import { proxyOfEnvironment } from '../../node/proxy.ts';
import { password } from '../../ucwa/auth/signIn.ts';
import { connectUcwa } from '../../ucwa/connect.ts';
import { discovered } from '../../ucwa/discovery/discovered.ts';
import type { UcwaOptions } from '../../ucwa/options.ts';
import { presence } from '../../ucwa/presence/presence.ts';
import { numberArgument, parseOptions, UsageError } from '../arguments.ts';
import type { Terminal } from '../terminal.ts';
import { type Credentials, credentialsOf, fileOf } from './credentials.ts';
import { networkSteps } from './network.ts';
import { printer } from './print.ts';
import { runSteps, type Step } from './steps.ts';
import { leftoversResult } from './leftovers.ts';
import { type Connect, discover, offers, type UcwaFacts, works } from './ucwaSteps.ts';

export const DOCTOR_UCWA_HELP = `rxchange doctor ucwa --domain DOMAIN [options]: check step by step whether presence works, and say what to do

  --domain DOMAIN       find the server of this domain, such as contoso.com
  --discovery-url URL   URL at which discovery starts; repeatable (default: https://lyncdiscoverinternal.DOMAIN/, then
                        https://lyncdiscover.DOMAIN/)
  --url URL             create the application at this URL, instead of --domain
  --user NAME           sign in with this user name and a password
  --password-file FILE  file whose first line is the password (default: RXCHANGE_PASSWORD, or a prompt)
  --token-file FILE     file whose first line is the token (default: RXCHANGE_TOKEN)
  --uri SIP-URI         contact whose presence is subscribed to, such as sip:sara@contoso.com
  --ca FILE             file with the authorities to trust, as PEM (default: those of Node)
  --wait SECONDS        how long to wait for the first event (default: 60)
  --json                print one JSON object, for tickets

It creates an application and a presence subscription, removes both, and changes nothing else.
The exit code is 0 if presence works and no step has failed, else 1.`;

/** A contact that does not exist, if the server does not say who the user is. */
const NOBODY = 'sip:nobody@invalid';

/** Examines a server of UCWA; resolves with the exit code. */
export async function doctorUcwa(terminal: Terminal, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, {
    domain: { type: 'string' },
    'discovery-url': { type: 'string', multiple: true },
    url: { type: 'string' },
    user: { type: 'string' },
    'password-file': { type: 'string' },
    'token-file': { type: 'string' },
    uri: { type: 'string' },
    ca: { type: 'string' },
    wait: { type: 'string' },
    json: { type: 'boolean' },
  });
  const { domain, url, uri: given } = options;
  if ((url === undefined) === (domain === undefined)) throw new UsageError('give either --url or --domain');
  const seconds = numberArgument(options.wait, '--wait') ?? 60;
  const ca = options.ca === undefined ? {} : { ca: fileOf('--ca', options.ca) };
  const transport = nodeTransport(ca);
  const credentials = await credentialsOf(
    ...([terminal, options.user, options['password-file'], options['token-file']] as const),
  );
  const roots = rootsOf(domain, options['discovery-url']);
  const server = url === undefined ? discovered(domain ?? '', { urls: roots }) : urlOption('--url', url).href;
  const connect: Connect = () => connectUcwa({ server, transport, ...authOf(credentials) });
  presence(connect(), { uris: given === undefined ? [] : [given] });

  const isFound = url === undefined;
  const steps: readonly Step<UcwaFacts>[] = [
    ...(isFound ? [{ name: 'discovery', needs: [], run: () => discover(transport, roots) }] : []),
    ...networkSteps<UcwaFacts>(
      { proxyOf: (origin) => proxyOfEnvironment(origin), secureContext: secureContextOf(ca) },
      isFound ? ['discovery'] : [],
    ),
    { name: 'HTTP', needs: ['TLS'], run: (facts) => offers(transport, facts, credentials) },
    {
      name: 'application',
      needs: ['HTTP'],
      run: (facts) =>
        works(connect, facts, {
          seconds,
          stream: (ucwa) => ucwa.application$,
          factsOf: ({ me: { uri } }) => (uri === undefined ? {} : { uri }),
        }),
    },
    {
      name: 'presence',
      needs: ['application'],
      run: (facts) =>
        works(connect, facts, {
          seconds,
          stream: (ucwa) => presence(ucwa, { uris: [given ?? facts.uri ?? NOBODY] }),
          factsOf: () => ({ works: true }),
        }),
    },
    {
      name: 'leftovers',
      needs: ['application'],
      run: (facts) => Promise.resolve(leftoversResult(facts.leftovers)),
    },
  ];
  const print = printer(terminal, options.json === true);
  const initial: UcwaFacts = typeof server === 'string' ? { url: server } : {};
  const { findings, facts } = await runSteps(steps, initial, print.found);
  const where = domain === undefined ? `'${url ?? ''}'` : `discovered('${domain}')`;
  const code = `presence(connectUcwa({ server: ${where}${codeOf(credentials)} }), { uris: ['${given ?? facts.uri ?? NOBODY}'] })`;
  return print.end(findings, facts.works === true ? code : undefined);
}

function rootsOf(domain: string | undefined, given: readonly string[] | undefined): readonly string[] {
  if (domain === undefined) return [];
  const host = hostOption('--domain', domain);
  return given ?? [`https://lyncdiscoverinternal.${host}/`, `https://lyncdiscover.${host}/`];
}

function authOf({ username, password: secret, token }: Credentials): Pick<UcwaOptions, 'auth'> {
  if (token !== undefined) return { auth: bearer(token) };
  return username === undefined || secret === undefined
    ? {}
    : { auth: password({ username, password: secret }) };
}

function codeOf({ username, token }: Credentials): string {
  if (token !== undefined) return ', auth: bearer(token)';
  return username === undefined ? '' : ', auth: password({ username, password })';
}
