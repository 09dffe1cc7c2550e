import { isObservable, map, merge, mergeMap, type Observable, Subject } from 'rxjs';
import { fetchTransport } from '../core/fetchTransport.ts';
import type { Fetch } from '../core/keptAliveFetch.ts';
import { choiceOption, invalidOption, invalidSecret, numberOption, urlOption } from '../core/options.ts';
import { pinnedTo } from '../core/pinnedTo.ts';
import {
  type DrainReport,
  releaseLedger,
  type ReleaseLedger,
  type Releases,
  untilClosed,
} from '../core/releases.ts';
import { reportProgress } from '../core/reportProgress.ts';
import type { Transport } from '../core/transport.ts';
import { type RetryPolicy, withRetry } from '../core/withRetry.ts';
import { type TokenProvider, withToken } from '../core/withToken.ts';
import {
  type Application,
  application,
  type ApplicationIdentity,
  type ApplicationSource,
  type LiveApplication,
} from './application.ts';
import { type Acknowledgement, channel } from './channel.ts';
import type { ChannelParameters, EventBatch } from './cursor.ts';
import type { OnExpelled, OnReplaced } from './decision.ts';
import { dispatch, type Dispatch } from './dispatch.ts';
import type { UcwaEvent } from './events.ts';
import { absolute } from './href.ts';
import { refusesToken, revealInvalidToken } from './invalidToken.ts';
import { platformOnline } from './online.ts';
import { type Pause, pausing } from './pause.ts';
import { requestJson } from './request.ts';
import { type Link, Resource } from './wire.ts';

