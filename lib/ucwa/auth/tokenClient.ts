import { catchError, defer, map, mergeMap, type Observable, of, tap, throwError } from 'rxjs';
import { offeredSchemes, challengesOf } from '../../core/auth/challenge.ts';
import { OriginError } from '../../core/errors.ts';
import { withRetry } from '../../core/backoff/withRetry.ts';
import { httpUrl, parseUrl } from '../../core/httpUrl.ts';
import type { Limits } from '../../core/limits.ts';
import { describeUrl } from '../../core/text.ts';
import { withLimits } from '../../core/transport/withLimits.ts';
import type { HttpRequest, Transport, HttpHeaders } from '../../core/transport/transport.ts';
import type { IssuedToken } from '../../core/auth/withToken.ts';
import { type SignerContext, type Signer, type SignIn, withUcwaToken } from './signer.ts';
import { notSignedIn, SignInError, UntrustedLinkError } from '../protocol/errors.ts';
import { requestToken } from './tokenEndpoint.ts';

/** Requests tokens for registered origins. */
export interface TokenClient {
  /** Returns an Observable that requests a token for an origin, and emits it. */
  readonly issue: (origin: string) => Observable<IssuedToken>;
  /** Registers the URL of an origin. It is requested without a token to find the token endpoint. */
  readonly registerOrigin: (url: string) => void;
  /** Forgets refused credentials, and token endpoints. */
  readonly forget: () => void;
}

/** A token endpoint. */
interface Endpoint {
  readonly url: string;
  readonly grantTypes: readonly string[];
}

/** The state of the sign-in at one origin. */
interface Site {
  url: string;
  endpoint: Endpoint | undefined;
  token: string | undefined;
  refusal: SignInError | undefined;
}

/**
 * Creates a client that finds token endpoints and requests tokens.
 *
 * It requests a registered URL without a token, follows the challenge to the token endpoint, and sends the
 * credentials there.
 *
 * Nothing is sent to an origin that is not registered. Refused credentials (`invalid_grant`) are not sent
 * again until `forget`, because repeating a wrong password locks the account. If the sign-in `renews`, the
 * request contains the previous token; if that is refused, a new token is requested without it.
 *
 * @param trusted Returns the absolute URL of the endpoint, or throws if no credentials may be sent there.
 * @param limits Only `redirects` applies. @default at most 5 redirects
 * @see [MS-UCWA] AuthenticationInUCWA
 */
export function tokenClient(
  transport: Transport,
  signIn: SignIn,
  trusted: (href: string, base: string, what: string) => string,
  limits?: Limits,
): TokenClient {
  const sites = new Map<string, Site>();

  const endpointFor = (site: Site): Observable<Endpoint> =>
    site.endpoint === undefined
      ? challenged(transport, site.url).pipe(
          map(({ offer, url }) => ({
            url: trusted(offer.href, url, `the token endpoint of ${new URL(url).origin}`),
            grantTypes: offer.grantTypes,
          })),
          tap((endpoint) => (site.endpoint = endpoint)),
        )
      : of(site.endpoint);

  const tokenFrom = ({ url, grantTypes }: Endpoint, renewed: string | undefined): Observable<IssuedToken> =>
    requestToken(transport, { url, grantTypes, signIn, renewed, limits });

  const issueAt = (site: Site): Observable<IssuedToken> => {
    if (site.refusal !== undefined) {
      const { refusal } = site;
      return throwError(() => refusal);
    }
    const renewed = signIn.renews === true ? site.token : undefined;
    return endpointFor(site).pipe(
      mergeMap((endpoint) =>
        tokenFrom(endpoint, renewed).pipe(
          catchError((error: unknown) =>
            renewed !== undefined && error instanceof SignInError
              ? tokenFrom(endpoint, undefined)
              : throwError(() => error),
          ),
        ),
      ),
      tap({
        next: ({ token }) => (site.token = token),
        error: (error: unknown) => {
          // The token endpoint may have moved.
          site.endpoint = undefined;
          if (error instanceof SignInError && error.code === 'invalid_grant') site.refusal = error;
        },
      }),
    );
  };

  return {
    issue: (origin) =>
      defer(() => {
        const site = sites.get(origin);
        if (site !== undefined) return issueAt(site);
        return throwError(() => new OriginError([...sites.keys()].join(', '), origin, 'a request'));
      }),
    registerOrigin: (url) => {
      const { origin } = new URL(url);
      const known = sites.get(origin);
      if (known !== undefined) known.url = url;
      else sites.set(origin, { url, endpoint: undefined, token: undefined, refusal: undefined });
    },
    forget: () => {
      for (const site of sites.values()) {
        site.endpoint = undefined;
        site.refusal = undefined;
      }
    },
  };
}

