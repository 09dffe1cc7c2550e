import type { Observable } from 'rxjs';
import { type ConnectionBackoff, connectionBackoff } from '../core/backoff/connectionBackoff.ts';
import { signInFailures } from '../core/auth/signInFailures.ts';
import { platformOnline } from '../core/backoff/online.ts';
import type { RetryPolicy } from '../core/backoff/withRetry.ts';
import { type StatusTracker, statusTracker } from '../core/connectionStatus.ts';
import { defined } from '../core/defined.ts';
import type { Feature } from '../core/feature.ts';
import { checkLimits, type Limits } from '../core/limits.ts';
import { choiceOption, invalidOption, objectOption } from '../core/options.ts';
import { fetchTransport } from '../core/transport/fetch.ts';
import { type Activity, requestLog } from '../core/transport/requestLog.ts';
import { withConcurrency } from '../core/transport/withConcurrency.ts';
import type { Middleware, Transport } from '../core/transport/transport.ts';
import { CHECKPOINTING, type ConnectionCheckpointing } from './application/checkpointed.ts';
import { randomId, type ConfiguredIdentity } from './application/identity.ts';
import { type Publish, PUBLISHING } from './application/publish.ts';
import { signerOption, UNSIGNED } from './auth/signer.ts';
import { type Batch, BATCHING } from './batch/batched.ts';
import type { ServerLocation } from './discovery/location.ts';
import { serverOption } from './discovery/server.ts';
import { UCWA_RULES, type UcwaOptions } from './options.ts';
import type { Acknowledgement, ChannelParameters } from './protocol/cursor.ts';
import type { OnApplicationEnded, OnPGetReplaced } from './protocol/failures.ts';
import { pausing } from './transport/backoff.ts';

/** The options, checked and with their defaults. */
interface ResolvedOptions {
  readonly location: ServerLocation;
  /** The application to create; undefined if it exists already. */
  readonly identity: ConfiguredIdentity | undefined;
  /** Sends the requests, and logs them. */
  readonly base: Transport;
  readonly activity$: Observable<Activity>;
  readonly sign: Middleware;
  readonly parameters: ChannelParameters;
  readonly ack: Acknowledgement;
  readonly onPGetReplaced: OnPGetReplaced;
  readonly graceMs: number;
  readonly batch: Batch;
  readonly retry: RetryPolicy;
  readonly limits: Required<Limits>;
  readonly backoff: ConnectionBackoff;
  readonly status: StatusTracker;
  readonly onApplicationEnded: OnApplicationEnded;
  readonly whenUnreachable: 'wait' | 'error';
  readonly publish: Publish | undefined;
  readonly checkpointing: ConnectionCheckpointing | undefined;
}

/** The options in place of names that callers may try. */
const INSTEAD: Readonly<Record<string, string>> = {
  url: 'server: url',
  applications: 'server: applications',
  application: "server: existingApplication(href) from 'rxchange/ucwa'",
  domain: "server: discovered(domain) from 'rxchange/ucwa'",
  token: "auth: bearer(token) from 'rxchange'",
  signIn: "auth: password(…) from 'rxchange/ucwa'",
};

/**
 * Returns the options with their defaults.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolveOptions(options: UcwaOptions): ResolvedOptions {
  const {
    graceSeconds = 3,
    retry = {},
    onApplicationEnded = 'error',
    whenUnreachable = 'error',
    online$ = platformOnline(),
    allowInsecureHttp = false,
    transport,
    fetch,
  } = objectOption('options', options, UCWA_RULES, INSTEAD);
  const { ack = 'eager', onPGetReplaced = 'error', ...parameters } = options.channel ?? {};
  if (transport !== undefined && fetch !== undefined) {
    throw invalidOption('fetch', fetch, 'left out, because a transport is given');
  }
  const limits = checkLimits(options.limits);
  const status = statusTracker();
  const record: StatusTracker['record'] = (input) => status.record(signing.named(input));
  const backoff = connectionBackoff(retry, online$, record);
  const { activity$, logged } = requestLog();
  const base = logged(transport ?? fetchTransport(fetch, limits));
  const signer = signerOption(options.auth);
  const {
    location,
    sign = UNSIGNED,
    isExisting,
  } = serverOption(options.server)({
    ...{ signer, retry, limits, allowInsecureHttp },
    transport: base,
    pause: pausing(retry, backoff.online$, record),
  });
  const signing = signInFailures(sign);
  const checkpointing = featureOption(CHECKPOINTING, 'checkpoint', options.checkpoint);
  if (isExisting && checkpointing !== undefined)
    throw invalidOption('checkpoint', options.checkpoint, 'left out with existingApplication(…)');
  // Only a connection that creates applications can create another instance.
  if (isExisting) choiceOption('channel.onPGetReplaced', onPGetReplaced, ['error']);
  return {
    ...{ location, base, activity$, parameters, backoff, status, limits, retry, checkpointing },
    sign: signing.sign,
    ...{ ack, onPGetReplaced, onApplicationEnded, whenUnreachable },
    identity: isExisting ? undefined : requestedIdentity(options),
    graceMs: graceSeconds * 1000,
    batch: featureOption(BATCHING, 'batch', options.batch) ?? (() => unbatched),
    publish: featureOption(PUBLISHING, 'publish', options.publish),
  };
}

function featureOption<Functions>(
  { read }: Feature<Functions>,
  name: string,
  value: unknown,
): Functions | undefined {
  return value === undefined ? undefined : read(name, value);
}

function requestedIdentity(options: UcwaOptions): ConfiguredIdentity {
  const { culture = 'en-us', userAgent = 'rxchange', endpointId = randomId(), instanceId } = options;
  return {
    identity: { culture, endpointId, userAgent, ...defined({ instanceId }) },
    isEndpointGiven: options.endpointId !== undefined,
  };
}

/** The most concurrent requests without batches, besides those for events and those that remove something. */
const MAX_CONCURRENT = 10;

/** Releases are not queued: when a browser leaves the page, a queued request is lost. */
function unbatched(transport: Transport): Transport {
  const limited = withConcurrency(MAX_CONCURRENT)(transport);
  return (request) => (request.keepalive === true ? transport(request) : limited(request));
}
