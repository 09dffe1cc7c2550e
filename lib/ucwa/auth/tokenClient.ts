import { catchError, defer, map, mergeMap, type Observable, of, tap, throwError } from 'rxjs';
import { offeredSchemes } from '../../core/transport/challenge.ts';
import { OriginError } from '../../core/errors.ts';
import { withRetry } from '../../core/backoff/withRetry.ts';
import { httpUrl, parseUrl } from '../../core/httpUrl.ts';
import type { Limits } from '../../core/limits.ts';
import { describeUrl } from '../../core/text.ts';
import { withLimits } from '../../core/transport/withLimits.ts';
import type { HttpRequest, Transport } from '../../core/transport/transport.ts';
import type { IssuedToken } from '../../core/transport/withToken.ts';
import { type OAuthChallenge, oauthChallenge } from './oauthChallenge.ts';
import type { SignerContext, Signer, SignIn } from './signer.ts';
import { notSignedIn, SignInError, UntrustedLinkError } from '../protocol/errors.ts';
import { withUcwaToken } from './tokenRefused.ts';
import { requestToken } from './tokenEndpoint.ts';

/** Signs in at the servers that it was told of. */
export interface TokenClient {
  /** Gets a token for an origin, and emits it. */
  readonly issue: (origin: string) => Observable<IssuedToken>;
  /** Takes up a URL that may be asked, without a token, for the way to sign in at its origin. */
  readonly registerOrigin: (url: string) => void;
  /** Forgets which credentials were refused, and where tokens are issued. */
  readonly forget: () => void;
}

/** A token endpoint. */
interface Endpoint {
  readonly url: string;
  readonly grantTypes: readonly string[];
}

/** What is known of the sign-in at one origin. */
interface Site {
  url: string;
  endpoint: Endpoint | undefined;
  token: string | undefined;
  refusal: SignInError | undefined;
}

/**
 * Creates what signs in: it asks a server without a token, follows the challenge to the token endpoint, and
 * sends the credentials there. [AuthenticationInUCWA]
 *
 * An origin that it was not told of gets nothing. Credentials that were refused (`invalid_grant`) are not
 * sent again until `forget`: a wrong password that is tried again and again locks the account. A token that
 * is renewed is told to the endpoint with the sign-ins that want it; where that fails, a new one is asked
 * for.
 *
 * @param trusted Makes the endpoint's href absolute, or throws where no credentials may be sent to.
 * @param limits Of these, `redirects` applies. @default at most 5 redirects
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
          // Where tokens are issued may have changed.
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

/** Returns the sign-in of a connection that asks the servers' token endpoints for its tokens. */
export function tokenSigner(signIn: SignIn, context: SignerContext): Signer {
  const { transport, retry, limits, timeoutSeconds = 10, trusted = ownOrigin } = context;
  const patient = withRetry(retry)(withTokenLimits(transport, limits, timeoutSeconds));
  const { issue, registerOrigin, forget } = tokenClient(patient, signIn, trusted, limits);
  return { sign: withUcwaToken(issue, context.allowInsecureHttp), registerOrigin, forget };
}

/**
 * A server answers at once, its token endpoint may take longer, and a user whom the platform asks any time.
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

/** Without discovery there is no domain that says which other hosts are the user's. */
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

/** Asks without a token, to be told where tokens are issued. */
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
