import { isObservable, type Observable } from 'rxjs';
import { type ConnectionBackoff, connectionBackoff } from '../core/backoff/connectionBackoff.ts';
import { platformOnline } from '../core/backoff/online.ts';
import type { RetryPolicy } from '../core/backoff/withRetry.ts';
import { CHECKPOINTING, type Checkpointing } from '../core/checkpoint/checkpointed.ts';
import type { Feature } from '../core/feature.ts';
import { checkLimits, type Limits } from '../core/limits.ts';
import { choiceOption, invalidOption, numberOption, objectOption } from '../core/options.ts';
import { fetchTransport } from '../core/transport/fetch.ts';
import { type Activity, requestLog } from '../core/transport/requestLog.ts';
import { withConcurrency } from '../core/transport/withConcurrency.ts';
import type { Middleware, Transport } from '../core/transport/transport.ts';
import { type ApplicationIdentity, randomId, type WantedIdentity } from './application/identity.ts';
import { type Publish, PUBLISHING } from './application/publish.ts';
import { signerOption, UNSIGNED } from './auth/signer.ts';
import { type Batch, BATCHING } from './batch/batched.ts';
import type { ServerLocation } from './discovery/location.ts';
import { serverOption } from './discovery/server.ts';
import { CHANNEL_NAMES, UCWA_NAMES, type UcwaOptions } from './options.ts';
import { type Acknowledgement, type ChannelParameters, PARAMETER_RANGES } from './protocol/cursor.ts';
import type { OnApplicationEnded, OnPGetReplaced } from './protocol/failures.ts';
import { pausing } from './transport/backoff.ts';

/** The options, checked and with their defaults. */
interface ResolvedOptions {
  readonly location: ServerLocation;
  /** The application to create; undefined if it exists already. */
  readonly identity: WantedIdentity | undefined;
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
  readonly onApplicationEnded: OnApplicationEnded;
  readonly whenUnreachable: 'wait' | 'error';
  readonly publish: Publish | undefined;
  readonly checkpointing: Checkpointing | undefined;
}

/** What to write instead of names that callers may try. */
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
    transport,
    fetch,
    allowInsecureHttp = false,
  } = objectOption('options', options, UCWA_NAMES, INSTEAD);
  const { onApplicationEnded = 'error', whenUnreachable = 'error', online$ = platformOnline() } = options;
  const {
    ack = 'eager',
    onPGetReplaced = 'error',
    ...parameters
  } = objectOption('channel', options.channel ?? {}, CHANNEL_NAMES);
  checkParameters(parameters, 'channel.');
  if (!isObservable(online$)) throw invalidOption('online$', online$, 'an Observable');
  if (transport !== undefined && fetch !== undefined) {
    throw invalidOption('fetch', fetch, 'left out, because a transport is given');
  }
  const limits = checkLimits(options.limits);
  const backoff = connectionBackoff(retry, online$);
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
    pause: pausing(retry, backoff.online$),
  });
  const checkpointing = featureOption(CHECKPOINTING, 'checkpoint', options.checkpoint);
  if (checkpointing !== undefined && isExisting) {
    throw invalidOption('checkpoint', options.checkpoint, 'left out with existingApplication(…)');
  }
  return {
    ...{ location, sign, base, activity$, parameters, backoff, limits, retry, checkpointing },
    identity: isExisting ? undefined : wantedFrom(options),
    ack: choiceOption<Acknowledgement>('channel.ack', ack, ['eager', 'processed']),
    // Only a connection that creates applications can create another instance.
    onPGetReplaced: choiceOption<OnPGetReplaced>(
      'channel.onPGetReplaced',
      onPGetReplaced,
      isExisting ? ['error'] : ['error', 'newInstance'],
    ),
    graceMs: numberOption('graceSeconds', graceSeconds, { min: 0, max: 900 }) * 1000,
    batch: featureOption(BATCHING, 'batch', options.batch) ?? (() => unbatched),
    onApplicationEnded: choiceOption<OnApplicationEnded>('onApplicationEnded', onApplicationEnded, [
      'error',
      'recreate',
    ]),
    whenUnreachable: choiceOption('whenUnreachable', whenUnreachable, ['wait', 'error']),
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

const SHORT_TEXT = /^\P{Cc}{1,100}$/u;
const LANGUAGE = /^[a-z]{2,8}(-[a-z\d]{1,8})*$/i;

function wantedFrom(options: UcwaOptions): WantedIdentity {
  return { identity: identityFrom(options), isEndpointGiven: options.endpointId !== undefined };
}

function identityFrom(options: UcwaOptions): ApplicationIdentity {
  const { culture = 'en-us', userAgent = 'rxchange', instanceId } = options;
  const endpointId = options.endpointId ?? randomId();
  const texts = { culture, endpointId, userAgent, ...(instanceId === undefined ? {} : { instanceId }) };
  for (const [name, value] of Object.entries(texts)) {
    if (typeof value !== 'string' || !SHORT_TEXT.test(value)) {
      throw invalidOption(name, value, 'a text of 1 to 100 characters, without line breaks and the like');
    }
  }
  if (!LANGUAGE.test(culture)) throw invalidOption('culture', culture, "a language such as 'en-us'");
  return texts;
}

/** Throws a TypeError that names the parameter that cannot be used. */
export function checkParameters(parameters: ChannelParameters, prefix = ''): void {
  objectOption('parameters', parameters, PARAMETER_RANGES);
  for (const [name, range] of Object.entries(PARAMETER_RANGES)) {
    const value: unknown = parameters[name as keyof ChannelParameters];
    if (value !== undefined) numberOption(`${prefix}${name}`, value, range);
  }
}

/** The most concurrent requests without batches, besides those for events and those that remove something. */
const MAX_CONCURRENT = 10;

/** Releases are not queued: when a browser leaves the page, a queued request is lost. */
function unbatched(transport: Transport): Transport {
  const limited = withConcurrency(MAX_CONCURRENT)(transport);
  return (request) => (request.keepalive === true ? transport(request) : limited(request));
}
