import { catchError, defer, mergeMap, type Observable, of, tap, throwError } from 'rxjs';
import { DecodeError, HttpError } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { describeUrl } from '../../core/text.ts';
import { challengesOf, offeredSchemes } from '../../core/auth/challenge.ts';
import type { HttpRequest, HttpResponse, Middleware, Transport } from '../../core/transport/transport.ts';
import { type DecodedResponse, requestJson } from '../protocol/request.ts';
import { hrefOf, type Resource, resourceCodec } from '../protocol/resource.ts';
import { hostOption, allowedHosts, type AllowedHosts } from '../../core/hosts.ts';
import { httpUrl, isThisMachine, parseUrl } from '../../core/httpUrl.ts';
import { invalidOption, urlOption } from '../../core/options.ts';
import { UntrustedLinkError } from '../protocol/errors.ts';

/**
 * Returns a Transport that follows the redirects of a GET to trusted hosts.
 *
 * For another host it errors with an UntrustedLinkError, and sends nothing there.
 *
 * @param redirects The most redirects to follow. @default 5
 * @see [MS-UCWA] RootURL
 */
export function trustedRedirects(
  trust: TrustedHosts,
  redirects: number = DEFAULT_LIMITS.redirects,
): Middleware {
  const get = (transport: Transport, request: HttpRequest, left: number): Observable<HttpResponse> =>
    defer(() => transport(request)).pipe(
      mergeMap((response) => {
        const location = response.headers.get('location');
        if (response.status < 300 || response.status > 399 || location === undefined) return of(response);
        if (left === 0) throw new HttpError(response.status, request, { hint: 'too many redirects' });
        const what = `the redirect of ${describeUrl(request.url)}`;
        const url = trustedUrl(trust, location, request.url, what);
        return get(transport, { ...request, url }, left - 1);
      }),
    );
  return (transport) => (request) => get(transport, request, redirects);
}

/** The location of UCWA for a user. */
export interface UcwaLocation {
  /** The URL for creating applications, absolute. */
  readonly applications: string;
  /** The origin of `applications`. */
  readonly origin: string;
  /** The `user` link that led there, absolute; it requires a token. */
  readonly user: string;
  /** The page that lets a browser send requests from other origins, absolute. */
  readonly xframe?: string;
}

/** The transports and limits of one discovery. */
export interface DiscoveryContext {
  readonly trust: TrustedHosts;
  /** Sends requests without a token. */
  readonly open: Transport;
  /** Sends requests with the token of their origin. */
  readonly signed: Transport;
  /** The most redirects to follow from one host. */
  readonly redirects: number;
}

/**
 * The schemes in the 401 of a UCWA server.
 *
 * @see [MS-UCWA] AuthenticationInUCWA
 */
const SIGN_IN_SCHEMES = ['Bearer', 'MsRtcOAuth'];

/** The links in the response of a host. */
export interface Root {
  readonly user: string;
  readonly xframe: string | undefined;
}

/**
 * Returns an Observable that emits the `user` link of a host, and completes.
 *
 * It follows the redirects in the responses.
 *
 * If a response has both a link and a redirect, the link is used. A host that responds with 401 and offers a
 * sign-in of UCWA counts as `user` itself, because a redirect may lead there. Any other 401 is an error, so
 * that an ordinary web site of the domain gets no token.
 *
 * @see [MS-UCWA] RootURL, root, redirect
 */
export function findRoot(
  walk: DiscoveryContext,
  url: string,
  left: number = walk.redirects,
): Observable<Root> {
  const asked = { method: 'GET', url };
  let refusal: HttpResponse | undefined;
  const open: Transport = (request) =>
    walk.open(request).pipe(
      tap((response) => {
        refusal = response.status === 401 ? response : undefined;
      }),
    );
  return requestJson(open, asked, resourceCodec, 'discovery').pipe(
    catchError((error: unknown) => {
      if (refusal === undefined) return throwError(() => error);
      // The host that refused signs users in, not one that redirected to it.
      const { headers, url: user } = refusal;
      const isOffered = SIGN_IN_SCHEMES.some((scheme) => challengesOf(headers, scheme).length > 0);
      const offered = offeredSchemes(headers) || 'no sign-in';
      const hint = `it offers ${offered}, and UCWA signs in with ${SIGN_IN_SCHEMES.join(' or ')}`;
      return isOffered
        ? of<DecodedResponse<Resource>>({
            value: { _links: { user: { href: user } } },
            status: 200,
            url: user,
          })
        : throwError(() => new HttpError(401, asked, { hint }));
    }),
    mergeMap((decoded) => {
      const user = linkIn(walk, decoded, 'user');
      if (user !== undefined) return of({ user, xframe: xframeIn(walk, decoded) });
      return findRoot(walk, redirectIn(walk, decoded, left, 'user'), left - 1);
    }),
  );
}