/** How the event channel is read. */
export interface ChannelOptions extends ChannelParameters {
  /**
   * When a batch of events is acknowledged, which is by asking for the next: `eager` before it is processed, as
   * documented; `processed` when all subscribers have seen it, so that a crash in between loses nothing.
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

/** What is common to both kinds of {@link ConnectOptions}. */
interface CommonOptions {
  /**
   * An OAuth token, or how to get one, asked with the origin that it is for. Leave it out where the transport
   * or the browser signs the requests.
   */
  readonly token?: TokenProvider;
  /** @default 'en-us' */
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
   * Emits when there is a network again: whatever waits for one is tried at once.
   * @default when the platform says so, where it does, as browsers do
   */
  readonly online$?: Observable<unknown>;
}

/** Which server and which application; both URLs are absolute. */
export type ConnectOptions = CommonOptions &
  (
    | {
        /** Where applications are created: the link of that name, from the discovery. */
        readonly applications: string;
        readonly application?: undefined;
      }
    | {
        /** An application that exists already. It is used, and never deleted. */
        readonly application: string;
        readonly applications?: undefined;
      }
  );

/** A connection to a UCWA application. */
export interface Ucwa extends AsyncDisposable {
  /**
   * All events of the application, in the server's order. While anybody is subscribed, here or to what is
   * built on it, one request for events waits on the server.
   *
   * An application that is gone is made again, and a `reset` event stands at that place: hrefs from before lead
   * nowhere then. It errors with what ends the channel: a token that is refused, another client on the same
   * channel, an application that was given and is gone or that the server has ended, what is not UCWA.
   */
  readonly events$: Observable<UcwaEvent>;
  /** The same as the server sends it: in batches, with the links by which they are acknowledged. */
  readonly batches$: Observable<EventBatch>;
  /**
   * The application; it is there as long as anybody is subscribed here or to what is built on it. When it was
   * made again, the new one is emitted.
   */
  readonly application$: Observable<Application>;
  /** What was removed from the server, is being removed, and could not be removed. */
  readonly releases: Releases;
  /**
   * Returns an Observable that asks the server for what a link leads to, such as that of an event, and emits
   * it. It errors with an {@link HttpError} where the server refuses, and with an {@link OriginError} for a
   * link to another server.
   */
  get(link: Link): Observable<Resource>;
  /**
   * Changes how long the server holds events and requests back, from now on. A request for events that waits is
   * replaced by one with the new times, and with a higher priority, so that it wins; no event is lost. It
   * throws a TypeError that names the parameter for one that cannot be used. [EventChannelDetails]
   *
   * @example
   * ```ts
   * import { connect } from 'rxchange/ucwa';
   * import { ucwaSimulator } from 'rxchange/testing';
   *
   * const server = ucwaSimulator();
   * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
   * const watching = ucwa.events$.subscribe();
   * ucwa.tune({ mediumSeconds: 60 });
   * console.log(server.requests.at(-1)?.path);
   * // prints: /ucwa/oauth/v1/applications/101/events?ack=1&medium=60&priority=1
   * watching.unsubscribe();
   * await ucwa.drain();
   * ```
   */
  tune(parameters: ChannelParameters): void;
  /** Resolves when nothing that was unsubscribed from is left to remove. Never rejects. */
  drain(): Promise<DrainReport>;
  /** Completes every stream of this connection, which removes what it has on the server, then drains. Never rejects. */
  close(): Promise<DrainReport>;
}

/** What a connection is to the rest of this protocol. */
export interface UcwaInternals {
  readonly application$: Observable<LiveApplication>;
  readonly batches$: Observable<EventBatch>;
  readonly dispatch: Dispatch;
  readonly ledger: ReleaseLedger;
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  readonly pause: Pause;
  /** What the client asked for, if it did. */
  readonly mediumSeconds: () => number | undefined;
}

const INTERNALS = new WeakMap<Ucwa, UcwaInternals>();

/**
 * Describes a connection to a UCWA server (Skype for Business). Nothing is sent before a subscription.
 *
 * The first subscription creates the application, all share it, and it is deleted after the last has ended and
 * everything on it has been removed. It throws a TypeError that names the option for one that cannot be used.
 * [CreateAnApplication, EventsInUCWA]
 *
 * @example
 * ```ts
 * import { take } from 'rxjs';
 * import { connect } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator();
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
 * ucwa.events$.pipe(take(1)).subscribe(({ type, link }) => console.log(type, link.rel));
 * server.emit({ type: 'updated', link: { rel: 'missedItems', href: '/missedItems' } });
 * // prints: updated missedItems
 * const { outcomes } = await ucwa.drain();
 * console.log(outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`));
 * // prints: [ 'application Released' ]
 * ```
 */
export function connect(options: ConnectOptions): Ucwa {
  const { graceSeconds = 0, retry = {}, channel: channelOptions = {}, onExpelled = 'error' } = options;
  const source = sourceFrom(options);
  numberOption('graceSeconds', graceSeconds, { min: 0, max: 900 });
  choiceOption('onExpelled', onExpelled, ['error', 'recreate']);
  const { ack = 'eager', onReplaced = 'fail', ...given } = channelOptions;
  choiceOption('channel.ack', ack, ['eager', 'processed']);
  checkParameters(given, 'channel.');
  choiceOption('channel.onReplaced', onReplaced, source.kind === 'create' ? ['fail', 'rejoin'] : ['fail']);
  const { online$ = platformOnline() } = options;
  if (!isObservable(online$)) throw invalidOption('online$', online$, 'an Observable');
  if (options.transport !== undefined && options.fetch !== undefined) {
    throw invalidOption('fetch', options.fetch, 'left out where transport is given');
  }

  const { origin } = new URL(source.url);
  const sent = pinnedTo(origin)(
    revealInvalidToken(reportProgress(options.transport ?? fetchTransport(options.fetch))),
  );
  const sign = signing(options.token);
  const transport = sign(withRetry(retry)(sent));
  const ledger = releaseLedger();
  const events = dispatch();
  const pause = pausing(retry, online$);
  const tuned = new Subject<void>();
  let parameters: ChannelParameters = given;
  const application$ = application({
    ...{ source, transport, ledger, backoff: retry, pause, onExpelled },
    graceMs: graceSeconds * 1000,
  });
  const batches$ = channel({
    // The channel repeats its requests itself, and longer.
    ...{ application$, transport: sign(sent), dispatch: events, ack, onReplaced, pause },
    parameters: () => parameters,
    again$: merge(tuned, online$),
  });

  const ucwa: Ucwa = {
    events$: batches$.pipe(
      mergeMap((batch) => batch.events),
      untilClosed(ledger, 'events$'),
    ),
    batches$: batches$.pipe(untilClosed(ledger, 'batches$')),
    application$: application$.pipe(
      map(({ self, events: href, resource }) => ({ self, events: href, resource })),
      untilClosed(ledger, 'application$'),
    ),
    releases: ledger,
    get: ({ href }) =>
      requestJson(transport, { method: 'GET', url: absolute(href, source.url) }, Resource, 'resource').pipe(
        map(({ value }) => value),
        untilClosed(ledger, 'get'),
      ),
    tune: (changed) => {
      checkParameters(changed);
      parameters = { ...parameters, priority: (parameters.priority ?? 0) + 1, ...changed };
      tuned.next();
    },
    drain: () => ledger.drain(),
    close: () => ledger.close(),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
  INTERNALS.set(ucwa, {
    ...{ application$, batches$, dispatch: events, ledger, transport, retry, pause },
    mediumSeconds: () => parameters.mediumSeconds,
  });
  return ucwa;
}

/** What is inside a connection; it throws a TypeError for what {@link connect} did not make. */
export function internalsOf(ucwa: Ucwa): UcwaInternals {
  const internals = INTERNALS.get(ucwa);
  if (internals === undefined) throw invalidOption('ucwa', ucwa, 'what connect() returned');
  return internals;
}

function signing(token: TokenProvider | undefined): (transport: Transport) => Transport {
  return token === undefined ? (transport) => transport : withToken(token, { refused: refusesToken });
}

function sourceFrom(options: ConnectOptions): ApplicationSource {
  const given: { readonly application?: unknown; readonly applications?: unknown } = options;
  if ((given.application === undefined) === (given.applications === undefined)) {
    throw invalidSecret('applications', 'given, or application, and not both');
  }
  if (given.application !== undefined) {
    return { kind: 'given', url: urlOption('application', given.application).href };
  }
  return {
    kind: 'create',
    url: urlOption('applications', given.applications).href,
    identity: identityFrom(options),
  };
}

function identityFrom(options: ConnectOptions): ApplicationIdentity {
  const { culture = 'en-us', userAgent = 'rxchange', instanceId } = options;
  const endpointId = options.endpointId ?? crypto.randomUUID();
  const identity = { culture, endpointId, userAgent, ...(instanceId === undefined ? {} : { instanceId }) };
  for (const [name, value] of Object.entries(identity)) {
    if (typeof value !== 'string' || value === '' || value.length > 100) {
      throw invalidOption(name, value, 'a text of 1 to 100 characters');
    }
  }
  return identity;
}

function checkParameters(parameters: ChannelParameters, prefix = ''): void {
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
