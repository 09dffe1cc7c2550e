import {
  catchError,
  defer,
  mergeMap,
  NEVER,
  type Observable,
  of,
  ReplaySubject,
  share,
  tap,
  throwError,
} from 'rxjs';
import { type RetryPolicy, withRetry } from '../../core/backoff/withRetry.ts';
import { OriginError } from '../../core/errors.ts';
import { hostOption } from '../../core/hosts.ts';
import { checkLimits, type Limits } from '../../core/limits.ts';
import {
  invalidOption,
  invalidSecret,
  numberOption,
  objectOption,
  type OptionNames,
} from '../../core/options.ts';
import { fetchTransport } from '../../core/transport/fetch.ts';
import type { Fetch } from '../../core/transport/send.ts';
import type { Middleware, Transport } from '../../core/transport/transport.ts';
import { withLimits } from '../../core/transport/withLimits.ts';
import type { TokenSource } from '../../core/transport/withToken.ts';
import type { SignIn } from '../auth/signIn.ts';
import { tokenClient } from '../auth/tokenClient.ts';
import { withUcwaToken } from '../auth/tokenRefused.ts';
import { DiscoveryError, type DiscoveryFailure } from '../protocol/errors.ts';
import {
  findApplications,
  findRoot,
  type Root,
  trustedRedirects,
  type UcwaLocation,
  type DiscoveryContext,
} from './steps.ts';
import { trustedHosts, trustedUrl } from './trustedHosts.ts';

/** Whose UCWA to find, and as whom to sign in. */
export interface DiscoveryOptions {
  /** Of the user's sign-in address, such as `contoso.com`. */
  readonly domain: string;
  /** How to sign in at the servers that are found. Give either this or `token`. */
  readonly signIn?: SignIn;
  /**
   * Gets the token of an origin, such as `https://pool.contoso.com`. The host of discovery and the pool can
   * be two origins, and need two tokens: so it is asked with the origin, and one token alone is not taken.
   */
  readonly token?: TokenSource;
  /**
   * Hosts outside of the domain to which the servers may lead; those below them are allowed too. Tokens and
   * credentials are sent there.
   * @default none
   */
  readonly allowRedirectTo?: readonly string[];
  /**
   * Where to begin, in that order: https, or http on this machine, as for servers of tests.
   * @default `https://lyncdiscoverinternal.DOMAIN/`, then `https://lyncdiscover.DOMAIN/`
   */
  readonly urls?: readonly string[];
  /**
   * How long each response may take to its end, in milliseconds. To that of a token endpoint the `limits` apply, and
   * if the platform signs the user in, its head may take any time.
   * @default 10_000
   */
  readonly timeoutMs?: number;
  /** The limits of what the servers send. @default as documented there */
  readonly limits?: Limits;
  /** The waits between attempts, once a host of discovery has answered. @default as documented there */
  readonly retry?: RetryPolicy;
  /** What sends the requests. @default fetchTransport(fetch) */
  readonly transport?: Transport;
  /** A WHATWG fetch, if there is no `transport`. @default cross-fetch, with kept-alive connections on Node */
  readonly fetch?: Fetch;
}

/** The names of {@link DiscoveryOptions}. */
export const DISCOVERY_NAMES: OptionNames<DiscoveryOptions> = {
  domain: 1,
  signIn: 1,
  token: 1,
  allowRedirectTo: 1,
  urls: 1,
  timeoutMs: 1,
  limits: 1,
  retry: 1,
  transport: 1,
  fetch: 1,
};

/** Finds UCWA, and remembers where it was. */
export interface Discovery {
  /**
   * Emits where UCWA is, and completes. It is looked for once, for all who ask, and found again only after
   * {@link Discovery.forget}; a failure is not remembered.
   */
  readonly location$: Observable<UcwaLocation>;
  /** Signs requests to the origins that were found, with the tokens that finding them needed. */
  readonly signed: Middleware;
  /**
   * Lets the next who asks look again: see {@link mustDiscoverAgain}. Credentials that were refused are tried
   * again then; tokens are kept.
   */
  readonly forget: () => void;
}

