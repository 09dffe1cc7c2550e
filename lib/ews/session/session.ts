import type { Observable } from 'rxjs';
import type { ConnectionBackoff } from '../../core/backoff/connectionBackoff.ts';
import type { ConnectionStatus } from '../../core/connectionStatus.ts';
import type { Limits } from '../../core/limits.ts';
import type { DrainOptions, DrainReport, ReleaseLedger, Releases } from '../../core/lifecycle/ledger.ts';
import type { Suspension } from '../../core/lifecycle/suspension.ts';
import type { TimerWheel } from '../../core/rx/timerWheel.ts';
import type { HttpRequest, Middleware } from '../../core/transport/transport.ts';
import type { RetryPolicy } from '../../core/backoff/withRetry.ts';
import type { Endpoint } from '../discovery/affinityGroups.ts';
import type { EwsStatus } from './status.ts';
import type { SubscriptionIds } from './subscriptionIds.ts';
import type { EnvelopeHead, Impersonation } from '../protocol/envelope.ts';
import type { ServerEvent } from '../protocol/events.ts';
import type { ExchangeVersion } from '../protocol/version.ts';
import type { soapStream } from '../protocol/soap.ts';
import type { StreamedMessage } from '../protocol/streamParser.ts';
import type { ResponseMessage } from '../protocol/messages.ts';
import { invalidOption } from '../../core/options.ts';
import { type Activity } from '../../core/transport/requestLog.ts';

/** One operation, for {@link ServerSession.send}. */
interface EwsOperation {
  /** Such as `Subscribe`. */
  readonly name: string;
  /** Returns the body of the request. */
  readonly envelope: (head: EnvelopeHead) => string;
  readonly onProgress?: HttpRequest['onProgress'];
  readonly keepalive?: boolean;
  /** Called with events while the response arrives; the response has the others. @default it has all */
  readonly onEvents?: (events: readonly ServerEvent[]) => void;
}

/** An operation whose response stays open, for {@link ServerSession.stream}. */
interface StreamOperation extends Pick<EwsOperation, 'name' | 'envelope'> {
  readonly onProgress: NonNullable<HttpRequest['onProgress']>;
}

/** The internals of a connection, for the streams. */
export interface EwsSession {
  /** The schema version of its requests. */
  readonly version: ExchangeVersion;
  readonly ledger: ReleaseLedger;
  /** Adds requests to `activity$`. */
  readonly logged: Middleware;
  readonly status: EwsStatus;
  readonly suspension: Suspension;
  readonly timers: TimerWheel;
  readonly retry: RetryPolicy;
  /** How streams react before they had a subscription. */
  readonly whenUnreachable: 'wait' | 'error';
  readonly limits: Required<Limits>;
  /** How many streaming requests may be open at a time. */
  readonly maxConnections: number;
  /**
   * Emits the session at the current server, and again when the server has changed. It errors if none is
   * found.
   */
  readonly current$: Observable<ServerSession>;
  /** Returns the session at the only server, if its URL was given. */
  readonly fixed: (() => ServerSession) | undefined;
  /** Makes the next request look up the server again, because the mailbox has moved. */
  readonly invalidateLocation: () => void;
}

/** The session at one server. */
export interface ServerSession extends EwsSession {
  readonly subscriptionIds: SubscriptionIds;
  readonly head: EnvelopeHead;
  readonly url: string;
  /** The one backoff of all requests to this URL. */
  readonly backoff: ConnectionBackoff;
  /** Shared by all users whose streams share connections. */
  readonly endpoint: Endpoint;
  readonly send: (operation: EwsOperation) => Observable<ResponseMessage>;
  /**
   * Sends an operation whose response stays open.
   *
   * @param open Passed, so that only streams bundle it.
   */
  readonly stream: (open: typeof soapStream, operation: StreamOperation) => Observable<StreamedMessage>;
}