/**
 * Returns an Observable that emits the location of a user's applications, and completes.
 *
 * It requests `user` with a token. If the user has moved to another server, it continues with the sign-in
 * there.
 *
 * @see [MS-UCWA] user
 */
export function findApplications(
  walk: DiscoveryContext,
  root: Root,
  left: number = walk.redirects,
): Observable<UcwaLocation> {
  const { user } = root;
  return requestJson(walk.signed, { method: 'GET', url: user }, resourceCodec, 'user').pipe(
    mergeMap((decoded) => {
      const applications = linkIn(walk, decoded, 'applications');
      if (applications !== undefined) {
        const xframe = xframeIn(walk, decoded) ?? root.xframe;
        const { origin } = new URL(applications);
        return of({ applications, origin, user, ...(xframe === undefined ? {} : { xframe }) });
      }
      return findRoot(walk, redirectIn(walk, decoded, left, 'applications'), left - 1).pipe(
        mergeMap((next) => findApplications(walk, next, left - 1)),
      );
    }),
  );
}

function linkIn(
  { trust }: DiscoveryContext,
  { value, url }: DecodedResponse<Resource>,
  rel: string,
): string | undefined {
  const href = hrefOf(value, rel);
  return href === undefined
    ? undefined
    : trustedUrl(trust, href, url, `the link ${rel} of ${describeUrl(url)}`);
}

function redirectIn(
  walk: DiscoveryContext,
  decoded: DecodedResponse<Resource>,
  left: number,
  expected: string,
): string {
  const redirect = linkIn(walk, decoded, 'redirect');
  if (redirect !== undefined && left > 0) return redirect;
  throw new DecodeError(`discovery at ${describeUrl(decoded.url)}`, {
    path: '/_links',
    expected: `a link ${expected}`,
    actual: redirect === undefined ? 'none' : 'one redirect after another',
  });
}

/** Returns the `xframe` link; undefined if there is none or it is not trusted, as it is optional. */
function xframeIn(walk: DiscoveryContext, decoded: DecodedResponse<Resource>): string | undefined {
  try {
    return linkIn(walk, decoded, 'xframe');
  } catch {
    return undefined;
  }
}

/** The hosts to which the credentials and tokens of a user may be sent. */
export interface TrustedHosts {
  /** The domain of the user. */
  readonly domain: string;
  /** Returns whether a URL is https and leads to a trusted host. */
  readonly isAllowed: AllowedHosts;
  /** Whether http on this machine is allowed, for test servers. */
  readonly loopback: boolean;
}

/**
 * Returns the hosts that a caller trusts.
 *
 * They are the domain, the hosts that the caller names, and the hosts of the start URLs. Throws a TypeError
 * that names the option for an invalid host, or for a start URL with http on another machine.
 */
export function trustedHosts(
  domain: string,
  allowed: readonly string[],
  starts: readonly string[],
): TrustedHosts {
  if (!Array.isArray(allowed)) throw invalidOption('allowRedirectTo', allowed, 'a list of host names');
  const urls = starts.map((start, index) => {
    const url = urlOption(`urls[${index}]`, start);
    if (url.protocol === 'https:' || isThisMachine(url.hostname)) return url;
    throw invalidOption(`urls[${index}]`, start, 'https, or http on this machine');
  });
  const hosts = allowed.map((host: unknown, index) => hostOption(`allowRedirectTo[${index}]`, host));
  return {
    domain,
    isAllowed: allowedHosts([domain, ...hosts, ...urls.map(({ hostname }) => hostname)]),
    loopback: urls.some(({ protocol }) => protocol === 'http:'),
  };
}

/**
 * Returns the absolute URL of a server's link; throws an {@link UntrustedLinkError} if it is not trusted.
 *
 * A trusted URL is https, contains no credentials, and leads to a trusted host or a subdomain of one.
 *
 * @see [MS-UCWA] RootURL, Security check
 *
 * @param base The URL that the link is relative to.
 * @param what The link, for the error.
 */
export function trustedUrl(trust: TrustedHosts, href: string, base: string, what: string): string {
  const url = httpUrl(href, base);
  if (url !== undefined && (trust.isAllowed(url.href) || isLocal(trust, url))) return url.href;
  throw new UntrustedLinkError(
    what,
    describeUrl(parseUrl(href, base)?.href ?? href),
    whyNot(trust, href, base),
  );
}

/** Returns why a link is not trusted, for the error. */
function whyNot({ domain }: TrustedHosts, href: string, base: string): string {
  const url = parseUrl(href, base);
  if (url === undefined) return 'which is not an address';
  const { protocol, username, password } = url;
  if (username !== '' || password !== '') return 'with credentials in it';
  if (protocol !== 'https:') return 'which is not https';
  if (httpUrl(href, base) === undefined) return 'which is not a host name';
  return `which is not a host of ${domain}; if it is yours, name it in allowRedirectTo`;
}

function isLocal({ loopback }: TrustedHosts, { protocol, hostname }: URL): boolean {
  return loopback && protocol === 'http:' && isThisMachine(hostname);
}