/** Returns the sign-in of a connection that requests its tokens at token endpoints. */
export function tokenSigner(signIn: SignIn, context: SignerContext): Signer {
  const { transport, retry, limits, timeoutSeconds = 10, trusted = ownOrigin } = context;
  const patient = withRetry(retry)(withTokenLimits(transport, limits, timeoutSeconds));
  const { issue, registerOrigin, forget } = tokenClient(patient, signIn, trusted, limits);
  return { sign: withUcwaToken(issue, context.allowInsecureHttp), registerOrigin, forget };
}

/**
 * Returns a Transport with separate time limits for servers, token endpoints and users.
 *
 * A server responds at once, a token endpoint may take longer, and a request that may prompt the user has no
 * limit.
 */
function withTokenLimits(transport: Transport, limits: Required<Limits>, seconds: number): Transport {
  const short = { headersSeconds: seconds, silenceSeconds: seconds, responseSeconds: seconds };
  const server = withLimits({ ...limits, ...short })(transport);
  const endpoint = withLimits(limits)(transport);
  const user = withLimits({ ...limits, headersSeconds: Infinity, responseSeconds: Infinity })(transport);
  return (request) => {
    if (request.credentials !== undefined) return user(request);
    return request.method === 'GET' ? server(request) : endpoint(request);
  };
}

/**
 * Returns the URL of a token endpoint at the server's own origin; throws for any other.
 *
 * Without discovery, no domain says which other hosts belong to the user.
 */
function ownOrigin(href: string, base: string, what: string): string {
  const url = httpUrl(href, base);
  const { origin } = new URL(base);
  if (url?.origin === origin) return url.href;
  const refused = describeUrl(parseUrl(href, base)?.href ?? href);
  throw new UntrustedLinkError(what, refused, `which is not at ${origin}; use discovered(domain) instead`);
}

interface Challenged {
  readonly offer: OAuthChallenge;
  readonly url: string;
}

/** Sends a request without a token: the 401 names the token endpoint. */
function challenged(transport: Transport, url: string): Observable<Challenged> {
  const request: HttpRequest = { method: 'GET', url, headers: { accept: 'application/json' } };
  return transport(request).pipe(
    map((response) => {
      if (response.status !== 401) {
        throw notSignedIn(response.status, request, { hint: 'it was to say where to sign in, by a 401' });
      }
      const offer = oauthChallenge(response.headers);
      if (offer !== undefined) return { offer, url: response.url };
      throw new SignInError(url, response.status, {
        hint:
          `it offers ${offeredSchemes(response.headers) || 'nothing'}, and MsRtcOAuth is needed; ` +
          'give a token provider instead of a way to sign in',
      });
    }),
  );
}

/**
 * The sign-in that a UCWA server offers.
 *
 * @see [MS-UCWA] AuthenticationInUCWA
 */
export interface OAuthChallenge {
  /** The href of the token endpoint: absolute, or relative to the URL of the response. */
  readonly href: string;
  /** The accepted grant types, such as `password`; empty if the server does not say. */
  readonly grantTypes: readonly string[];
}

/** Returns the sign-in that a response offers in its headers; undefined if there is none. */
export function oauthChallenge(headers: HttpHeaders): OAuthChallenge | undefined {
  for (const { parameters } of challengesOf(headers, 'MsRtcOAuth')) {
    const href = parameters.get('href');
    if (href === undefined || href === '') continue;
    const grantTypes = (parameters.get('grant_type') ?? '').split(',').map((type) => type.trim());
    return { href, grantTypes: grantTypes.filter((type) => type !== '') };
  }
  return undefined;
}
