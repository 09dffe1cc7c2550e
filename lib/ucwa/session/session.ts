import { type Observable } from 'rxjs';
import type { Activity } from '../../core/transport/requestLog.ts';
import type { Checkpointing } from '../../core/checkpoint/checkpointed.ts';
import { invalidOption } from '../../core/options.ts';
import {
  type CloseOptions,
  type DrainOptions,
  type DrainReport,
  type ReleaseLedger,
  type Releases,
} from '../../core/lifecycle/ledger.ts';
import { type TimerWheel } from '../../core/rx/timerWheel.ts';
import type { Transport } from '../../core/transport/transport.ts';
import type { ChannelParameters, EventBatch } from '../protocol/cursor.ts';
import { type EventRouter } from '../channel/eventRouter.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import type { Application, LiveApplication } from '../application/liveApplication.ts';
import { type ChannelRefCount } from '../channel/channelRefCount.ts';
import type { ServerLocation } from '../discovery/location.ts';
import type { Pause } from '../../core/backoff/backoff.ts';
import { type Link, type Resource } from '../protocol/resource.ts';

/** A connection to a UCWA application. */
export interface Ucwa extends AsyncDisposable {
  /**
   * All events of the application, in the server's order. While anybody is subscribed, here or to what is
   * built on it, one request for events waits on the server.
   *
   * An application that is gone is made again, and a `gap` event stands at that place: hrefs from before lead
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
   * Emits each request of this connection when it is over: those of discovery, of sign-in and of releases,
   * too. A batch is one. It is hot, never errors and never completes; nothing secret is in it. On Node all
   * connections tell theirs on the channel `rxchange:activity` of `node:diagnostics_channel`, too.
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
   * Returns an Observable that asks the server for what a link leads to, such as that of an event, and emits
   * it. It errors with an `HttpError` where the server refuses, and with an `OriginError` for a
   * link to another server. It throws a TypeError for a link without an href.
   */
  get(link: Link): Observable<Resource>;
  /**
   * Changes how long the server holds events and requests back, from now on. A request for events that waits
   * is replaced by one with the new times, and with a higher priority, so that it wins; no event is lost. It
   * throws a TypeError that names the parameter for one that cannot be used. [EventChannelDetails]
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
   * Completes every stream of this connection, which removes what it has on the server, then drains for at
   * most `timeoutMs`, 10 seconds by default. After it resolves nothing is sent any more. Never rejects.
   */
  close(options?: CloseOptions): Promise<DrainReport>;
}

/** What a connection is to the rest of this protocol. */
export interface UcwaSession {
  readonly application$: Observable<LiveApplication>;
  readonly router: EventRouter;
  readonly channelRefCount: ChannelRefCount;
  readonly timers: TimerWheel;
  readonly ledger: ReleaseLedger;
  readonly transport: Transport;
  readonly pause: Pause;
  /** Whether a failure means that the server is elsewhere now: then the application is gone. */
  readonly hasMoved: ServerLocation['hasMoved'];
  /** Saves for the next process what is on the server; undefined if nothing is saved. */
  readonly checkpointing: Checkpointing | undefined;
  /** Whose turn it is with the one subscription to contacts and groups that an application has. */
  readonly contactListMutex$: Observable<undefined>;
  /** What the client asked for, if it did. */
  readonly mediumSeconds: () => number | undefined;
}

/** A property, not a WeakMap: it is found through a Proxy, too. A function, for a Proxy may wrap objects. */
export const SESSION: unique symbol = Symbol('UcwaInternals');

export type WithSession = Ucwa & { readonly [SESSION]: () => UcwaSession };

/** What is inside a connection; it throws a TypeError for what {@link connectUcwa} did not make. */
export function sessionOf(ucwa: Ucwa): UcwaSession {
  const { [SESSION]: internals } = Object(ucwa) as Partial<WithSession>;
  if (internals === undefined) throw invalidOption('ucwa', ucwa, 'what connectUcwa() returned');
  return internals();
}
