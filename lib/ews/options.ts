import { isObservable, type Observable } from 'rxjs';
import { platformOnline } from '../core/backoff/online.ts';
import { checkRetryPolicy, type RetryPolicy } from '../core/backoff/withRetry.ts';
import { checkLimits, type Limits } from '../core/limits.ts';
import {
  credentialUrlOption,
  invalidOption,
  invalidType,
  objectOption,
  type OptionRules,
} from '../core/options.ts';
import { type Auth, authOption } from '../core/auth/auth.ts';
import type { Fetch } from '../core/transport/send.ts';
import type { Transport } from '../core/transport/transport.ts';
import { AFFINITY, type Affinity, type GroupAffinity } from './discovery/affinity.ts';
import { isAnchor } from './discovery/affinityGroups.ts';
import { AUTODISCOVERED, type Autodiscovered } from './discovery/location.ts';
import { CONNECTING_SID_ELEMENTS, escapeXml, type Impersonation } from './protocol/envelope.ts';
import { type ExchangeVersion, VERSIONS } from './protocol/version.ts';

/** How the streaming subscriptions of a connection share its requests. @inline */
export interface StreamingLimits {
  /**
   * How many streaming requests may be open at a time, from 1 to 100, each with up to 200 subscriptions.
   *
   * One is kept free as long as the others have room, so that subscriptions join and leave without a gap.
   * With 1, each subscription that joins causes a gap for the others.
   * @default 3, the limit of Exchange 2013; later versions allow 10
   */
  readonly maxConnections?: number;
}

const STREAMING_RULES: OptionRules<StreamingLimits> = {
  maxConnections: { min: 1, max: 100, integer: true },
};

/** Which server, how to sign in, and as whom. */
export interface ExchangeOptions {
  /**
   * The absolute URL of the web services, such as `https://mail.contoso.com/EWS/Exchange.asmx`, or
   * `autodiscovered(address)`, which looks the URL up.
   */
  readonly server: string | Autodiscovered;
  /**
   * How to sign in: `bearer(token)` or `basic({ username, password })`.
   * @default nothing: the transport, such as `ntlm(…)`, or the browser signs the requests
   */
  readonly auth?: Auth;
  /**
   * Whether `auth` may sign requests in clear text: to a `server` by http on another machine. It cannot be
   * set with `autodiscovered(…)`, which follows https only.
   * @default false
   */
  readonly allowInsecureHttp?: boolean;
  /**
   * The schema version of the requests. A TypeError names the feature that a version lacks:
   * `streamingNotifications` and `freeBusyChanged` need Exchange2010_SP1; `allFolders` and
   * `impersonate.smtpAddress` need Exchange2010.
   * @default 'Exchange2013_SP1'
   */
  readonly version?: ExchangeVersion;
  /** The user to act as, named in exactly one way. @default the account itself */
  readonly impersonate?: Impersonation;
  /**
   * The SMTP address of the mailbox whose server all requests go to, as the header `X-AnchorMailbox`.
   * Mailboxes with the same anchor share connections for their streams; outside browsers they need
   * `affinity`.
   * @default the address of the mailbox itself, if one is known
   */
  readonly anchorMailbox?: string;
  /**
   * Keeps the requests of each group of mailboxes on one server of a farm: `affinity()`.
   * @default none; browsers keep the cookies themselves
   */
  readonly affinity?: Affinity;
  /** Sends the requests. @default fetchTransport(fetch) */
  readonly transport?: Transport;
  /** A WHATWG fetch, if there is no `transport`. @default cross-fetch, with kept-alive connections on Node */
  readonly fetch?: Fetch;
  /** The waits between attempts. @default as documented there */
  readonly retry?: RetryPolicy;
  /**
   * How many requests may be open at a time, from 1 to 1000. Unsubscribe requests go first, and streams do
   * not count.
   * @default 10
   */
  readonly maxConcurrentRequests?: number;
  /**
   * Emits when the network is available again: requests that wait after a failure are then sent at once.
   * @default the event `online` of a browser or worker
   */
  readonly online$?: Observable<unknown>;
  /**
   * How a stream reacts if the server cannot be reached, or is busy, before the stream had a subscription.
   *
   * - `error`: the stream errors after the retries. It waits if only the network fails, and another stream of
   *   the connection has worked before.
   * - `wait`: the stream waits, with the growing waits of `retry`, as it always does later.
   * @default 'error'
   */
  readonly whenUnreachable?: 'wait' | 'error';
  /** How streaming subscriptions share connections. @default as documented there */
  readonly streaming?: StreamingLimits;
  /** The limits of what the server sends. @default as documented there */
  readonly limits?: Limits;
}

const RULES: OptionRules<ExchangeOptions> = {
  server: 1,
  auth: 1,
  allowInsecureHttp: 1,
  version: VERSIONS,
  impersonate: 1,
  anchorMailbox: 1,
  affinity: 1,
  transport: 1,
  fetch: 1,
  retry: 1,
  maxConcurrentRequests: { min: 1, max: 1000, integer: true },
  online$: (name, value) => {
    if (!isObservable(value)) throw invalidOption(name, value, 'an Observable');
  },
  whenUnreachable: ['wait', 'error'],
  streaming: (name, value) => objectOption(name, value as StreamingLimits, STREAMING_RULES),
  limits: 1,
};

/** The options for names that callers may try. */
const INSTEAD: Readonly<Record<string, string>> = {
  url: 'server: url',
  address: "server: autodiscovered(address) from 'rxchange/ews'",
  allowRedirectTo: "server: autodiscovered(address, { allowRedirectTo }) from 'rxchange/ews'",
  token: "auth: bearer(token) from 'rxchange'",
  basic: "auth: basic({ username, password }) from 'rxchange/ews'",
};

/** The options that are checked here, with their defaults. Their users check the others. */
interface ResolvedOptions {
  readonly server: string | Autodiscovered;
  readonly auth: Auth | undefined;
  /** Creates the affinity of one group. */
  readonly groupAffinity: (() => GroupAffinity) | undefined;
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
    affinity,
  } = objectOption('options', options, RULES, INSTEAD);
  checkRetryPolicy(retry);
  const auth = authOption(options.auth);
  return {
    online$,
    auth,
    server: serverOption(options, auth),
    groupAffinity: affinity === undefined ? undefined : AFFINITY.read('affinity', affinity).group,
    ...{ whenUnreachable, version, retry, maxConcurrentRequests },
    maxConnections: options.streaming?.maxConnections ?? 3,
    limits: checkLimits(options.limits),
  };
}

function serverOption(
  { server, allowInsecureHttp }: ExchangeOptions,
  auth: Auth | undefined,
): string | Autodiscovered {
  if (typeof server === 'string')
    return credentialUrlOption('server', server, auth === undefined || allowInsecureHttp).href;
  if (!AUTODISCOVERED.isIn(server))
    throw invalidType(
      'server',
      server,
      "the URL of an EWS server, or autodiscovered(address) from 'rxchange/ews'",
    );
  if (allowInsecureHttp === undefined) return server;
  throw invalidOption(
    'allowInsecureHttp',
    allowInsecureHttp,
    'left out if server is autodiscovered(address): https is used',
  );
}

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

/** Returns the address by which an impersonated user is named; undefined if it is another name. */
export function addressOf(impersonate: Impersonation): string | undefined {
  const [address] = 'sid' in impersonate ? [] : Object.values<string>(impersonate);
  return address !== undefined && isAnchor(address) ? address : undefined;
}
