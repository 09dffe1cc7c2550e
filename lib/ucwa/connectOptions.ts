import { identity, isObservable, type Observable } from 'rxjs';
import { type Activity, activityReport } from '../core/activity.ts';
import { type Checkpoint, checkCheckpoint } from '../core/checkpoint.ts';
import { fetchTransport } from '../core/fetchTransport.ts';
import type { Fetch } from '../core/keptAliveFetch.ts';
import {
  choiceOption,
  invalidOption,
  invalidSecret,
  numberOption,
  objectOption,
  urlOption,
} from '../core/options.ts';
import type { Middleware, Transport } from '../core/transport.ts';
import { DEFAULT_RETRIES, type RetryPolicy } from '../core/withRetry.ts';
import type { TokenProvider } from '../core/withToken.ts';
import type { ApplicationSource } from './application.ts';
import type { ApplicationIdentity, WantedIdentity } from './applicationIdentity.ts';
import type { BatchingOptions } from './batching.ts';
import type { Acknowledgement } from './channel.ts';
import type { ChannelParameters } from './cursor.ts';
import type { OnExpelled, OnReplaced } from './decision.ts';
import { discover, type DiscoveryOptions } from './discovery.ts';
import { signedBy } from './invalidToken.ts';
import { fixedLocation, foundLocation, type Location } from './location.ts';
import { platformOnline } from './online.ts';
import { type Pause, pausing } from './pause.ts';
import { checkPublish, type Publication, type PublishOptions } from './publish.ts';
import { randomId } from './randomId.ts';

/** How the event channel is read. */
export interface ChannelOptions extends ChannelParameters {
  /**
   * When a batch of events is acknowledged, which is by asking for the next: `eager` before it is processed, as
   * documented; `processed` when all subscribers have seen it, so that with a `checkpoint` a crash loses nothing.
   * @default 'eager'
   */
  readonly ack?: Acknowledgement;
  /**
   * What to do when another client has taken over the channel: end with the error, or leave the application to
   * it and go on as another instance of the same one, which has a channel of its own.
   * @default 'fail'
   */
  readonly onReplaced?: OnReplaced;
}

/** What is common to all kinds of {@link ConnectOptions}. */
export interface CommonConnectOptions {
  /**
   * An OAuth token, or how to get one, asked with the origin that it is for. Leave it out where the transport
   * or the browser signs the requests.
   */
  readonly token?: TokenProvider;
  /** The language of the server's messages. @default 'en-us' */
  readonly culture?: string;
  /** Applications of one culture, endpointId and userAgent are one. @default a new one for each connection */
  readonly endpointId?: string;
  /** @default 'rxchange' */
  readonly userAgent?: string;
  /** Tells several windows of one application apart, so that each has an event channel of its own. @default none */
  readonly instanceId?: string;
  /** What sends the requests. @default fetchTransport(fetch) */
  readonly transport?: Transport;
  /** A WHATWG fetch, if there is no `transport`. @default cross-fetch, with kept-alive connections on Node */
  readonly fetch?: Fetch;
  /** How the event channel is read. */
  readonly channel?: ChannelOptions;
  /**
   * How requests that fall into the same turn go out together, where the server takes batches; `false` lets
   * each go alone. [BatchingRequests]
   * @default 20 at a time, 100 under way
   */
  readonly batch?: BatchingOptions | false;
  /** The waits between attempts. @default as documented there */
  readonly retry?: RetryPolicy;
  /**
   * How long the application is kept after the last stream has ended, in seconds, so that the next need not
   * create another.
   * @default 0
   */
  readonly graceSeconds?: number;
  /**
   * What to do when the server has ended the application and says so, by 410: because it was inactive, or the
   * user has too many of them. An application that was merely lost is always made again, and one whose
   * userAgent is not allowed never.
   * @default 'error'
   */
  readonly onExpelled?: OnExpelled;
  /**
   * Makes the user available to others, and keeps telling that the user is active, while this connection is
   * used: for those who are not only to watch, but to be seen. Where the server refuses it, all streams error.
   * @default nothing of it is sent
   */
  readonly publish?: PublishOptions;
  /**
   * Keeps for the next process what this one has on the server, and with `channel.ack: 'processed'` how far it has
   * come; a clean end leaves nothing there. A connection that begins with a checkpoint takes over the application
   * of a process that has died, if that is still there, removes the subscriptions that were left on it, and goes on
   * behind the events that were processed, which is when `next` of all subscribers has returned. Where events may
   * have been lost, a `reset` event stands in front. Not for an application that is given.
   * @default nothing is kept
   *
   * @example
   * ```ts
   * import { memoryCheckpoints } from 'rxchange';
   * import { ucwaSimulator } from 'rxchange/testing';
   * import { connect, presence } from 'rxchange/ucwa';
   *
   * const { url, transport } = ucwaSimulator({ mediumSeconds: 0 });
   * // For a service on Node: fileCheckpoints('/var/lib/presence/checkpoints').
   * const store = memoryCheckpoints();
   * const isKept = () => store.load('presence').subscribe((kept) => console.log(kept !== undefined));
   * const ucwa = connect({
   *   ...{ applications: url, token: 'secret', transport },
   *   channel: { ack: 'processed' },
   *   checkpoint: { store, key: 'presence' },
   * });
   * presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
   * isKept(); // what the next process needs, if this one is killed now
   * // prints: true
   * await ucwa.close();
   * isKept();
   * // prints: false
   * ```
   */
  readonly checkpoint?: Checkpoint;
  /**
   * Emits when there is a network again: whatever waits for one is tried at once.
   * @default when the platform says so, where it does, as browsers do
   */
  readonly online$?: Observable<unknown>;
}

