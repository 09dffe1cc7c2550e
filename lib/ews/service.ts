import type { Observable } from 'rxjs';
import { fetchTransport } from '../core/fetchTransport.ts';
import type { Fetch } from '../core/keptAliveFetch.ts';
import { choiceOption, invalidOption, numberOption, objectOption, urlOption } from '../core/options.ts';
import { pinnedTo } from '../core/pinnedTo.ts';
import { type DrainReport, releaseLedger, type ReleaseLedger, type Releases } from '../core/releases.ts';
import { reportProgress } from '../core/reportProgress.ts';
import type { HttpRequest, Transport } from '../core/transport.ts';
import { withConcurrency } from '../core/withConcurrency.ts';
import { type RetryPolicy, withRetry } from '../core/withRetry.ts';
import { type Claims, idClaims } from './claims.ts';
import type { EnvelopeHead, Impersonation } from './envelope.ts';
import { anchorOf, checkImpersonation } from './impersonation.ts';
import { signing, type SignInOptions } from './signIn.ts';
import { soapCall, soapStream } from './soap.ts';
import {
  type CheckedStreamingLimits,
  checkStreamingLimits,
  type StreamingLimits,
} from './streamingLimits.ts';
import type { StreamedMessage } from './streamingParser.ts';
import type { ResponseMessage } from './wire.ts';

/** The schema versions that a server can be asked to answer by. */
export type ExchangeVersion =
  | 'Exchange2007'
  | 'Exchange2007_SP1'
  | 'Exchange2010'
  | 'Exchange2010_SP1'
  | 'Exchange2010_SP2'
  | 'Exchange2013'
  | 'Exchange2013_SP1'
  | 'Exchange2016';

const VERSIONS: readonly ExchangeVersion[] = [
  'Exchange2007',
  'Exchange2007_SP1',
  'Exchange2010',
  'Exchange2010_SP1',
  'Exchange2010_SP2',
  'Exchange2013',
  'Exchange2013_SP1',
  'Exchange2016',
];

/** Which server, and as whom. */
export interface ExchangeOptions extends SignInOptions {
  /** Absolute, such as `https://mail.contoso.com/EWS/Exchange.asmx`. */
  readonly url: string;
  /** @default 'Exchange2013_SP1' */
  readonly version?: ExchangeVersion;
  /** Whom to act as: exactly one way to name the user. @default the account itself */
  readonly impersonate?: Impersonation;
  /** What sends the requests. @default fetchTransport(fetch) */
  readonly transport?: Transport;
  /** A WHATWG fetch, if there is no `transport`. @default cross-fetch, with kept-alive connections on Node */
  readonly fetch?: Fetch;
  /** The waits between attempts. @default as documented there */
  readonly retry?: RetryPolicy;
  /**
   * How many requests may be under way at a time, from 1 to 1000; Unsubscribe goes first, and streams do not
   * count.
   * @default 10
   */
  readonly maxConcurrentRequests?: number;
  /** How events are streamed. @default as documented there */
  readonly streaming?: StreamingLimits;
}

/** A connection to an Exchange server, to subscribe on. */
export interface ExchangeService extends AsyncDisposable {
  /** What was removed from the server, is being removed, and could not be removed. */
  readonly releases: Releases;
  /** Resolves when nothing that was unsubscribed from is left to remove. Never rejects. */
  drain(): Promise<DrainReport>;
  /** Completes every stream of this connection, which unsubscribes on the server, then drains. Never rejects. */
  close(): Promise<DrainReport>;
}

/** One operation, for {@link ServiceInternals.send}. */
export interface Operation {
  /** Such as `Subscribe`. */
  readonly name: string;
  /** Writes the request. */
  readonly envelope: (head: EnvelopeHead) => string;
  readonly onProgress?: HttpRequest['onProgress'];
  readonly keepalive?: boolean;
  /** How long to wait for the whole answer, in milliseconds; then there is none. @default without end */
  readonly answerWithinMs?: number;
}

