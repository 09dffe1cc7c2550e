import {
  catchError,
  defer,
  mergeMap,
  NEVER,
  noop,
  type Observable,
  of,
  ReplaySubject,
  share,
  tap,
  throwError,
} from 'rxjs';
import { DEFAULT_RETRIES, withRetry } from '../../core/backoff/withRetry.ts';
import { OriginError } from '../../core/errors.ts';
import { hostOption } from '../../core/hosts.ts';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import { originOf } from '../../core/text.ts';
import type { Middleware } from '../../core/transport/transport.ts';
import { withLimits } from '../../core/transport/withLimits.ts';
import { UNSIGNED } from '../auth/signer.ts';
import { DiscoveryError, type DiscoveryFailure } from '../protocol/errors.ts';
import { type Discovery, discoveredLocation } from './location.ts';
import { SERVER, type ServerContext, type UcwaServer } from './server.ts';
import {
  type DiscoveryContext,
  findApplications,
  findRoot,
  type Root,
  trustedRedirects,
  type UcwaLocation,
  type TrustedHosts,
  trustedHosts,
  trustedUrl,
} from './steps.ts';

/** Options of {@link discovered}. @inline */
export interface DiscoveryOptions {
  /**
   * Hosts outside of the domain to which servers may lead, and their subdomains. Tokens and credentials are
   * sent there.
   * @default none
   */
  readonly allowRedirectTo?: readonly string[];
  /**
   * The URLs to start with, in this order: https, or http on this machine for test servers.
   * @default `https://lyncdiscoverinternal.DOMAIN/`, then `https://lyncdiscover.DOMAIN/`
   */
  readonly urls?: readonly string[];
  /**
   * How long each response may take, in seconds. For responses of a token endpoint the `limits` apply; when
   * the platform signs the user in, there is no time limit.
   * @default 10
   */
  readonly timeoutSeconds?: number;
}

const NAMES: OptionNames<DiscoveryOptions> = { allowRedirectTo: 1, urls: 1, timeoutSeconds: 1 };

/**
 * Returns the server of a domain's users: the option `server` of a connection.
 *
 * The first subscription searches for it: hosts of the domain are requested one after the other. Streams
 * error with a {@link DiscoveryError} that lists the failure of each host if none of them leads to UCWA; with
 * a {@link SignInError} if the sign-in is refused; with an {@link UntrustedLinkError} if a server leads out
 * of the domain. Hosts that do not respond are retried: as often as `retry` says before the first connection,
 * and without limit after it. If the user has moved to another server, the connection follows.
 *
 * If the servers of the domain need different tokens, `bearer` needs a function of the origin.
 *
 * @param domain The domain of the user's sign-in address, such as `contoso.com`.
 * @throws TypeError that names the option that cannot be used.
 * @see [MS-UCWA] RootURL, AuthenticationInUCWA, AuthenticationUsingAzureAD
 *
 * @example
 * ```ts
 * import { connectUcwa, discovered, password } from 'rxchange/ucwa';
 * import { ucwaDiscovery, ucwaSimulator } from 'rxchange/testing';
 *
 * const pool = ucwaSimulator({ origin: 'https://lyncweb.contoso.com' });
 * const { transport } = ucwaDiscovery({ users: { 'sara@contoso.com': 'hush' }, pool: pool.transport });
 * const auth = password({ username: 'sara@contoso.com', password: 'hush' });
 * const ucwa = connectUcwa({ server: discovered('contoso.com'), auth, transport });
 * ucwa.application$.subscribe(({ self }) => console.log(new URL(self).origin));
 * // prints: https://lyncweb.contoso.com
 * await ucwa.close();
 * ```
 */
export function discovered(domain: string, options: DiscoveryOptions = {}): UcwaServer {
  const search = discoverySearch(domain, options);
  return SERVER.create({ type: 'discovered' }, (context) => {
    const { retry, pause, limits, allowInsecureHttp } = context;
    if (allowInsecureHttp) {
      throw invalidOption('allowInsecureHttp', true, 'left out with discovered(…), which uses https');
    }
    const found = discovery(search, context);
    const location = discoveredLocation(found, pause, retry.retries ?? DEFAULT_RETRIES, limits);
    return { location, sign: found.signed, isExisting: false };
  });
}

