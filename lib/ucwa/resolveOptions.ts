import { isObservable, type Observable } from 'rxjs';
import type { Pause } from '../core/backoff/backoff.ts';
import { type ConnectionBackoff, connectionBackoff } from '../core/backoff/connectionBackoff.ts';
import { platformOnline } from '../core/backoff/online.ts';
import { DEFAULT_RETRIES, type RetryPolicy } from '../core/backoff/withRetry.ts';
import { checkCheckpoint, type Checkpoint } from '../core/checkpoint/checkpoint.ts';
import { checkLimits, type Limits } from '../core/limits.ts';
import {
  choiceOption,
  credentialUrlOption,
  invalidOption,
  invalidSecret,
  numberOption,
  objectOption,
} from '../core/options.ts';
import { fetchTransport } from '../core/transport/fetch.ts';
import { type Activity, requestLog } from '../core/transport/requestLog.ts';
import type { Middleware, Transport } from '../core/transport/transport.ts';
import { unsigned } from '../core/transport/withToken.ts';
import type { ApplicationSource } from './application/application.ts';
import { type ApplicationIdentity, randomId, type WantedIdentity } from './application/identity.ts';
import { checkPublish, type Publication } from './application/publish.ts';
import { withUcwaToken } from './auth/tokenRefused.ts';
import type { BatchingOptions } from './batch/batched.ts';
import { discovery } from './discovery/discover.ts';
import { staticLocation, discoveredLocation, type ServerLocation } from './discovery/location.ts';
import { CHANNEL_NAMES, CONNECT_NAMES, type ConnectOptions } from './options.ts';
import { type Acknowledgement, type ChannelParameters, PARAMETER_RANGES } from './protocol/cursor.ts';
import type { OnExpelled, OnReplaced } from './protocol/failures.ts';
import { pausing } from './transport/backoff.ts';

/** The options, checked and with their defaults. */
interface ResolvedOptions {
  readonly source: ApplicationSource;
  readonly location: ServerLocation;
  readonly sending: Transport;
  readonly activity$: Observable<Activity>;
  readonly signed: Middleware;
  readonly parameters: ChannelParameters;
  readonly ack: Acknowledgement;
  readonly graceMs: number;
  readonly batch: BatchingOptions | false;
  readonly retry: RetryPolicy;
  readonly limits: Required<Limits>;
  readonly backoff: ConnectionBackoff;
  readonly onExpelled: OnExpelled;
  readonly whenUnreachable: 'wait' | 'error';
  readonly publication: Publication | undefined;
  readonly onReplaced: OnReplaced;
  readonly checkpoint: Checkpoint | undefined;
}

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function resolveOptions(options: ConnectOptions): ResolvedOptions {
  objectOption('options', options, CONNECT_NAMES);
  const { graceSeconds = 3, retry = {}, channel = {}, batch = {}, transport, fetch } = options;
  const { onExpelled = 'error', whenUnreachable = 'error', online$ = platformOnline() } = options;
  const {
    ack = 'eager',
    onReplaced = 'fail',
    ...parameters
  } = objectOption('channel', channel, CHANNEL_NAMES);
  checkParameters(parameters, 'channel.');
  if (!isObservable(online$)) throw invalidOption('online$', online$, 'an Observable');
  if (transport !== undefined && fetch !== undefined) {
    throw invalidOption('fetch', fetch, 'left out where transport is given');
  }
  const { activity$, logged: reported } = requestLog();
  const limits = checkLimits(options.limits);
  const sending = reported(transport ?? fetchTransport(fetch, limits));
  const backoff = connectionBackoff(retry, online$);
  const { source, ...where } = whereFrom(options, sending, pausing(retry, backoff.online$), limits);
  const checkpoint = checkCheckpoint(options.checkpoint);
  if (checkpoint !== undefined && source.kind === 'given') {
    throw invalidOption(
      'checkpoint',
      checkpoint,
      'left out where the application is given: it is not ours to keep',
    );
  }
  return {
    ...{ source, ...where, sending, activity$, parameters, backoff, batch, checkpoint, limits },
    ack: choiceOption<Acknowledgement>('channel.ack', ack, ['eager', 'processed']),
    // Only who creates applications can go on as another instance.
    onReplaced: choiceOption<OnReplaced>(
      'channel.onReplaced',
      onReplaced,
      source.kind === 'create' ? ['fail', 'rejoin'] : ['fail'],
    ),
    graceMs: numberOption('graceSeconds', graceSeconds, { min: 0, max: 900 }) * 1000,
    retry,
    onExpelled: choiceOption<OnExpelled>('onExpelled', onExpelled, ['error', 'recreate']),
    whenUnreachable: choiceOption('whenUnreachable', whenUnreachable, ['wait', 'error']),
    publication: options.publish === undefined ? undefined : checkPublish(options.publish),
  };
}

