import type { Observable } from 'rxjs';
import type { ConnectionBackoff } from '../../core/backoff/connectionBackoff.ts';
import type { Limits } from '../../core/limits.ts';
import type {
  CloseOptions,
  DrainOptions,
  DrainReport,
  ReleaseLedger,
  Releases,
} from '../../core/lifecycle/ledger.ts';
import type { TimerWheel } from '../../core/rx/timerWheel.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import type { RetryPolicy } from '../../core/backoff/withRetry.ts';
import type { Endpoint } from '../discovery/affinityGroups.ts';
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
  /** Writes the request. */
  readonly envelope: (head: EnvelopeHead) => string;
  readonly onProgress?: HttpRequest['onProgress'];
  readonly keepalive?: boolean;
  /** Called with events of the answer while it arrives; it brings those that are left. @default all come with it */
  readonly onEvents?: (events: readonly ServerEvent[]) => void;
}

/** An operation whose answer goes on and on, for {@link ServerSession.stream}. */
interface StreamOperation extends Pick<EwsOperation, 'name' | 'envelope'> {
  readonly onProgress: NonNullable<HttpRequest['onProgress']>;
}

/** What a service is to the rest of this protocol, wherever it is. */
export interface EwsSession {
  /** The schema version of its requests. */
  readonly version: ExchangeVersion;
  readonly ledger: ReleaseLedger;
  readonly timers: TimerWheel;
  readonly retry: RetryPolicy;
  /** What to do before there was a subscription. */
  readonly whenUnreachable: 'wait' | 'error';
  readonly limits: Required<Limits>;
  /** How many streams may be open at the same time. */
  readonly maxConnections: number;
  /**
   * Emits the service where it is, and again when it is found elsewhere. It never completes before its
   * subscriber has to go on; it errors where it cannot be found.
   */
  readonly current$: Observable<ServerSession>;
  /** The same where it stays, for its URL was given. */
  readonly fixed: (() => ServerSession) | undefined;
  /** The mailbox is not where it was: what is known of its place is found out anew by who next needs it. */
  readonly invalidateLocation: () => void;
}

/** The same at one place. */
export interface ServerSession extends EwsSession {
  readonly subscriptionIds: SubscriptionIds;
  readonly head: EnvelopeHead;
  readonly url: string;
  /** The one backoff of all requests to this URL. */
  readonly backoff: ConnectionBackoff;
  /** One for all whose streams share connections. */
  readonly endpoint: Endpoint;
  readonly send: (operation: EwsOperation) => Observable<ResponseMessage>;
  /**
   * Sends an operation whose response stays open.
   *
   * @param open Passed, so that only streams bundle it.
   */
  readonly stream: (open: typeof soapStream, operation: StreamOperation) => Observable<StreamedMessage>;
}

/** A connection to an Exchange server, to subscribe on. */
export interface Exchange extends AsyncDisposable {
  /** What was removed from the server, is being removed, and could not be removed. */
  readonly releases: Releases;
  /**
   * Emits each request of this connection when it is over: those of all users, of Autodiscover, of sign-in and
   * of releases, too. A stream is one, as long as it lasts. It is hot, never errors and never completes; nothing
   * secret is in it. On Node all connections tell theirs on the channel `rxchange:activity` of
   * `node:diagnostics_channel`, too.
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
   * @param options `anchorMailbox` as in `ExchangeOptions`. @default that of `connectExchange`, or the user's address
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
   *   pullNotifications(connectExchange.actingAs({ primarySmtpAddress: address }), { allFolders: true, events: ['newMail'] }),
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
   * Resolves when the server has confirmed every removal, or the time is up. Grace periods end at once; streams that
   * are still subscribed are left alone. Without `timeoutMs` it waits until each removal has succeeded, failed or
   * expired on the server. Never rejects.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Completes every stream of this connection, which unsubscribes on the server, then drains for at most
   * `timeoutMs`, 10 seconds by default. After it resolves nothing is sent any more. Never rejects.
   */
  close(options?: CloseOptions): Promise<DrainReport>;
}

/** A property, not a WeakMap: it is found through a Proxy, too. A function, for a Proxy may wrap objects. */
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