/** A connection to an Exchange server. */
export interface Exchange extends AsyncDisposable {
  /** The outcomes of removals from the server, and the removals that are pending. */
  readonly releases: Releases;
  /**
   * Emits whether the data of this connection is current: on subscription, and on every change.
   *
   * It is `live` when all streams are current: the server has sent a message on the open response of each
   * streaming subscription, has answered the last GetEvents of each pull, and has posted for each push. It is
   * `waiting` while the connection waits to try again: without a network, because of a login page, while
   * the server fails, asks to wait, or allows no more open responses (`starved`). It includes the streams of
   * all users. It never errors, and completes when the connection is closed.
   *
   * @example
   * ```ts
   * import { connectExchange, pullNotifications } from 'rxchange/ews';
   * import { ewsSimulator } from 'rxchange/testing';
   *
   * const { url, transport } = ewsSimulator();
   * const exchange = connectExchange({ server: url, transport });
   * exchange.status$.subscribe(({ state }) => console.log(state));
   * // prints: idle
   * const watching = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
   * // prints: connecting
   * // prints: live
   * watching.unsubscribe();
   * // prints: idle
   * await exchange.close();
   * // prints: closed
   * ```
   */
  readonly status$: Observable<ConnectionStatus>;
  /**
   * Emits each request of this connection when it has ended, including those of all users, Autodiscover,
   * sign-in and releases. A streaming response is one request. A post to a push subscription is recorded
   * with the status of the response to it, unless `callbackSecret` is false. `activity$` is hot, contains no
   * secret, never errors and never completes. On Node, all connections also publish to the channel
   * `rxchange:activity` of `node:diagnostics_channel`.
   *
   * @example
   * ```ts
   * import { take } from 'rxjs';
   * import { connectExchange, pullNotifications } from 'rxchange/ews';
   * import { ewsSimulator } from 'rxchange/testing';
   *
   * const { url, transport } = ewsSimulator();
   * const exchange = connectExchange({ server: url, transport });
   * exchange.activity$.subscribe(({ method, path, status, end }) => console.log(method, path, status, end));
   * pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe().unsubscribe();
   * // prints: POST /EWS/Exchange.asmx 200 answered
   * // prints: POST /EWS/Exchange.asmx 200 answered
   * // prints: POST /EWS/Exchange.asmx 200 answered
   * await exchange.drain();
   * ```
   */
  readonly activity$: Observable<Activity>;
  /**
   * Returns the same connection, acting as another user, with the same ledger, limits, sign-in and URL.
   *
   * To close one is to close all.
   *
   * @param user Exactly one way to name the user.
   * @param options `anchorMailbox` as in `ExchangeOptions`. @default that of `connectExchange`, or the user's
   * address
   * @throws TypeError that names the option that cannot be used.
   *
   * @example
   * ```ts
   * import { merge, take } from 'rxjs';
   * import { connectExchange, pullNotifications } from 'rxchange/ews';
   * import { ewsSimulator } from 'rxchange/testing';
   *
   * const server = ewsSimulator();
   * const exchange = connectExchange({ server: server.url, transport: server.transport });
   * const mailboxes = ['sara@contoso.com', 'alfred@contoso.com'].map((address) =>
   *   pullNotifications(exchange.actingAs({ primarySmtpAddress: address }), { allFolders: true, events: ['newMail'] }),
   * );
   * const watching = merge(...mailboxes).subscribe();
   * console.log(server.subscriptions.map(({ impersonated }) => impersonated?.name).join(', '));
   * // prints: sara@contoso.com, alfred@contoso.com
   * watching.unsubscribe();
   * console.log((await exchange.drain()).outcomes.length);
   * // prints: 2
   * ```
   */
  actingAs(user: Impersonation, options?: { readonly anchorMailbox?: string }): Exchange;
  /**
   * Resolves when the server has confirmed every removal, or the time is up.
   *
   * Grace periods end at once; streams that are still subscribed are not affected. Without `timeoutMs` it
   * waits until each removal has succeeded, failed or expired on the server. Never rejects.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Completes every stream of this connection, which unsubscribes on the server, then drains.
   *
   * It drains for at most `timeoutMs`, 10 seconds by default. After that nothing is sent any more. Never
   * rejects.
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

/** A property, so that it is found through a Proxy; a function, because a Proxy may wrap objects. */
export const SESSION: unique symbol = Symbol('EwsSession');

export type WithSession = Exchange & { readonly [SESSION]: () => EwsSession };

/**
 * Returns the session of a connection.
 *
 * @throws TypeError for anything but a connection.
 */
export function sessionOf(exchange: Exchange): EwsSession {
  const { [SESSION]: session } = Object(exchange) as Partial<WithSession>;
  if (session === undefined) throw invalidOption('exchange', exchange, 'what connectExchange() returned');
  return session();
}