/** Where a connection's application is created: at the link of that name, which discovery tells. */
export interface ApplicationsOptions {
  /** Absolute. */
  readonly applications: string;
  /** Not both. */
  readonly application?: undefined;
  /** Not both. */
  readonly domain?: undefined;
  /** Only with `domain`. */
  readonly signIn?: undefined;
}

/** An application that exists already. It is used, and never deleted. */
export interface GivenApplicationOptions {
  /** Absolute. */
  readonly application: string;
  /** Not both. */
  readonly applications?: undefined;
  /** Not both. */
  readonly domain?: undefined;
  /** Only with `domain`. */
  readonly signIn?: undefined;
}

/** Whose UCWA to find, as `discover` does, and as whom to sign in there. */
export interface DomainOptions extends Omit<DiscoveryOptions, 'retry' | 'transport' | 'fetch'> {
  /** Not both. */
  readonly applications?: undefined;
  /** Not both. */
  readonly application?: undefined;
}

/** Which server and which application. */
export type ConnectOptions = CommonConnectOptions &
  (ApplicationsOptions | GivenApplicationOptions | DomainOptions);

/** The options, checked and with their defaults. */
export interface ConnectPlan {
  readonly source: ApplicationSource;
  readonly location: Location;
  readonly sending: Transport;
  readonly activity$: Observable<Activity>;
  readonly signed: Middleware;
  readonly parameters: ChannelParameters;
  readonly ack: Acknowledgement;
  readonly graceMs: number;
  readonly batch: BatchingOptions | false;
  readonly retry: RetryPolicy;
  readonly pause: Pause;
  readonly onExpelled: OnExpelled;
  readonly publication: Publication | undefined;
  readonly onReplaced: OnReplaced;
  readonly online$: Observable<unknown>;
  readonly checkpoint: Checkpoint | undefined;
}

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function connectPlan(options: ConnectOptions): ConnectPlan {
  objectOption('options', options);
  const { graceSeconds = 0, retry = {}, channel = {}, batch = {}, transport, fetch } = options;
  const { onExpelled = 'error', online$ = platformOnline() } = options;
  const { ack = 'eager', onReplaced = 'fail', ...parameters } = objectOption('channel', channel);
  checkParameters(parameters, 'channel.');
  if (!isObservable(online$)) throw invalidOption('online$', online$, 'an Observable');
  if (transport !== undefined && fetch !== undefined) {
    throw invalidOption('fetch', fetch, 'left out where transport is given');
  }
  const { activity$, reported } = activityReport();
  const sending = reported(transport ?? fetchTransport(fetch));
  const pause = pausing(retry, online$);
  const { source, ...where } = whereFrom(options, sending, pause);
  const checkpoint = checkCheckpoint(options.checkpoint);
  if (checkpoint !== undefined && source.kind === 'given') {
    throw invalidOption(
      'checkpoint',
      checkpoint,
      'left out where the application is given: it is not ours to keep',
    );
  }
  return {
    ...{ source, ...where, sending, activity$, parameters, pause, batch, checkpoint },
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
    publication: options.publish === undefined ? undefined : checkPublish(options.publish),
    online$,
  };
}

function whereFrom(
  options: ConnectOptions,
  transport: Transport,
  pause: Pause,
): Pick<ConnectPlan, 'source' | 'location' | 'signed'> {
  const ways = [options.applications, options.application, options.domain];
  if (ways.filter((way) => way !== undefined).length !== 1) {
    throw invalidSecret('applications', 'given, or domain, or application, and only one of them');
  }
  if (options.domain !== undefined) {
    const { retry = {} } = options;
    const discovery = discover({ ...options, retry, transport });
    return {
      source: { kind: 'create', ...wantedFrom(options) },
      location: foundLocation(discovery, pause, retry.retries ?? DEFAULT_RETRIES),
      signed: discovery.signed,
    };
  }
  // Callers without types can give both.
  const { signIn }: { readonly signIn?: unknown } = options;
  if (signIn !== undefined) {
    throw invalidSecret('signIn', 'left out where there is no domain: give the token, or how to get one');
  }
  const signed = options.token === undefined ? identity : signedBy(options.token);
  if (options.application !== undefined) {
    const { href } = urlOption('application', options.application);
    return { source: { kind: 'given' }, location: fixedLocation(href), signed };
  }
  const { href } = urlOption('applications', options.applications);
  return {
    source: { kind: 'create', ...wantedFrom(options) },
    location: fixedLocation(href),
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
  objectOption('parameters', parameters);
  const ranges = {
    lowSeconds: { min: 5, max: 1800, integer: true },
    mediumSeconds: { min: 5, max: 1800, integer: true },
    timeoutSeconds: { min: 180, max: 1800, integer: true },
    priority: { min: 0, integer: true },
  };
  for (const [name, range] of Object.entries(ranges)) {
    const value: unknown = parameters[name as keyof ChannelParameters];
    if (value !== undefined) numberOption(`${prefix}${name}`, value, range);
  }
}
