import { isObservable, type Observable } from 'rxjs';
import type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
import { invalidOption, objectOption, type OptionRules } from '../core/options.ts';
import type { Fetch } from '../core/transport/send.ts';
import type { Limits } from '../core/limits.ts';
import type { Transport } from '../core/transport/transport.ts';
import type { RetryPolicy } from '../core/backoff/withRetry.ts';
import type { Publishing } from './application/publish.ts';
import type { UcwaAuth } from './auth/signer.ts';
import type { Batching } from './batch/batched.ts';
import type { UcwaServer } from './discovery/server.ts';
import { type ChannelParameters, PARAMETER_RANGES } from './protocol/cursor.ts';

/** How the event channel is read. @inline */
export interface ChannelOptions extends ChannelParameters {
  /**
   * When events are acknowledged, which the next request does.
   *
   * - `eager`: before they are processed, as documented.
   * - `processed`: after `next` of all subscribers has returned. With a `checkpoint` a crash then loses
   *   nothing.
   * @default 'eager'
   */
  readonly ack?: 'eager' | 'processed';
  /**
   * What to do when another client has taken over the event channel.
   *
   * - `error`: the streams error.
   * - `newInstance`: the application is left to the other client, and a new instance of it is created.
   * @default 'error'
   */
  readonly onPGetReplaced?: 'error' | 'newInstance';
}

/** The rules of {@link ChannelOptions}. */
export const CHANNEL_RULES: OptionRules<ChannelOptions> = {
  ...PARAMETER_RANGES,
  ack: ['eager', 'processed'],
  onPGetReplaced: ['error', 'newInstance'],
};

/** Options of {@link connectUcwa}. */
export interface UcwaOptions {
  /**
   * The absolute URL of the link `applications`, `discovered('contoso.com')`, or `existingApplication(href)`.
   * Applications are created at the former two.
   */
  readonly server: string | UcwaServer;
  /**
   * How requests are signed: `bearer(token)`, `password(…)`, `windows()` or `anonymousMeeting(…)`.
   * @default requests are not signed here, because the transport or the browser does it
   */
  readonly auth?: UcwaAuth;
  /**
   * Whether credentials may be sent in clear text, to a `server` that is an http URL of another machine.
   * @default false
   */
  readonly allowInsecureHttp?: boolean;
  /** The language of the server's messages. @default 'en-us' */
  readonly culture?: string;
  /**
   * Identifies the client: creating an application again with the same culture, endpointId and userAgent
   * returns the same one.
   * @default a random one for each connection
   */
  readonly endpointId?: string;
  /** The name of the client. @default 'rxchange' */
  readonly userAgent?: string;
  /**
   * Distinguishes several windows of one application, so that each has its own event channel. @default none
   */
  readonly instanceId?: string;
  /** Sends the requests. @default fetchTransport(fetch) */
  readonly transport?: Transport;
  /**
   * A WHATWG fetch, if there is no `transport`. @default the platform's in browsers; cross-fetch elsewhere
   */
  readonly fetch?: Fetch;
  /** How the event channel is read. */
  readonly channel?: ChannelOptions;
  /**
   * `batching()`: requests that fall together are sent as one. @default each request is sent alone, at most
   * ten at a time
   */
  readonly batch?: Batching;
  /** The waits between attempts. @default as documented there */
  readonly retry?: RetryPolicy;
  /** The limits of what the server sends. @default as documented there */
  readonly limits?: Limits;
  /**
   * How long the application is kept after its last stream has ended, from 0 to 900 seconds: the next stream
   * then need not create another. `drain`, `close` and `suspend` end this time at once. It keeps a
   * Node process alive.
   * @default 3
   */
  readonly graceSeconds?: number;
  /**
   * What to do when the server has ended the application, with status 410, because it was inactive or the
   * user has too many. An application that was lost is always re-created; one whose userAgent is not allowed
   * never is.
   *
   * - `error`: the streams error.
   * - `recreate`: the application is created again.
   * @default 'error'
   */
  readonly onApplicationEnded?: 'error' | 'recreate';
  /**
   * What to do if the server cannot be reached, or is busy, before there was a connection.
   *
   * - `error`: the streams error after the retries.
   * - `wait`: the connection waits, with the growing waits of `retry`, as it always does later.
   * @default 'error'
   */
  readonly whenUnreachable?: 'wait' | 'error';
  /** `publishing()`: others see the user as available. @default nothing is published */
  readonly publish?: Publishing;
  /**
   * `checkpointed(store, key)`: what is on the server is saved for the next process, and with
   * `channel.ack: 'processed'` the position in the event channel, too. After a clean end nothing is left in
   * the store.
   *
   * After a crash, a connection with the same checkpoint takes over the application if it is still there,
   * removes the subscriptions that were left on it, and resumes after the events that were processed. If
   * events may have been lost, a `gap` event comes first. An `existingApplication` cannot have a checkpoint.
   * @default nothing is saved
   *
   * @example
   * ```ts
   * import { bearer, memoryCheckpoints } from 'rxchange';
   * import { ucwaSimulator } from 'rxchange/testing';
   * import { checkpointed, connectUcwa, presence } from 'rxchange/ucwa';
   *
   * const { url, transport } = ucwaSimulator({ mediumSeconds: 0 });
   * // For a service on Node: fileCheckpoints('/var/lib/presence/checkpoints').
   * const store = memoryCheckpoints();
   * const printSaved = () => store.load('presence').subscribe((saved) => console.log(saved !== undefined));
   * const ucwa = connectUcwa({
   *   ...{ server: url, auth: bearer('secret'), transport },
   *   channel: { ack: 'processed' },
   *   checkpoint: checkpointed(store, 'presence'),
   * });
   * presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
   * printSaved(); // needed by the next process if this one is killed now
   * // prints: true
   * await ucwa.close();
   * printSaved();
   * // prints: false
   * ```
   */
  readonly checkpoint?: Checkpoint;
  /**
   * Emits when the network is available again: whatever waits for it is sent at once.
   * @default the platform's `online` event, in browsers
   */
  readonly online$?: Observable<unknown>;
}

/** The most characters of {@link UcwaOptions.culture}, userAgent and the like, none of them a control. */
const SHORT_TEXT = /^\P{Cc}{1,100}$/u;
const LANGUAGE = /^[a-z]{2,8}(-[a-z\d]{1,8})*$/i;

function shortText(name: string, value: unknown): void {
  if (typeof value !== 'string' || !SHORT_TEXT.test(value))
    throw invalidOption(name, value, 'a text of 1 to 100 characters, without line breaks and the like');
}

/** The rules of {@link UcwaOptions}. Those of the values of features are with the features. */
export const UCWA_RULES: OptionRules<UcwaOptions> = {
  server: 1,
  auth: 1,
  allowInsecureHttp: 1,
  culture: (name, value) => {
    shortText(name, value);
    if (!LANGUAGE.test(String(value))) throw invalidOption(name, value, "a language such as 'en-us'");
  },
  endpointId: shortText,
  userAgent: shortText,
  instanceId: shortText,
  transport: 1,
  fetch: 1,
  channel: (name, value) => objectOption<ChannelOptions>(name, value as ChannelOptions, CHANNEL_RULES),
  batch: 1,
  retry: 1,
  limits: 1,
  graceSeconds: { min: 0, max: 900 },
  onApplicationEnded: ['error', 'recreate'],
  whenUnreachable: ['wait', 'error'],
  publish: 1,
  checkpoint: 1,
  online$: (name, value) => {
    if (!isObservable(value)) throw invalidOption(name, value, 'an Observable');
  },
};
