import {
  catchError,
  defer,
  map,
  mergeMap,
  type Observable,
  of,
  throwError,
  timeout,
  TimeoutError,
} from 'rxjs';
import type { Auth } from '../../core/auth/auth.ts';
import { DecodeError, HttpError, NetworkError } from '../../core/errors.ts';
import { hostOption, allowedHosts, type AllowedHosts } from '../../core/hosts.ts';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { AutodiscoverError } from '../protocol/errors.ts';
import { stepResult, reasonToWithhold } from './stepResult.ts';
import { AUTODISCOVERED, type Autodiscovered, discoveredLocation, type LookupContext } from './location.ts';
import { poxRequest } from './pox.ts';
import {
  type AutodiscoverResult,
  type AutodiscoverSearch,
  type AutodiscoverStep,
  beginAutodiscover,
  decideAutodiscover,
  formatAddress,
  type MailAddress,
  mailAddress,
} from './search.ts';

/** Options of {@link autodiscovered}. @inline */
export interface AutodiscoveredOptions {
  /**
   * Domains, besides that of the address, to which requests and credentials may be sent.
   *
   * @default none
   */
  readonly allowRedirectTo?: readonly string[];
  /** How long each host may take for its whole response, in seconds from 0.1 to 3600. @default 10 */
  readonly timeoutSeconds?: number;
}

const NAMES: OptionNames<AutodiscoveredOptions> = { allowRedirectTo: 1, timeoutSeconds: 1 };

/**
 * Returns the option `server` for a connection that finds its server by Autodiscover.
 *
 * The URL is looked up before the first request, and again when the server can no longer be reached there. If
 * no host names it, the streams of the connection error with an {@link AutodiscoverError}.
 *
 * The lookup sends requests to autodiscover.DOMAIN and DOMAIN, first to their JSON endpoints, then to those
 * for XML, one after another. It sends requests to a host, follows a redirect and accepts a URL only by
 * https, and only within the domain of the address and those of `allowRedirectTo`. It signs a request only
 * after a 401 whose `WWW-Authenticate` header offers the scheme of `auth`, so that a web site at DOMAIN does
 * not receive a password. A browser hides this header from pages of other origins: the lookup then signs
 * nothing, and the error says so. The documented lookups by plain HTTP and by DNS records are left out,
 * because their responses can be forged.
 *
 * Of the `limits` of the connection, `redirects` applies, with 10 as the default. A response may have 262,144
 * bytes.
 *
 * @see [EWS] Autodiscover for Exchange
 *
 * @param address The SMTP address of a mailbox, such as `sara@contoso.com`.
 * @throws TypeError that names the argument or the option that cannot be used.
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { autodiscovered, connectExchange } from 'rxchange/ews';
 *
 * const server = autodiscovered('sara@contoso.com', { allowRedirectTo: ['outlook.office365.com'] });
 * const exchange = connectExchange({ server, auth: bearer('secret') });
 * console.log(server.address);
 * // prints: sara@contoso.com
 * await exchange.close();
 * ```
 */
export function autodiscovered(address: string, options: AutodiscoveredOptions = {}): Autodiscovered {
  const lookup = checkLookup(address, objectOption('options', options, NAMES));
  return AUTODISCOVERED.create(
    { address },
    { locate: (context) => discoveredLocation(lookUp(lookup, context), context) },
  );
}

/** A checked address, and the rules of its lookup. */
interface Lookup {
  readonly address: MailAddress;
  readonly isAllowed: AllowedHosts;
  readonly timeoutMs: number;
}

function checkLookup(
  text: unknown,
  { allowRedirectTo = [], timeoutSeconds = 10 }: AutodiscoveredOptions,
): Lookup {
  const address = typeof text === 'string' ? mailAddress(text) : undefined;
  if (address === undefined)
    throw invalidOption('address', text, 'an SMTP address, such as sara@contoso.com');
  numberOption('timeoutSeconds', timeoutSeconds, { min: 0.1, max: 3600 });
  if (!Array.isArray(allowRedirectTo)) {
    throw invalidOption('allowRedirectTo', allowRedirectTo, 'an array of host names');
  }
  const allowed = allowRedirectTo.map((host, index) => hostOption(`allowRedirectTo[${index}]`, host));
  return { address, isAllowed: allowedHosts([address.domain, ...allowed]), timeoutMs: timeoutSeconds * 1000 };
}

function lookUp(
  { address, isAllowed, timeoutMs }: Lookup,
  { auth, sign, transport, redirects }: LookupContext,
): Observable<string> {
  const signed = sign(transport);

  const send = (step: AutodiscoverStep): Observable<AutodiscoverResult> =>
    defer(() => transport(requestOf(step))).pipe(
      mergeMap((response) => {
        if (response.status !== 401) return stepResult(step, response);
        const reason = reasonToWithhold(auth, response.headers);
        if (reason !== undefined) return of<AutodiscoverResult>({ type: 'failed', reason });
        return signed(requestOf(step)).pipe(mergeMap((retried) => stepResult(step, retried)));
      }),
      timeout(timeoutMs),
      catchError((cause: unknown) =>
        of<AutodiscoverResult>({ type: 'failed', reason: reasonOf(cause, auth), cause }),
      ),
    );

  const follow = (search: AutodiscoverSearch): Observable<string> =>
    send(search.steps[0]).pipe(
      map((result) => decideAutodiscover(search, result, isAllowed)),
      mergeMap((decision) => {
        switch (decision.type) {
          case 'found':
            return of(decision.url);
          case 'continue':
            return follow(decision.search);
          case 'fail':
            return throwError(() => new AutodiscoverError(address.domain, decision.tried));
        }
      }),
    );

  return follow(beginAutodiscover(address, redirects));
}

function requestOf({ format, url, address }: AutodiscoverStep): HttpRequest {
  if (format === 'json') return { method: 'GET', url, headers: { accept: 'application/json' } };
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml' },
    body: poxRequest(formatAddress(address)),
  };
}

function reasonOf(error: unknown, auth: Auth | undefined): string {
  if (error instanceof TimeoutError) return 'did not answer in time';
  if (error instanceof HttpError && error.status === 401)
    return auth?.scheme === 'Bearer'
      ? 'refuses the token: the cause names where tokens are issued'
      : 'refused the user name and the password before: they were not sent again';
  if (error instanceof DecodeError) return 'answers with what is no Autodiscover response';
  if (!(error instanceof NetworkError)) return 'could not be asked';
  return `did not answer${error.code === undefined ? '' : ` (${error.code})`}`;
}
