import { type Observable } from 'rxjs';
import type { Activity } from '../../core/transport/requestLog.ts';
import type { Checkpointing } from '../../core/checkpoint/checkpointing.ts';
import type { ConnectionStatus, StatusTracker } from '../../core/connectionStatus.ts';
import { invalidOption } from '../../core/options.ts';
import {
  type DrainOptions,
  type DrainReport,
  type ReleaseLedger,
  type Releases,
} from '../../core/lifecycle/ledger.ts';
import type { Suspension } from '../../core/lifecycle/suspension.ts';
import { type TimerWheel } from '../../core/rx/timerWheel.ts';
import type { SharedValues } from '../../core/sharedValues.ts';
import type { Transport } from '../../core/transport/transport.ts';
import type { ChannelParameters, EventBatch } from '../protocol/cursor.ts';
import { type EventRouter } from '../channel/eventRouter.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import type { Application, LiveApplication } from '../application/liveApplication.ts';
import { type ChannelRefCount } from '../channel/channel.ts';
import type { ServerLocation } from '../discovery/location.ts';
import type { Pause } from '../../core/backoff/backoff.ts';
import { type Link, type Resource } from '../protocol/resource.ts';

/** A connection to a UCWA application. */
export interface Ucwa extends AsyncDisposable {
  /**
   * All events of the application, in the server's order. While there are subscribers, to this or to a stream
   * that uses it, one request for events waits on the server.
   *
   * If the application is lost, it is re-created, and a `gap` event is emitted; earlier hrefs are then
   * invalid. It errors if a token is refused, another client takes over the channel, a given application is
   * gone, the server has ended the application, or a response is not from UCWA.
   */
  readonly events$: Observable<UcwaEvent>;
  /** The events in batches, as the server sends them, with the links that acknowledge them. */
  readonly batches$: Observable<EventBatch>;
  /**
   * The application. It exists while there are subscribers, to this or to a stream that uses it. After a
   * re-creation, the new application is emitted.
   */
  readonly application$: Observable<Application>;
  /**
   * Whether the data of the streams is current: emits on subscription, and on every change. Completes after
   * `closed`, and never errors.
   *
   * It is `live` while the request for events waits on the server and all states were received. Every failure
   * makes it `waiting`, except one of a single request while the request for events waits. A network that
   * drops everything silently is noticed when that request is overdue: after
   * `channel.timeoutSeconds + limits.headersSeconds`, 5 minutes by default. After that, only a response
   * counts.
   *
   * @example
   * ```ts
   * import { bearer } from 'rxchange';
   * import { connectUcwa, presence } from 'rxchange/ucwa';
   * import { ucwaSimulator } from 'rxchange/testing';
   *
   * const { url, transport } = ucwaSimulator();
   * const ucwa = connectUcwa({ server: url, auth: bearer('secret'), transport });
   * ucwa.status$.subscribe(({ state }) => console.log(state));
   * // prints: idle
   * const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
   * // prints: connecting
   * // prints: live
   * watching.unsubscribe();
   * // prints: idle
   * await ucwa.close();
   * // prints: closed
   * ```
   */
  readonly status$: Observable<ConnectionStatus>;
  /** The removals from the server: completed, pending and failed ones. */
  readonly releases: Releases;
  /**
   * Emits each request of this connection when it has ended. These include requests of discovery, sign-in and
   * releases. A batch is one request. It is hot, never errors, never completes, and contains no secrets. On
   * Node, every connection also publishes its requests to the channel `rxchange:activity` of
   * `node:diagnostics_channel`.
   *
   * @example
   * ```ts
   * import { ucwaSimulator } from 'rxchange/testing';
   * import { bearer } from 'rxchange';
   * import { connectUcwa } from 'rxchange/ucwa';
   *
   * const { url, transport } = ucwaSimulator();
   * const ucwa = connectUcwa({ server: url, auth: bearer('secret'), transport });
   * ucwa.activity$.subscribe(({ method, path, status, end }) => console.log(method, path, status ?? end));
   * ucwa.application$.subscribe().unsubscribe();
   * // prints: POST /ucwa/oauth/v1/applications 201
   * // prints: DELETE /ucwa/oauth/v1/applications/101 204
   * await ucwa.drain();
   * ```
   */
  readonly activity$: Observable<Activity>;
  /**
   * Returns an Observable that requests and emits the resource of a link, such as `event.link`. It errors
   * with an `HttpError` if the server refuses, and with an `OriginError` for a link to another server. Throws
   * a TypeError for a link without an href.
   */
  get(link: Link): Observable<Resource>;
  /**
   * Changes how long the server holds back events and requests, from now on. A pending request for events is
   * replaced by one with the new times and a higher priority, so that it wins; no event is lost. Throws a
   * TypeError that names an invalid parameter.
   *
   * @see [MS-UCWA] EventChannelDetails
   *
   * @example
   * ```ts
   * import { bearer } from 'rxchange';
   * import { connectUcwa } from 'rxchange/ucwa';
   * import { ucwaSimulator } from 'rxchange/testing';
   *
   * const server = ucwaSimulator();
   * const { url, transport } = server;
   * const ucwa = connectUcwa({ server: url, auth: bearer('secret'), transport });
   * const watching = ucwa.events$.subscribe();
   * ucwa.setChannelParameters({ mediumSeconds: 60 });
   * console.log(server.requests.at(-1)?.path);
   * // prints: /ucwa/oauth/v1/applications/101/events?ack=1&medium=60&priority=1
   * watching.unsubscribe();
   * await ucwa.drain();
   * ```
   */
  setChannelParameters(parameters: ChannelParameters): void;
  /**
   * Resolves when the server has confirmed every removal, or the time is up. Grace periods end at once;
   * streams that are still subscribed are left alone. Without `timeoutMs` it waits until each removal has
   * succeeded, failed or expired on the server. Never rejects.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Completes every stream of this connection, which releases its resources on the server. Then it drains for
   * at most `timeoutMs`, 10 seconds by default. After it resolves nothing is sent any more. Never rejects.
   */
  close(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Removes everything from the server at once, and waits for `resume()`. Streams stay subscribed.
   *
   * For a page that is left, or a machine that goes to sleep: `suspendOnPageHide`. Releases are sent
   * immediately, even while the server does not respond, and grace periods end.
   */
  suspend(): void;
  /**
   * Continues after `suspend()`: streams create their subscriptions again, and emit a `gap` where events may
   * be missing.
   */
  resume(): void;
}

/** The internals of a connection that its streams share. */
export interface UcwaSession {
  readonly application$: Observable<LiveApplication>;
  readonly router: EventRouter;
  readonly channelRefCount: ChannelRefCount;
  readonly timers: TimerWheel;
  readonly ledger: ReleaseLedger;
  readonly suspension: Suspension;
  readonly status: StatusTracker;
  /** Values of optional features that all their streams share. */
  readonly shared: SharedValues;
  readonly transport: Transport;
  readonly pause: Pause;
  /** Emits whether a failure means that the server has moved. The application is gone then. */
  readonly hasMoved: ServerLocation['hasMoved'];
  /** Saves the resources on the server for the next process; undefined if nothing is saved. */
  readonly checkpointing: Checkpointing | undefined;
  /** The mutex of the subscription to contacts and groups: an application has only one. */
  readonly contactListMutex$: Observable<undefined>;
  /** Returns the `medium` parameter of the event channel, if the caller has set one. */
  readonly mediumSeconds: () => number | undefined;
}

/**
 * A property is found through a Proxy, unlike a WeakMap entry; it is a function, because a Proxy may wrap
 * objects.
 */
export const SESSION: unique symbol = Symbol('UcwaInternals');

export type WithSession = Ucwa & { readonly [SESSION]: () => UcwaSession };

/** Returns the internals of a connection; throws a TypeError for anything but a connection. */
export function sessionOf(ucwa: Ucwa): UcwaSession {
  const { [SESSION]: internals } = Object(ucwa) as Partial<WithSession>;
  if (internals === undefined) throw invalidOption('ucwa', ucwa, 'what connectUcwa() returned');
  return internals();
}