function whereFrom(
  options: ConnectOptions,
  transport: Transport,
  pause: Pause,
  limits: Limits,
): Pick<ResolvedOptions, 'source' | 'location' | 'signed'> {
  const ways = [options.applications, options.application, options.domain];
  if (ways.filter((way) => way !== undefined).length !== 1) {
    throw invalidSecret('applications', 'given, or domain, or application, and only one of them');
  }
  if (options.domain !== undefined) {
    const { retry = {}, allowInsecureHttp } = options;
    if (allowInsecureHttp !== undefined) {
      throw invalidOption(
        'allowInsecureHttp',
        allowInsecureHttp,
        'left out where domain is given: https is used',
      );
    }
    const found = discovery({ ...options, retry, transport });
    return {
      source: { kind: 'create', ...wantedFrom(options) },
      location: discoveredLocation(found, pause, retry.retries ?? DEFAULT_RETRIES, limits),
      signed: found.signed,
    };
  }
  // Callers without types can give both.
  const { signIn }: { readonly signIn?: unknown } = options;
  if (signIn !== undefined) {
    throw invalidSecret('signIn', 'left out where there is no domain: give the token, or how to get one');
  }
  const { token, allowInsecureHttp } = options;
  const signed =
    token === undefined
      ? unsigned('no token is configured: give connect() a token, or a transport that signs in')
      : withUcwaToken(token, allowInsecureHttp);
  const isSafe = token === undefined || allowInsecureHttp;
  if (options.application !== undefined) {
    const { href } = credentialUrlOption('application', options.application, isSafe);
    return { source: { kind: 'given' }, location: staticLocation(href, limits), signed };
  }
  const { href } = credentialUrlOption('applications', options.applications, isSafe);
  return {
    source: { kind: 'create', ...wantedFrom(options) },
    location: staticLocation(href, limits),
    signed,
  };
}

const SHORT_TEXT = /^\P{Cc}{1,100}$/u;
const LANGUAGE = /^[a-z]{2,8}(-[a-z\d]{1,8})*$/i;

function wantedFrom(options: ConnectOptions): WantedIdentity {
  return { identity: identityFrom(options), isEndpointGiven: options.endpointId !== undefined };
}

function identityFrom(options: ConnectOptions): ApplicationIdentity {
  const { culture = 'en-us', userAgent = 'rxchange', instanceId } = options;
  const endpointId = options.endpointId ?? randomId();
  const told = { culture, endpointId, userAgent, ...(instanceId === undefined ? {} : { instanceId }) };
  for (const [name, value] of Object.entries(told)) {
    if (typeof value !== 'string' || !SHORT_TEXT.test(value)) {
      throw invalidOption(name, value, 'a text of 1 to 100 characters, without line breaks and the like');
    }
  }
  if (!LANGUAGE.test(culture)) throw invalidOption('culture', culture, "a language such as 'en-us'");
  return told;
}

/** Checks the times of the channel; throws a TypeError that names the one that cannot be used. */
export function checkParameters(parameters: ChannelParameters, prefix = ''): void {
  objectOption('parameters', parameters, PARAMETER_RANGES);
  for (const [name, range] of Object.entries(PARAMETER_RANGES)) {
    const value: unknown = parameters[name as keyof ChannelParameters];
    if (value !== undefined) numberOption(`${prefix}${name}`, value, range);
  }
}
