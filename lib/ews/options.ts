import { isObservable, type Observable } from 'rxjs';
import { platformOnline } from '../core/backoff/online.ts';
import { checkRetryPolicy, type RetryPolicy } from '../core/backoff/withRetry.ts';
import { checkLimits, type Limits } from '../core/limits.ts';
import {
  choiceOption,
  credentialUrlOption,
  invalidOption,
  invalidSecret,
  numberOption,
  objectOption,
  type OptionNames,
} from '../core/options.ts';
import type { Fetch } from '../core/transport/send.ts';
import type { Transport } from '../core/transport/transport.ts';
import { SIGN_IN_NAMES, type SignInOptions } from './auth/signIn.ts';
import { isAnchor } from './discovery/affinity.ts';
import { CONNECTING_SID_ELEMENTS, escapeXml, type Impersonation } from './protocol/envelope.ts';
import { type ExchangeVersion, VERSIONS } from './protocol/version.ts';
import { checkMaxConnections, type StreamingLimits } from './session/streamingLimits.ts';

/** Returns the impersonation if it names one user in one way, and throws a TypeError if not. */
export function checkImpersonation(impersonate: Impersonation): Impersonation {
  const given = Object.entries<unknown>(
    objectOption('impersonate', impersonate, CONNECTING_SID_ELEMENTS),
  ).filter(([, value]) => value !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1) {
    const known = Object.keys(CONNECTING_SID_ELEMENTS).join(', ');
    throw invalidOption('impersonate', impersonate, `an object with exactly one of ${known}`);
  }
  const [name, value] = first;
  if (typeof value !== 'string' || value === '') throw invalidOption(`impersonate.${name}`, value, 'a text');
  escapeXml(`impersonate.${name}`, value);
  return impersonate;
}

/** The address by which an impersonated user is named; undefined where it is another name. */
export function addressOf(impersonate: Impersonation): string | undefined {
  const [address] = 'sid' in impersonate ? [] : Object.values<string>(impersonate);
  return address !== undefined && isAnchor(address) ? address : undefined;
}

/** Which server, and as whom. */
export interface ExchangeOptions extends SignInOptions {
  /**
   * Absolute, such as `https://mail.contoso.com/EWS/Exchange.asmx`. Give either this or `address`.
   */
  readonly url?: string;
  /**
   * The SMTP address of a mailbox whose web services are looked up, by autodiscover, when they are
   * first needed, and again when they are no longer where they were.
   */
  readonly address?: string;
  /** Domains besides that of `address` where the web services may be. @default none */
  readonly allowRedirectTo?: readonly string[];
  /**
   * Whether `token` or `basic` is sent in clear text, too: to a `url` by http on another machine. Not with `address`:
   * Autodiscover follows https only.
   * @default false
   */
  readonly allowInsecureHttp?: boolean;
  /**
   * The schema version of the requests. A TypeError names what a version is too old for: `streamingNotifications` and
   * `freeBusyChanged` need Exchange2010_SP1; `allFolders` and `impersonate.smtpAddress` need Exchange2010.
   * @default 'Exchange2013_SP1'
   */
  readonly version?: ExchangeVersion;
  /** Whom to act as: exactly one way to name the user. @default the account itself */
  readonly impersonate?: Impersonation;
  /**
   * The SMTP address by which the requests are led to one server of a farm, for all mailboxes that name the
   * same: their streams share connections, too.
   * @default the address of the mailbox itself, where one is known
   */
  readonly anchorMailbox?: string;
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
  /**
   * Emits when the platform has a network again: then whatever waits after a failure is sent at once.
   * @default the event `online` of a browser or worker
   */
  readonly online$?: Observable<unknown>;
  /**
   * What to do if the server cannot be reached, or is busy, before a stream had a subscription: end with the error after
   * the retries, or wait until it answers, with the growing waits of `retry`. Later, a stream always waits.
   * @default 'error'
   */
  readonly whenUnreachable?: 'wait' | 'error';
  /** How events are streamed. @default as documented there */
  readonly streaming?: StreamingLimits;
  /** The limits of what the server sends. @default as documented there */
  readonly limits?: Limits;
}

const NAMES: OptionNames<ExchangeOptions> = {
  ...SIGN_IN_NAMES,
  url: 1,
  address: 1,
  allowRedirectTo: 1,
  allowInsecureHttp: 1,
  version: 1,
  impersonate: 1,
  anchorMailbox: 1,
  transport: 1,
  fetch: 1,
  retry: 1,
  maxConcurrentRequests: 1,
  online$: 1,
  whenUnreachable: 1,
  streaming: 1,
  limits: 1,
};

/** Which of the two ways to say where the web services are was taken. */
type Whereabouts = { readonly url: string } | { readonly address: string };

/** The options that are checked here, with their defaults; the others are by who takes them. */
interface ResolvedOptions {
  readonly where: Whereabouts;
  readonly version: ExchangeVersion;
  readonly retry: RetryPolicy;
  readonly maxConcurrentRequests: number;
  readonly maxConnections: number;
  readonly limits: Required<Limits>;
  readonly online$: Observable<unknown>;
  readonly whenUnreachable: 'wait' | 'error';
}

/** Fewer than the 27 that servers allow an account, which it may use for more than this. */
const MOST_REQUESTS = 10;

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function resolveOptions(options: ExchangeOptions): ResolvedOptions {
  const {
    version = 'Exchange2013_SP1',
    retry = {},
    maxConcurrentRequests = MOST_REQUESTS,
    online$ = platformOnline(),
    whenUnreachable = 'error',
  } = objectOption('options', options, NAMES);
  checkRetryPolicy(retry);
  if (!isObservable(online$)) throw invalidOption('online$', online$, 'an Observable');
  return {
    online$,
    whenUnreachable: choiceOption('whenUnreachable', whenUnreachable, ['wait', 'error']),
    where: whereaboutsIn(options),
    version: choiceOption('version', version, VERSIONS),
    retry,
    maxConcurrentRequests: numberOption('maxConcurrentRequests', maxConcurrentRequests, {
      min: 1,
      max: 1000,
      integer: true,
    }),
    maxConnections: checkMaxConnections(options.streaming),
    limits: checkLimits(options.limits),
  };
}

function whereaboutsIn({ url, address, token, basic, allowInsecureHttp }: ExchangeOptions): Whereabouts {
  if (address !== undefined) {
    if (allowInsecureHttp !== undefined) {
      throw invalidOption(
        'allowInsecureHttp',
        allowInsecureHttp,
        'left out where address is given: https is used',
      );
    }
    if (url !== undefined) throw invalidOption('url', url, 'left out where address is given');
    return { address };
  }
  if (url === undefined)
    throw invalidSecret('url', 'given, or the address of a mailbox by which it is found');
  const isSafe = (token ?? basic) === undefined || allowInsecureHttp;
  return { url: credentialUrlOption('url', url, isSafe).href };
}
