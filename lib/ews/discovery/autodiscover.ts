import {
  catchError,
  defer,
  identity,
  map,
  mergeMap,
  type Observable,
  of,
  throwError,
  timeout,
  TimeoutError,
} from 'rxjs';
import { DecodeError, HttpError, NetworkError } from '../../core/errors.ts';
import { hostOption, allowedHosts, type AllowedHosts } from '../../core/hosts.ts';
import { checkLimits, type Limits } from '../../core/limits.ts';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import { type Auth, authOption } from '../../core/transport/auth.ts';
import { fetchTransport } from '../../core/transport/fetch.ts';
import type { Fetch } from '../../core/transport/send.ts';
import type { HttpRequest, Transport } from '../../core/transport/transport.ts';
import { AutodiscoverError } from '../protocol/errors.ts';
import { answerOf } from './answer.ts';
import { AUTODISCOVERED, type Autodiscovered, discoveredLocation, type LookupContext } from './location.ts';
import { poxRequest } from './pox.ts';
import {
  type AutodiscoverAnswer,
  type AutodiscoverSearch,
  type AutodiscoverStep,
  beginAutodiscover,
  decideAutodiscover,
  formatAddress,
  type MailAddress,
  mailAddress,
} from './search.ts';
import { reasonToWithhold } from './withhold.ts';

/** The options of {@link autodiscovered}. */
export interface AutodiscoveredOptions {
  /**
   * Domains, besides that of the address, whose hosts may be asked, signed in to, and found.
   *
   * @default none
   */
  readonly allowRedirectTo?: readonly string[];
  /** How long each server may take for its whole response, in seconds from 0.1 to 3600. @default 10 */
  readonly timeoutSeconds?: number;
}

/** The options of {@link autodiscover}. */
export interface AutodiscoverOptions extends AutodiscoveredOptions {
  /** How to sign in: `bearer(token)` or `basic({ username, password })`. @default nothing is signed */
  readonly auth?: Auth;
  /**
   * Of the limits, `drainBytes`, `drainSeconds` and `redirects` apply: the responses have a fixed bound of 262,144
   * bytes. @default 10 redirects, which are documented
   */
  readonly limits?: Limits;
  /** What sends the requests. @default fetchTransport(fetch) */
  readonly transport?: Transport;
  /** A WHATWG fetch, if there is no `transport`. @default cross-fetch, with kept-alive connections on Node */
  readonly fetch?: Fetch;
}

const VALUE_NAMES: OptionNames<AutodiscoveredOptions> = { allowRedirectTo: 1, timeoutSeconds: 1 };
const NAMES: OptionNames<AutodiscoverOptions> = {
  ...VALUE_NAMES,
  auth: 1,
  limits: 1,
  transport: 1,
  fetch: 1,
};

/**
 * Returns an Observable that looks up, for each subscriber, where the Exchange Web Services of an address
 * are, emits their URL, and completes.
 *
 * It asks autodiscover.DOMAIN and DOMAIN, first their JSON endpoints, then with XML, one after another.
 * Hosts are asked, redirects are followed, and a URL is believed only by https and within the domain of
 * the address or what `allowRedirectTo` allows. A request is signed only after a 401 whose `WWW-Authenticate`
 * offers the scheme of the credentials, `Basic` or `Bearer`, so that a web site at DOMAIN does not get a password.
 * A browser hides this header from pages of other origins: there, nothing is signed, and the error says so. The
 * search by plain HTTP and by DNS records that the documentation also names is left out: its answers can be forged.
 *
 * It errors with an {@link AutodiscoverError} that tells what each server came to. It throws a TypeError
 * that names the option for one that cannot be used. Page: "Autodiscover for Exchange".
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { headersFrom, type Transport } from 'rxchange';
 * import { autodiscover } from 'rxchange/ews';
 *
 * const answer = { Protocol: 'EWS', Url: 'https://mail.contoso.com/EWS/Exchange.asmx' };
 * const transport: Transport = ({ url }) =>
 *   of({
 *     status: new URL(url).hostname === 'contoso.com' ? 200 : 404,
 *     url,
 *     headers: headersFrom({ 'content-type': 'application/json' }),
 *     body$: of(new TextEncoder().encode(JSON.stringify(answer))),
 *   });
 *
 * autodiscover('sara@contoso.com', { transport }).subscribe((url) => console.log(url));
 * // prints: https://mail.contoso.com/EWS/Exchange.asmx
 * ```
 */
export function autodiscover(address: string, options: AutodiscoverOptions = {}): Observable<string> {
  const { auth, fetch, limits } = objectOption('options', options, NAMES);
  const checked = checkLimits(limits);
  const transport = options.transport ?? fetchTransport(fetch, checked);
  const sign = authOption(auth)?.sign({ allowInsecureHttp: false }) ?? identity;
  return lookUp(checkLookup(address, options), { auth, sign, transport, redirects: limits?.redirects });
}

/**
 * Returns the value that makes a connection find its server by Autodiscover: the option `server` of
 * `connectExchange`.
 *
 * The URL is looked up when it is first needed, and again when the server is no longer there. See
 * {@link autodiscover} for which hosts are asked and believed.
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
  const lookup = checkLookup(address, objectOption('options', options, VALUE_NAMES));
  return AUTODISCOVERED.create(
    { address },
    { locate: (context) => discoveredLocation(lookUp(lookup, context), context) },
  );
}

/** The address and the rules of a lookup, checked. */
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

  const ask = (step: AutodiscoverStep): Observable<AutodiscoverAnswer> =>
    defer(() => transport(requestOf(step))).pipe(
      mergeMap((response) => {
        if (response.status !== 401) return answerOf(step, response);
        const reason = reasonToWithhold(auth, response.headers);
        if (reason !== undefined) return of<AutodiscoverAnswer>({ type: 'failed', reason });
        return signed(requestOf(step)).pipe(mergeMap((answer) => answerOf(step, answer)));
      }),
      timeout(timeoutMs),
      catchError((cause: unknown) =>
        of<AutodiscoverAnswer>({ type: 'failed', reason: reasonOf(cause), cause }),
      ),
    );

  const follow = (search: AutodiscoverSearch): Observable<string> =>
    ask(search.steps[0]).pipe(
      map((answer) => decideAutodiscover(search, answer, isAllowed)),
      mergeMap((decision) => {
        switch (decision.type) {
          case 'found':
            return of(decision.url);
          case 'ask':
            return follow(decision.course);
          case 'fail':
            return throwError(() => new AutodiscoverError(address.domain, decision.tried));
        }
      }),
    );

  return follow(beginAutodiscover(address, redirects));
}

function requestOf({ kind, url, address }: AutodiscoverStep): HttpRequest {
  if (kind === 'json') return { method: 'GET', url, headers: { accept: 'application/json' } };
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml' },
    body: poxRequest(formatAddress(address)),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof TimeoutError) return 'did not answer in time';
  if (error instanceof HttpError && error.status === 401)
    return 'refused the user name and the password before: they were not sent again';
  if (error instanceof DecodeError) return 'answers with what is no Autodiscover response';
  if (!(error instanceof NetworkError)) return 'could not be asked';
  return `did not answer${error.code === undefined ? '' : ` (${error.code})`}`;
}
