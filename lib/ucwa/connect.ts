import { map, merge, mergeMap, type Observable, Subject } from 'rxjs';
import type { Activity } from '../core/activity.ts';
import { invalidOption, typeName } from '../core/options.ts';
import {
  type CloseOptions,
  type DrainOptions,
  type DrainReport,
  releaseLedger,
  type ReleaseLedger,
  type Releases,
} from '../core/releases.ts';
import { sharedTimers, type SharedTimers } from '../core/sharedTimers.ts';
import { untilClosed } from '../core/untilClosed.ts';
import type { Transport } from '../core/transport.ts';
import { application } from './application.ts';
import { batching } from './batching.ts';
import { channel } from './channel.ts';
import type { ConnectOptions } from './connectOptions.ts';
import { checkParameters, connectPlan } from './connectPlan.ts';
import type { ChannelParameters, EventBatch } from './cursor.ts';
import { dispatch, type Dispatch } from './dispatch.ts';
import type { UcwaEvent } from './events.ts';
import { absolute } from './href.ts';
import type { Application, LiveApplication } from './liveApplication.ts';
import { listening, type Listening } from './listening.ts';
import type { Location } from './location.ts';
import { network } from './network.ts';
import type { Pause } from '../core/backoff.ts';
import { requestJson } from './request.ts';
import { shareLatest } from './shareLatest.ts';
import { turns } from './turns.ts';
import { type Link, type Resource, resourceCodec } from './wire.ts';

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
   * Emits each request of this connection when it is over: those of discovery, of sign-in and of releases, too.
   * A batch is one. It is hot, never errors and never completes; nothing secret is in it. On Node all
   * connections tell theirs on the channel `rxchange:activity` of `node:diagnostics_channel`, too.
   *
   * @example
   * ```ts
   * import { ucwaSimulator } from 'rxchange/testing';
   * import { connect } from 'rxchange/ucwa';
   *
   * const { url, transport } = ucwaSimulator();
   * const ucwa = connect({ applications: url, token: 'secret', transport });
   * ucwa.activity$.subscribe(({ method, path, status, end }) => console.log(method, path, status ?? end));
   * ucwa.application$.subscribe().unsubscribe();
   * // prints: POST /ucwa/oauth/v1/applications 201
   * // prints: DELETE /ucwa/oauth/v1/applications/101 204
   * await ucwa.drain();
   * ```
   */
  readonly activity$: Observable<Activity>;
  /**
   * Returns an Observable that asks the server for what a link leads to, such as that of an event, and emits
   * it. It errors with an `HttpError` where the server refuses, and with an `OriginError` for a
   * link to another server. It throws a TypeError for a link without an href.
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
  /**
   * Resolves when the server has confirmed every removal, or the time is up. Grace periods end at once; streams that
   * are still subscribed are left alone. Without `timeoutMs` it waits until each removal has succeeded, failed or
   * expired on the server. Never rejects.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Completes every stream of this connection, which removes what it has on the server, then drains for at most
   * `timeoutMs`, 10 seconds by default. After it resolves nothing is sent any more. Never rejects.
   */
  close(options?: CloseOptions): Promise<DrainReport>;
}

/** What a connection is to the rest of this protocol. */
export interface UcwaInternals {
  readonly application$: Observable<LiveApplication>;
  readonly dispatch: Dispatch;
  readonly listening: Listening;
  readonly timers: SharedTimers;
  readonly ledger: ReleaseLedger;
  readonly transport: Transport;
  readonly pause: Pause;
  /** Whether a failure means that the server is elsewhere now: then the application is gone. */
  readonly hasMoved: Location['hasMoved'];
  /** Whether what it has on the server is kept for the next process. */
  readonly isKept: boolean;
  /** Whose turn it is with the one subscription to contacts and groups that an application has. */
  readonly contactsTurn$: Observable<undefined>;
  /** What the client asked for, if it did. */
  readonly mediumSeconds: () => number | undefined;
}

/** How long the server holds a request for events where it is not told otherwise. [EventChannelDetails] */
const TIMEOUT_SECONDS = 180;

/** A property, not a WeakMap: it is found through a Proxy, too. A function, for a Proxy may wrap objects. */
const INTERNALS = Symbol('UcwaInternals');

type WithInternals = Ucwa & { readonly [INTERNALS]: () => UcwaInternals };