/** An operation whose answer goes on and on, for {@link ServiceInternals.stream}. */
export interface StreamOperation extends Pick<Operation, 'name' | 'envelope'> {
  readonly onProgress: NonNullable<HttpRequest['onProgress']>;
  /** Called with each piece of the answer. */
  readonly onBytes: () => void;
}

/** How long to wait for an answer to what can be asked again: longer than servers let a request run. */
export const ANSWER_WITHIN_MS = 120_000;

/** What a service is to the rest of this protocol. */
export interface ServiceInternals {
  readonly ledger: ReleaseLedger;
  readonly claims: Claims;
  readonly head: EnvelopeHead;
  readonly url: string;
  readonly retry: RetryPolicy;
  readonly send: (operation: Operation) => Observable<ResponseMessage>;
  readonly stream: (operation: StreamOperation) => Observable<StreamedMessage>;
  readonly streaming: CheckedStreamingLimits;
}

/** Fewer than the 27 that servers allow an account, which it may use for more than this. */
const MOST_REQUESTS = 10;

const INTERNALS = new WeakMap<ExchangeService, ServiceInternals>();

/**
 * Describes a connection to an Exchange server, or to one that speaks its web services. Nothing is sent
 * before a subscription.
 *
 * It throws a TypeError that names the option for one that cannot be used.
 *
 * @example
 * ```ts
 * import { take } from 'rxjs';
 * import { exchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const { transport, url } = ewsSimulator({ token: 'secret' });
 * const service = exchange({ url, transport, token: 'secret' });
 * service.releases.outcomes$.subscribe(({ outcome }) => console.log(outcome));
 * pullNotifications(service, { folders: ['inbox'], events: ['newMail'] })
 *   .pipe(take(1))
 *   .subscribe(({ type }) => console.log(type));
 * // prints: status
 * // prints: Released
 * console.log((await service.drain()).clean);
 * // prints: true
 * ```
 */
export function exchange(options: ExchangeOptions): ExchangeService {
  objectOption('options', options);
  const { version = 'Exchange2013_SP1', impersonate, retry = {} } = options;
  const url = urlOption('url', options.url);
  const head: EnvelopeHead = {
    version: choiceOption('version', version, VERSIONS),
    ...(impersonate === undefined ? {} : { impersonate: checkImpersonation(impersonate) }),
  };
  const { maxConcurrentRequests = MOST_REQUESTS } = options;
  numberOption('maxConcurrentRequests', maxConcurrentRequests, { min: 1, max: 1000, integer: true });
  const network = reportProgress(options.transport ?? fetchTransport(options.fetch));
  const sign = signing(options);
  const over = (wire: Transport): Transport => sign(withRetry(retry)(pinnedTo(url.origin)(wire)));
  const calls = over(withConcurrency(maxConcurrentRequests)(network));
  const streams = over(network);
  const streaming = checkStreamingLimits(options.streaming);
  const ledger = releaseLedger();
  const headers = anchorOf(impersonate);

  const service: ExchangeService = {
    releases: ledger,
    drain: () => ledger.drain(),
    close: () => ledger.close(),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
  INTERNALS.set(service, {
    ledger,
    claims: idClaims(),
    head,
    url: url.href,
    retry,
    send: ({ name, envelope, ...rest }) =>
      soapCall(calls, { operation: name, url: url.href, envelope: envelope(head), headers, ...rest }),
    stream: ({ name, envelope, ...rest }) =>
      soapStream(streams, { operation: name, url: url.href, envelope: envelope(head), headers, ...rest }),
    streaming,
  });
  return service;
}

/** What is inside a service; it throws a TypeError for what {@link exchange} did not make. */
export function internalsOf(service: ExchangeService): ServiceInternals {
  const internals = INTERNALS.get(service);
  if (internals === undefined) throw invalidOption('service', service, 'what exchange() returned');
  return internals;
}
