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
import { type Fault, faultQueue, type RequestMatcher, withLatency } from '../../faults.ts';
import { originsOption } from '../../origins.ts';
import { type LoggedRequest, requestLog } from '../../requestLog.ts';
import { type SimulatedResponse, errorResponse, responseTo } from '../responses.ts';
import { type SimulatedToken, tokenServer } from './tokenServer.ts';
import { isXframe, XFRAME, xframeResponse } from '../routes/xframe.ts';

/** The options of the simulated hosts of discovery. @inline */
export interface UcwaDiscoveryOptions {
  /** @default 'contoso.com' */
  readonly domain?: string;
  /** Whether `lyncdiscoverinternal.DOMAIN` exists, as in the network of the organization. @default false */
  readonly internal?: boolean;
  /** The passwords by user name. @default none: every password is accepted */
  readonly users?: Readonly<Record<string, string>>;
  /** The supported grant types. @default windows, anonmeeting and password, by their full names */
  readonly grantTypes?: readonly string[];
  /**
   * Whether the challenge quotes the URL of the token endpoint; the documentation has both.
   * @default 'quoted'
   */
  readonly href?: 'quoted' | 'bare';
  /** The lifetime of a token in seconds. @default 28_800, for anonymous users 3_600 */
  readonly tokenSeconds?: number;
  /** The URL to which the hosts of discovery redirect; its host exists, too. @default none */
  readonly redirectTo?: string;
  /**
   * The URL of `applications` in the resource `user`, or a function that returns it for the requested origin.
   * @default '/ucwa/oauth/v1/applications' of the same host
   */
  readonly applications?: string | ((origin: string) => string);
  /**
   * The transport for all other requests with a valid token, such as that of `ucwaSimulator`.
   * @default 404
   */
  readonly pool?: Transport;
  /** Whether the pool accepts every token. @default false */
  readonly anyToken?: boolean;
  /** The speed of the server's time relative to the clock, for the expiry of tokens. @default 1 */
  readonly speed?: number;
  /** Milliseconds for a request and its response together. @default 0: responds synchronously */
  readonly latencyMs?: number;
  /**
   * Origins of pages that may use the XFrame page, besides those on this machine and of the same origin. To
   * others it responds with 403, as a real server does. @default none
   */
  readonly allowedOrigins?: readonly string[];
}

/** The names of {@link UcwaDiscoveryOptions}. */
export const UCWA_DISCOVERY_NAMES: OptionNames<UcwaDiscoveryOptions> = {
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
  allowedOrigins: 1,
};

/** The simulated hosts of discovery and sign-in, with methods that inspect and control them. */
export interface UcwaDiscoverySimulator {
  /** The transport to all hosts. */
  readonly transport: Transport;
  /** The requests received, in order, including those to the pool. */
  readonly requests: readonly LoggedRequest[];
  /** The tokens issued, in order. */
  readonly tokens: readonly SimulatedToken[];
  /** Lets the next `count` matching requests fail. @default matches all requests */
  failNext(count: number, fault: Fault, matches?: RequestMatcher): void;
  /** Revokes every token issued so far, as a restart of the server does. */
  revokeTokens(): void;
}

const GRANT_TYPES = ['urn:microsoft.rtc:windows', 'urn:microsoft.rtc:anonmeeting', 'password'];
const ROOT = '/Autodiscover/AutodiscoverService.svc/root';
const USER = `${ROOT}/oauth/user`;
const TOKEN = '/WebTicket/oauthtoken';

/**
 * Creates simulated hosts of discovery and sign-in, for tests of applications that use `rxchange/ucwa`.
 *
 * As documented, `https://lyncdiscover.DOMAIN/` links to `user` on `https://lyncweb.DOMAIN`, which requires a
 * token of the endpoint there. A token is valid only at the origin that issued it. Other host names do not
 * exist. Served over HTTP, one origin has the roles of all hosts. The hosts run on RxJS time.
 *
 * @throws TypeError that names an invalid option
 *
 * @example
 * ```ts
 * import { connectUcwa, discovered, windows } from 'rxchange/ucwa';
 * import { ucwaDiscovery } from 'rxchange/testing';
 * import { serve } from 'rxchange/testing/http';
 *
 * const hosts = ucwaDiscovery();
 * const server = await serve(hosts.transport);
 * const discovery = discovered('contoso.com', { urls: [`${server.origin}/`] });
 * const ucwa = connectUcwa({ server: discovery, auth: windows() });
 * await new Promise<void>((resolve) => {
 *   ucwa.application$.subscribe({ error: resolve }); // it has no pool that creates applications
 * });
 * console.log(hosts.tokens.length);
 * // prints: 1
 * await server.close();
 * ```
 */
export function ucwaDiscovery(options: UcwaDiscoveryOptions = {}): UcwaDiscoverySimulator {
  return simulatedDiscovery(objectOption('options', options, UCWA_DISCOVERY_NAMES));
}

/** Creates the hosts without a check of the option names. */
export function simulatedDiscovery(options: UcwaDiscoveryOptions): UcwaDiscoverySimulator {
  const {
    internal = false,
    grantTypes = GRANT_TYPES,
    redirectTo,
    applications,
    pool,
    anyToken = false,
  } = options;
  // Hosts in URLs are in lower case.
  const domain = (options.domain ?? 'contoso.com').toLowerCase();
  const href = choiceOption('href', options.href ?? 'quoted', ['quoted', 'bare']);
  const latencyMs = numberOption('latencyMs', options.latencyMs ?? 0, { min: 0 });
  const { tokenSeconds } = options;
  const allowedOrigins = originsOption('allowedOrigins', options.allowedOrigins ?? []);
  if (tokenSeconds !== undefined) numberOption('tokenSeconds', tokenSeconds, { min: 1 });
  const secondMs = 1000 / numberOption('speed', options.speed ?? 1, { min: 0.001 });
  const otherHosts = Object.entries({ redirectTo, applications }).flatMap(([name, url]) =>
    typeof url === 'string' ? [urlOption(name, url).hostname] : [],
  );
  const entrances = new Set([
    `lyncdiscover.${domain}`,
    ...(internal ? [`lyncdiscoverinternal.${domain}`] : []),
  ]);
  const hosts = new Set([...entrances, `lyncweb.${domain}`, ...otherHosts]);
  const tokenEndpoint = tokenServer({ grantTypes, users: options.users, tokenSeconds, secondMs });
  const faults = faultQueue();
  const log = requestLog();

  /** Returns the origin at which users of a host sign in. */
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
    // The old host of a moved pool still exists.
    hosts.add(new URL(applicationsFor(`https://lyncweb.${domain}`)).hostname);
    if (!hosts.has(url.hostname) && !isThisMachine(url.hostname)) return unknownHost(request);
    const path = url.pathname.toLowerCase();
    const responding = (response: SimulatedResponse): Observable<HttpResponse> =>
      of(responseTo(request, response));
    if (isXframe(path)) return of(xframeResponse(request, allowedOrigins));
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