/**
 * Describes a connection to a UCWA server (Skype for Business). Nothing is sent before a subscription.
 *
 * The first subscription creates the application, all share it, and it is deleted after the last has ended and
 * everything on it has been removed. It throws a TypeError that names the option for one that cannot be used.
 * [CreateAnApplication, EventsInUCWA]
 *
 * With a `domain` the first subscription also finds the server and signs in there. What `discover` errors with
 * is an error of the streams then; but hosts that do not answer for now are waited for: as often as `retry`
 * says at first, and without end once there was a connection. A user who has moved to another server is
 * followed there. [RootURL]
 *
 * @example
 * ```ts
 * import { connect, password, presence } from 'rxchange/ucwa';
 * import { ucwaDiscovery, ucwaSimulator } from 'rxchange/testing';
 *
 * const pool = ucwaSimulator({ origin: 'https://lyncweb.contoso.com' });
 * const { transport } = ucwaDiscovery({ users: { 'sara@contoso.com': 'hush' }, pool: pool.transport });
 * const signIn = password({ username: 'sara@contoso.com', password: 'hush' });
 * const ucwa = connect({ domain: 'contoso.com', signIn, transport });
 * const watching = presence(ucwa, { uris: ['sip:john@contoso.com'] }).subscribe();
 * console.log(pool.presenceSubscriptions.map(({ uris }) => uris));
 * // prints: [ [ 'sip:john@contoso.com' ] ]
 * watching.unsubscribe();
 * await ucwa.drain();
 * ```
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
  const { source, location, ack, onReplaced, graceMs, retry, onExpelled, backoff, limits, ...plan } =
    connectPlan(options);
  const { pause, answered, failed } = backoff;
  let { parameters } = plan;
  let live: LiveApplication | undefined;
  const ledger = releaseLedger();
  const { leaving$ } = ledger;
  const { transport, polling } = network({
    ...{
      sending: plan.sending,
      signed: plan.signed,
      pinned: location.pinned,
      noted: location.noted,
      backoff,
      retry,
      limits,
    },
    together: batching(plan.batch, () => live, limits, { leaving$, answered, failed }),
    heldSeconds: () => parameters.timeoutSeconds ?? TIMEOUT_SECONDS,
  });
  // After the batches, which are to pass when they are flushed.
  leaving$.subscribe(backoff.leave);
  const events = dispatch();
  const tuned = new Subject<void>();
  const { checkpoint, publication } = plan;
  const contactsTurn$ = turns();
  const application$ = application({
    ...{ source, location, transport, ledger, graceMs, pause, onExpelled, publication },
    ...{ checkpoint, ack, contactsTurn$, whenUnreachable: plan.whenUnreachable },
    onMade: (made) => (live = made),
  });
  const batches$ = channel({
    ...{ application$, dispatch: events, ack, onReplaced, pause, hasMoved: location.hasMoved },
    transport: polling,
    parameters: () => parameters,
    again$: merge(tuned, backoff.online$),
  });

  const internals: UcwaInternals = {
    application$: application$.pipe(shareLatest(({ isOver }) => !isOver)),
    ...{ dispatch: events, listening: listening(batches$), timers: sharedTimers() },
    ...{ ledger, transport, pause, contactsTurn$, hasMoved: location.hasMoved },
    isKept: checkpoint !== undefined,
    mediumSeconds: () => parameters.mediumSeconds,
  };
  const connection: WithInternals = {
    events$: batches$.pipe(
      mergeMap((batch) => batch.events),
      untilClosed(ledger, 'events$'),
    ),
    batches$: batches$.pipe(untilClosed(ledger, 'batches$')),
    application$: application$.pipe(
      map(({ self, events: href, me, people, resource }) => ({ self, events: href, me, people, resource })),
      untilClosed(ledger, 'application$'),
    ),
    releases: ledger,
    activity$: plan.activity$,
    get: (link) => {
      const href = hrefOption(link);
      return location.url$.pipe(
        mergeMap((base) =>
          requestJson(transport, { method: 'GET', url: absolute(href, base) }, resourceCodec, 'resource'),
        ),
        map(({ value }) => value),
        untilClosed(ledger, 'get'),
      );
    },
    tune: (changed) => {
      checkParameters(changed);
      parameters = { ...parameters, ...changed };
      tuned.next();
    },
    drain: (options) => ledger.drain(options),
    close: (options) => ledger.close(options),
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
    [INTERNALS]: () => internals,
  };
  return connection;
}

/** What is inside a connection; it throws a TypeError for what {@link connect} did not make. */
export function internalsOf(ucwa: Ucwa): UcwaInternals {
  const { [INTERNALS]: internals } = Object(ucwa) as Partial<WithInternals>;
  if (internals === undefined) throw invalidOption('ucwa', ucwa, 'what connect() returned');
  return internals();
}

/** Callers without types pass the href itself. */
function hrefOption(link: unknown): string {
  if (typeof link === 'object' && link !== null && 'href' in link && typeof link.href === 'string')
    return link.href;
  throw new TypeError(`link must be an object with an href, such as event.link, but it is ${typeName(link)}`);
}