/** The hosts to search, and the hosts to trust. */
interface DiscoverySearch {
  readonly domain: string;
  readonly starts: readonly string[];
  readonly trust: TrustedHosts;
  readonly timeoutSeconds: number;
}

/** Returns the search that the options describe; throws a TypeError that names an invalid option. */
export function discoverySearch(domain: string, options: DiscoveryOptions): DiscoverySearch {
  const { allowRedirectTo = [], urls, timeoutSeconds = 10 } = objectOption('options', options, NAMES);
  const host = hostOption('domain', domain);
  return {
    domain: host,
    starts: startsOf(host, urls),
    trust: trustedHosts(host, allowRedirectTo, urls ?? []),
    timeoutSeconds: numberOption('timeoutSeconds', timeoutSeconds, { min: 0.001 }),
  };
}

/**
 * Creates the discovery of UCWA for the users of a domain, and its sign-in.
 *
 * Nothing is sent before `location$` is subscribed to.
 */
export function discovery(
  { domain, starts, trust, timeoutSeconds }: DiscoverySearch,
  { signer, transport, retry, limits }: Omit<ServerContext, 'pause' | 'allowInsecureHttp'>,
): Discovery {
  const { redirects } = limits;
  const times = {
    headersSeconds: timeoutSeconds,
    silenceSeconds: timeoutSeconds,
    responseSeconds: timeoutSeconds,
  };
  const timed = withLimits({ ...limits, ...times })(transport);
  const {
    sign = UNSIGNED,
    registerOrigin = noop,
    forget = noop,
  } = signer?.({
    ...{ transport, retry, limits, timeoutSeconds },
    allowInsecureHttp: false,
    trusted: (href, base, what) => trustedUrl(trust, href, base, what),
  }) ?? {};
  const origins = new Set<string>();
  const learn = (url: string): void => {
    origins.add(new URL(url).origin);
    registerOrigin(url);
  };
  /** Refuses requests to origins that discovery has not found: they must not get a token. */
  const signed: Middleware = (next) => {
    const send = sign(next);
    return (request) => {
      const origin = originOf(request.url);
      if (origins.has(origin)) return send(request);
      return throwError(() => new OriginError([...origins].join(', '), origin, 'a request'));
    };
  };
  const toUser = signed(withRetry(retry)(timed));
  const follow = trustedRedirects(trust, redirects);

  const walk: DiscoveryContext = {
    ...{ trust, redirects },
    open: follow(timed),
    signed: follow((request) => {
      learn(request.url);
      return toUser(request);
    }),
  };

  const rootAt = (index: number, failed: readonly DiscoveryFailure[]): Observable<Root> => {
    const url = starts[index];
    if (url === undefined) return throwError(() => new DiscoveryError(domain, failed));
    return findRoot(walk, url).pipe(
      catchError((cause: unknown) => rootAt(index + 1, [...failed, { url, cause }])),
    );
  };

  const found = (): Observable<UcwaLocation> => {
    let isFound = false;
    return defer(() => rootAt(0, [])).pipe(
      mergeMap((root) => findApplications(walk, root)),
      tap(({ applications, origin, user }) => {
        isFound = true;
        if (origin !== new URL(user).origin) learn(applications);
      }),
      share({
        connector: () => new ReplaySubject(1),
        resetOnComplete: false,
        // A subscriber may leave after the value and before completion.
        resetOnRefCountZero: () => (isFound ? NEVER : of(undefined)),
      }),
    );
  };

  let current = found();
  return {
    location$: defer(() => current),
    signed,
    forget: () => {
      current = found();
      forget();
    },
  };
}

function startsOf(domain: string, urls: readonly string[] | undefined): readonly string[] {
  if (urls === undefined)
    return [`https://lyncdiscoverinternal.${domain}/`, `https://lyncdiscover.${domain}/`];
  // Callers without types can pass one URL alone.
  const given: unknown = urls;
  if (!Array.isArray(given) || given.length === 0) {
    throw invalidOption('urls', given, 'a list of at least one URL');
  }
  return urls;
}
