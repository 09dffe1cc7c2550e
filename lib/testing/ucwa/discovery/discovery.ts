import { type Observable, of, throwError } from 'rxjs';
import { isThisMachine } from '../../../core/httpUrl.ts';
import { NetworkError } from '../../../core/errors.ts';
import {
  choiceOption,
  numberOption,
  objectOption,
  type OptionNames,
  urlOption,
} from '../../../core/options.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../core/transport/transport.ts';
import { type FaultQueue, faultQueue } from '../../faults.ts';
import { withLatency } from '../../latency.ts';
import { type LoggedRequest, requestLog } from '../../requestLog.ts';
import { type SimulatedResponse, errorResponse, responseTo } from '../responses.ts';
import { type SimulatedToken, tokenServer } from './tokenServer.ts';
import { isXframe, XFRAME, xframeResponse } from '../routes/xframe.ts';

/** How the simulated hosts behave. */
export interface UcwaDiscoveryOptions {
  /** @default 'contoso.com' */
  readonly domain?: string;
  /** Whether `lyncdiscoverinternal.DOMAIN` exists: it does in the company's own network. @default false */
  readonly internal?: boolean;
  /** User names and their passwords. @default all are good */
  readonly users?: Readonly<Record<string, string>>;
  /** @default windows, anonmeeting and password, by their full names */
  readonly grantTypes?: readonly string[];
  /** How the challenge writes the URL of the token endpoint: the documentation has both. @default 'quoted' */
  readonly href?: 'quoted' | 'bare';
  /** How long a token is good, in seconds. @default 28_800, of an anonymous identity 3_600 */
  readonly tokenSeconds?: number;
  /** Where the hosts of discovery redirect to; what is there answers too. @default nowhere */
  readonly redirectTo?: string;
  /**
   * Where `user` says that the applications are, or what says so for the origin that was asked; it is asked
   * each time. @default '/ucwa/oauth/v1/applications' of the same host
   */
  readonly applications?: string | ((origin: string) => string);
  /** What answers all other requests with a good token, such as that of `ucwaSimulator`. @default 404 */
  readonly pool?: Transport;
  /** Whether the pool takes every token, as if it had been issued here. @default false */
  readonly anyToken?: boolean;
  /** How many times as fast as the clock the server's own time goes, in which tokens expire. @default 1 */
  readonly speed?: number;
  /** How long a request and its answer travel together, in milliseconds. @default 0: all is synchronous */
  readonly latencyMs?: number;
}

const NAMES: OptionNames<UcwaDiscoveryOptions> = {
  domain: 1,
  internal: 1,
  users: 1,
  grantTypes: 1,
  href: 1,
  tokenSeconds: 1,
  redirectTo: 1,
  applications: 1,
  pool: 1,
  anyToken: 1,
  speed: 1,
  latencyMs: 1,
};

/** Simulated hosts of discovery and sign-in: a transport to them, what they issued, and how they are driven. */
export interface UcwaDiscoverySimulator {
  readonly transport: Transport;
  /** What they were sent, in that order: the requests to the pool too. */
  readonly requests: readonly LoggedRequest[];
  /** The tokens that were issued, in that order. */
  readonly tokens: readonly SimulatedToken[];
  /** Lets requests fail: see {@link FaultQueue.failNext}. */
  readonly failNext: FaultQueue['failNext'];
  /** Refuses every token that was issued by now, as after a restart of the server. */
  revokeTokens(): void;
}

const GRANT_TYPES = ['urn:microsoft.rtc:windows', 'urn:microsoft.rtc:anonmeeting', 'password'];
const ROOT = '/Autodiscover/AutodiscoverService.svc/root';
const USER = `${ROOT}/oauth/user`;
const TOKEN = '/WebTicket/oauthtoken';

/**
 * Returns simulated hosts of discovery and sign-in, for tests of what is built on this library.
 *
 * They behave as the documentation says: `https://lyncdiscover.DOMAIN/` leads to `user` on
 * `https://lyncweb.DOMAIN`, which asks for a token of the endpoint there; a token is good at the origin that
 * issued it, until it expires. Names that are not theirs do not exist. Their transport can be served over
 * HTTP by `serve`: on this machine one origin plays all the parts. They run on RxJS time alone. It throws a
 * TypeError that names the option for one that cannot be used.
 *
 * @example
 * ```ts
 * import { discover, windows } from 'rxchange/ucwa';
 * import { ucwaDiscovery } from 'rxchange/testing';
 * import { serve } from 'rxchange/testing/http';
 *
 * const hosts = ucwaDiscovery();
 * const server = await serve(hosts.transport);
 * const discovery = discover({ domain: 'contoso.com', signIn: windows(), urls: [`${server.origin}/`] });
 * const { applications } = await new Promise<{ applications: string }>((resolve, reject) => {
 *   discovery.location$.subscribe({ next: resolve, error: reject });
 * });
 * console.log(new URL(applications).pathname, hosts.tokens.length);
 * // prints: /ucwa/oauth/v1/applications 1
 * await server.close();
 * ```
 */
