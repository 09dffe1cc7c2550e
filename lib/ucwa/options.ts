import type { Observable } from 'rxjs';
import type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
import type { OptionNames } from '../core/options.ts';
import type { Fetch } from '../core/transport/send.ts';
import type { Limits } from '../core/limits.ts';
import type { Transport } from '../core/transport/transport.ts';
import type { RetryPolicy } from '../core/backoff/withRetry.ts';
import type { TokenProvider } from '../core/transport/withToken.ts';
import type { BatchingOptions } from './batch/batched.ts';
import { type Acknowledgement, type ChannelParameters, PARAMETER_RANGES } from './protocol/cursor.ts';
import type { OnExpelled, OnReplaced } from './protocol/failures.ts';
import { DISCOVERY_NAMES, type DiscoveryOptions } from './discovery/discover.ts';
import type { PublishOptions } from './application/publish.ts';

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

/** The names of {@link ChannelOptions}. */
export const CHANNEL_NAMES: OptionNames<ChannelOptions> = { ...PARAMETER_RANGES, ack: 1, onReplaced: 1 };

/** What is common to all kinds of {@link ConnectOptions}. */
export interface CommonConnectOptions {
  /**
   * An OAuth token, or how to get one, asked with the origin that it is for. Leave it out where the transport
   * or the browser signs the requests.
   */
  readonly token?: TokenProvider;
  /**
   * Whether the token is sent in clear text, too: to `applications` or `application` by http on another machine. Not
   * with `domain`: discovery follows https only.
   * @default false
   */
  readonly allowInsecureHttp?: boolean;
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
  /** The limits of what the server sends. @default as documented there */
  readonly limits?: Limits;
  /**
   * How long the application is kept after the last stream has ended, from 0 to 900 seconds, so that the next
   * stream need not create another. `drain`, `close` and `closeOnPageHide` end this time at once. Until it ends, it
   * keeps a process on Node alive.
   * @default 3
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
   * What to do if the server cannot be reached, or is busy, before there was a connection: end with the error after the
   * retries, or wait until it answers, with the growing waits of `retry`. Once there was a connection, it always waits.
   * @default 'error'
   */
  readonly whenUnreachable?: 'wait' | 'error';
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
   * have been lost, a `gap` event stands in front. Not for an application that is given.
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
export interface DomainOptions extends Omit<DiscoveryOptions, 'retry' | 'transport' | 'fetch' | 'limits'> {
  /** Not both. */
  readonly applications?: undefined;
  /** Not both. */
  readonly application?: undefined;
}

/** Which server and which application. */
export type ConnectOptions = CommonConnectOptions &
  (ApplicationsOptions | GivenApplicationOptions | DomainOptions);

/** The names of {@link ConnectOptions}. */
export const CONNECT_NAMES: OptionNames<ConnectOptions> = {
  ...DISCOVERY_NAMES,
  applications: 1,
  application: 1,
  culture: 1,
  endpointId: 1,
  userAgent: 1,
  instanceId: 1,
  allowInsecureHttp: 1,
  channel: 1,
  batch: 1,
  graceSeconds: 1,
  onExpelled: 1,
  whenUnreachable: 1,
  publish: 1,
  checkpoint: 1,
  online$: 1,
};