/**
 * Returns what finds UCWA for the users of a domain and signs in there: nothing is sent before `location$` is
 * subscribed to. [RootURL, AuthenticationInUCWA, AuthenticationUsingAzureAD]
 *
 * `location$` asks the hosts of the domain one after the other; the first that leads to a `user` link decides.
 * It errors with a {@link DiscoveryError} where none does, which tells what was wrong with each; with a
 * {@link SignInError} where signing in is refused; with an {@link UntrustedLinkError} where a server leads out
 * of the domain; with an HttpError, NetworkError or DecodeError where the server that was found fails; and
 * with what `token` errors with. Unsubscribing ends what is under way.
 *
 * It throws a TypeError that names the option for one that cannot be used.
 *
 * @example
 * ```ts
 * import { discover, password } from 'rxchange/ucwa';
 * import { ucwaDiscovery } from 'rxchange/testing';
 *
 * const server = ucwaDiscovery({ users: { 'sara@contoso.com': 'hush' } });
 * const discovery = discover({
 *   domain: 'contoso.com',
 *   signIn: password({ username: 'sara@contoso.com', password: 'hush' }),
 *   transport: server.transport,
 * });
 * discovery.location$.subscribe(({ applications }) => console.log(applications));
 * // prints: https://lyncweb.contoso.com/ucwa/oauth/v1/applications
 * ```
 */
export function discover(options: DiscoveryOptions): Discovery {
  return discovery(objectOption('options', options, DISCOVERY_NAMES));
}

/** The same with options of known names, or among others. */
export function discovery(options: DiscoveryOptions): Discovery {
  const domain = hostOption('domain', options.domain);
  const starts = startsOf(domain, options.urls);
  const trust = trustedHosts(domain, options.allowRedirectTo ?? [], options.urls ?? []);
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 10_000, { min: 1 });
  const limits = checkLimits(options.limits);
  const timed = inTime(options.transport ?? fetchTransport(options.fetch, limits), timeoutMs, limits);
  const patient = withRetry(options.retry)(timed);
  const { source, learn, forget } = tokensOf(options, patient, (href, base, what) =>
    trustedUrl(trust, href, base, what),
  );
  const signed = withUcwaToken(source);
  const toUser = signed(patient);
  const { redirects } = limits;
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
        // Who has what it needs may leave before the end.
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

/** Hosts answer at once, a token endpoint may take longer, and a user whom the platform asks as long as it takes. */
function inTime(sending: Transport, timeoutMs: number, limits: Required<Limits>): Transport {
  const seconds = timeoutMs / 1000;
  const times = { headersSeconds: seconds, silenceSeconds: seconds, responseSeconds: seconds };
  const host = withLimits({ ...limits, ...times })(sending);
  const endpoint = withLimits(limits)(sending);
  const user = withLimits({ ...limits, headersSeconds: Infinity, responseSeconds: Infinity })(sending);
  return (request) => {
    if (request.credentials !== undefined) return user(request);
    return request.method === 'GET' ? host(request) : endpoint(request);
  };
}

/** Where tokens come from. */
interface Tokens {
  readonly source: TokenSource;
  readonly learn: (url: string) => void;
  readonly forget: () => void;
}

function tokensOf(
  { signIn, token, limits }: DiscoveryOptions,
  transport: Transport,
  trusted: (href: string, base: string, what: string) => string,
): Tokens {
  if (signIn !== undefined && token !== undefined) {
    throw invalidSecret('token', 'left out where there is a signIn');
  }
  if (signIn === undefined) {
    // A string would be sent to every origin; callers without types can pass one.
    if (typeof token !== 'function') {
      throw invalidSecret('token', 'a function of the origin, unless there is a signIn');
    }
    const learned = new Set<string>();
    return {
      source: (origin) => {
        if (learned.has(origin)) return token(origin);
        throw new OriginError([...learned].join(', '), origin, 'a request');
      },
      learn: (url) => learned.add(new URL(url).origin),
      forget: () => undefined,
    };
  }
  if (typeof signIn.form !== 'function') {
    throw invalidSecret('signIn', 'a way to sign in, such as password(…)');
  }
  const issuer = tokenClient(transport, signIn, trusted, limits);
  return { source: issuer.issue, learn: issuer.registerOrigin, forget: issuer.forget };
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