export function ucwaDiscovery(options: UcwaDiscoveryOptions = {}): UcwaDiscoverySimulator {
  return simulatedDiscovery(objectOption('options', options, NAMES));
}

/** The same with options of known names, or among others. */
export function simulatedDiscovery(options: UcwaDiscoveryOptions): UcwaDiscoverySimulator {
  const {
    internal = false,
    grantTypes = GRANT_TYPES,
    redirectTo,
    applications,
    pool,
    anyToken = false,
  } = options;
  // URLs have their hosts in lower case.
  const domain = (options.domain ?? 'contoso.com').toLowerCase();
  const href = choiceOption('href', options.href ?? 'quoted', ['quoted', 'bare']);
  const latencyMs = numberOption('latencyMs', options.latencyMs ?? 0, { min: 0 });
  const { tokenSeconds } = options;
  if (tokenSeconds !== undefined) numberOption('tokenSeconds', tokenSeconds, { min: 1 });
  const secondMs = 1000 / numberOption('speed', options.speed ?? 1, { min: 0.001 });
  const elsewhere = Object.entries({ redirectTo, applications }).flatMap(([name, url]) =>
    typeof url === 'string' ? [urlOption(name, url).hostname] : [],
  );
  const entrances = new Set([
    `lyncdiscover.${domain}`,
    ...(internal ? [`lyncdiscoverinternal.${domain}`] : []),
  ]);
  const hosts = new Set([...entrances, `lyncweb.${domain}`, ...elsewhere]);
  const tokenEndpoint = tokenServer({ grantTypes, users: options.users, tokenSeconds, secondMs });
  const faults = faultQueue();
  const log = requestLog();

  /** Where a host says that users sign in. */
  const webOf = ({ hostname, origin }: URL): string =>
    entrances.has(hostname) ? `https://lyncweb.${domain}` : origin;

  const challenge = ({ origin }: URL): SimulatedResponse => ({
    ...errorResponse(401, 'Unauthorized'),
    headers: {
      'www-authenticate':
        `Bearer trusted_issuers="00000002-0000-0ff1-ce00-000000000000@${domain}", ` +
        `client_id="00000004-0000-0ff1-ce00-000000000000", ` +
        `MsRtcOAuth href=${href === 'bare' ? `${origin}${TOKEN}` : `"${origin}${TOKEN}"`},grant_type="${grantTypes.join(',')}"`,
    },
  });

  const root = (url: URL): SimulatedResponse => {
    if (redirectTo !== undefined && new URL(redirectTo).origin !== url.origin)
      return links({ redirect: redirectTo });
    const web = webOf(url);
    return links({ self: `${web}${ROOT}`, user: `${web}${USER}`, xframe: `${web}${XFRAME}` });
  };

  const applicationsFor = (origin: string): string =>
    typeof applications === 'function'
      ? applications(origin)
      : (applications ?? `${origin}/ucwa/oauth/v1/applications`);

  const user = ({ origin }: URL): SimulatedResponse =>
    links({
      self: `${origin}${USER}`,
      applications: applicationsFor(origin),
      xframe: `${origin}${XFRAME}`,
    });

  const act: Transport = (request) => {
    const url = new URL(request.url);
    // A pool that has moved is still there, and so is its old host.
    hosts.add(new URL(applicationsFor(`https://lyncweb.${domain}`)).hostname);
    if (!hosts.has(url.hostname) && !isThisMachine(url.hostname)) return unknownHost(request);
    const path = url.pathname.toLowerCase();
    const responding = (response: SimulatedResponse): Observable<HttpResponse> =>
      of(responseTo(request, response));
    if (isXframe(path)) return of(xframeResponse(request));
    if (path === TOKEN.toLowerCase()) return responding(tokenEndpoint.respond(request));
    if (path === '/' || path === ROOT.toLowerCase()) return responding(root(url));
    const isUser = path === USER.toLowerCase();
    if (!tokenEndpoint.isAuthorized(request) && (isUser || !anyToken)) return responding(challenge(url));
    if (isUser) return responding(user(url));
    return pool === undefined ? responding(errorResponse(404, 'NotFound')) : pool(request);
  };

  return {
    transport: log.middleware(withLatency(latencyMs)(faults.middleware(act))),
    requests: log.requests,
    tokens: tokenEndpoint.issued,
    failNext: (...fault) => faults.failNext(...fault),
    revokeTokens: () => tokenEndpoint.revokeAll(),
  };
}

function links(hrefs: Readonly<Record<string, string>>): SimulatedResponse {
  const _links = Object.fromEntries(Object.entries(hrefs).map(([rel, href]) => [rel, { href }]));
  return { status: 200, body: { _links } };
}

function unknownHost(request: HttpRequest): Observable<never> {
  return throwError(() => new NetworkError('no response', request, { code: 'ENOTFOUND' }));
}
