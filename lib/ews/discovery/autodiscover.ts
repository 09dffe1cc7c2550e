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
import { DecodeError, HttpError, NetworkError } from '../../core/errors.ts';
import { hostOption, allowedHosts } from '../../core/hosts.ts';
import { checkLimits, type Limits } from '../../core/limits.ts';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import { fetchTransport } from '../../core/transport/fetch.ts';
import type { Fetch } from '../../core/transport/send.ts';
import type { HttpRequest, Transport } from '../../core/transport/transport.ts';
import { reasonToWithhold, SIGN_IN_NAMES, signing, type SignInOptions } from '../auth/signIn.ts';
import { AutodiscoverError } from '../protocol/errors.ts';
import { answerOf } from './answer.ts';
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

/** Whose web services to look for, and how to ask. */
export interface AutodiscoverOptions extends SignInOptions {
  /** The SMTP address of a mailbox, such as `sara@contoso.com`. */
  readonly address: string;
  /**
   * Domains, besides that of the address, whose hosts may be asked, signed in to, and found.
   *
   * @default none
   */
  readonly allowRedirectTo?: readonly string[];
  /** How long each server may take to answer, in seconds: the whole response. @default 10 */
  readonly timeoutSeconds?: number;
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

const NAMES: OptionNames<AutodiscoverOptions> = {
  ...SIGN_IN_NAMES,
  address: 1,
  allowRedirectTo: 1,
  timeoutSeconds: 1,
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
 * import { autodiscoverEws } from 'rxchange/ews';
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
 * autodiscoverEws({ address: 'sara@contoso.com', transport }).subscribe((url) => console.log(url));
 * // prints: https://mail.contoso.com/EWS/Exchange.asmx
 * ```
 */
export function autodiscoverEws(options: AutodiscoverOptions): Observable<string> {
  return autodiscovered(objectOption('options', options, NAMES));
}

/** The same with options of known names, or among others. */
export function autodiscovered(options: AutodiscoverOptions): Observable<string> {
  const { allowRedirectTo = [], timeoutSeconds = 10 } = options;
  const address = addressOption(options.address);
  numberOption('timeoutSeconds', timeoutSeconds, { min: 0.1, max: 3600 });
  if (!Array.isArray(allowRedirectTo)) {
    throw invalidOption('allowRedirectTo', allowRedirectTo, 'an array of host names');
  }
  const allowed = allowRedirectTo.map((host, index) => hostOption(`allowRedirectTo[${index}]`, host));
  const isAllowed = allowedHosts([address.domain, ...allowed]);
  const limits = checkLimits(options.limits);
  const plain = options.transport ?? fetchTransport(options.fetch, limits);
  const signed = signing(options)(plain);

  const ask = (step: AutodiscoverStep): Observable<AutodiscoverAnswer> =>
    defer(() => plain(requestOf(step))).pipe(
      mergeMap((response) => {
        if (response.status !== 401) return answerOf(step, response);
        const reason = reasonToWithhold(options, response.headers);
        if (reason !== undefined) return of<AutodiscoverAnswer>({ type: 'failed', reason });
        return signed(requestOf(step)).pipe(mergeMap((answer) => answerOf(step, answer)));
      }),
      timeout(timeoutSeconds * 1000),
      catchError((cause: unknown) =>
        of<AutodiscoverAnswer>({ type: 'failed', reason: reasonOf(cause), cause }),
      ),
    );

  const follow = (course: AutodiscoverSearch): Observable<string> =>
    ask(course.steps[0]).pipe(
      map((answer) => decideAutodiscover(course, answer, isAllowed)),
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

  return follow(beginAutodiscover(address, options.limits?.redirects));
}

function addressOption(value: unknown): MailAddress {
  const address = typeof value === 'string' ? mailAddress(value) : undefined;
  if (address === undefined) {
    throw invalidOption('address', value, 'an SMTP address, such as sara@contoso.com');
  }
  return address;
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
