import { map } from 'rxjs';
import { type ConnectionBackoff, connectionBackoff } from '../core/backoff/connectionBackoff.ts';
import { releaseLedger } from '../core/lifecycle/ledger.ts';
import { suspension } from '../core/lifecycle/suspension.ts';
import { invalidOption } from '../core/options.ts';
import { sharedValues } from '../core/sharedValues.ts';
import { timerWheel } from '../core/rx/timerWheel.ts';
import { fetchTransport } from '../core/transport/fetch.ts';
import { requestLog } from '../core/transport/requestLog.ts';
import { restrictToOrigin } from '../core/transport/restrictToOrigin.ts';
import type { Transport } from '../core/transport/transport.ts';
import { concurrencyLimit } from '../core/transport/withConcurrency.ts';
import { withLimits } from '../core/transport/withLimits.ts';
import { withoutWebPages } from '../core/transport/withoutWebPages.ts';
import { withProgress } from '../core/transport/withProgress.ts';
import { unsigned } from '../core/auth/withToken.ts';
import { affinityGroups, anchorOption, type Endpoint } from './discovery/affinityGroups.ts';
import { AUTODISCOVERED, staticLocation } from './discovery/location.ts';
import { addressOf, checkImpersonation, type ExchangeOptions, resolveOptions } from './options.ts';
import type { Impersonation } from './protocol/envelope.ts';
import { soapCall } from './protocol/soap.ts';
import { checkConnectingSid } from './protocol/version.ts';
import { notingAvailability, verdict } from './session/availability.ts';
import {
  type Exchange,
  SESSION,
  type EwsSession,
  type ServerSession,
  type WithSession,
} from './session/session.ts';
import { ewsStatus } from './session/status.ts';
import { type SubscriptionIds, subscriptionIds } from './session/subscriptionIds.ts';

/** The parts that all requests to one URL share. */
interface Server {
  readonly backoff: ConnectionBackoff;
  readonly calls: Transport;
  readonly streams: Transport;
}

/** The stream itself notices its silence: by whole envelopes. */
const ENDLESS = { silenceSeconds: Infinity, responseSeconds: Infinity, responseBytes: Infinity };

const NO_AUTH =
  'the connection has no auth: give connectExchange() auth: bearer(token) or auth: basic({ username, password }), ' +
  'or a transport that signs in';

/**
 * Creates a connection to an Exchange server, or another server of its web services.
 *
 * Nothing is sent before a subscription.
 *
 * @throws TypeError that names the option that cannot be used.
 *
 * @example
 * ```ts
 * import { take } from 'rxjs';
 * import { bearer } from 'rxchange';
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const { transport, url } = ewsSimulator({ token: 'secret' });
 * const exchange = connectExchange({ server: url, auth: bearer('secret'), transport });
 * exchange.releases.outcomes$.subscribe(({ outcome }) => console.log(outcome));
 * pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] })
 *   .pipe(take(1))
 *   .subscribe(({ type }) => console.log(type));
 * // prints: status
 * // prints: Released
 * console.log((await exchange.drain()).clean);
 * // prints: true
 * ```
 */
export function connectExchange(options: ExchangeOptions): Exchange {
  const { server, auth, groupAffinity, version, retry, limits, online$, ...resolved } =
    resolveOptions(options);
  const { maxConcurrentRequests, maxConnections, whenUnreachable } = resolved;
  const ledger = releaseLedger();
  const status = ewsStatus();
  ledger.closing$.subscribe(() => status.record({ type: 'closed' }));
  const suspending = suspension(ledger);
  const { activity$, logged } = requestLog();
  const transport = logged(options.transport ?? fetchTransport(options.fetch, limits));
  const sign = auth?.sign({ allowInsecureHttp: options.allowInsecureHttp === true }) ?? unsigned(NO_AUTH);
  const location =
    typeof server === 'string'
      ? staticLocation(server)
      : AUTODISCOVERED.read('server', server).locate({
          ...{ transport, auth, sign, redirects: options.limits?.redirects },
          ...{ retry, online$, status, closing$: ledger.closing$ },
        });
  const idsByUrl = new Map<string, SubscriptionIds>();
  const timers = timerWheel();
  const limitedCalls = withoutWebPages(withLimits(limits)(transport));
  const limitedStreams = withoutWebPages(withLimits({ ...limits, ...ENDLESS })(transport));
  /** The users that requests act as: the server has a budget for each. */
  const budgets = new Set<string>();
  const hasOneBudget = (): boolean => budgets.size === 1;

  const servers = new Map<string, Server>();
  const serverAt = (url: string): Server => {
    const known = servers.get(url);
    if (known !== undefined) return known;
    const backoff = connectionBackoff(retry, online$, status.record);
    suspending.attach(backoff);
    const tracked = location.tracked(url);
    const { limit, flush } = concurrencyLimit(maxConcurrentRequests);
    suspending.suspended$.subscribe(flush);
    const calls = backoff.gate({ verdict, limit })(withProgress(tracked(limitedCalls)));
    const streams = backoff.gate({ verdict, isHanging: true })(withProgress(tracked(limitedStreams)));
    const made: Server = { backoff, calls, streams };
    servers.set(url, made);
    return made;
  };

  const groups = affinityGroups(groupAffinity, (url, middleware) => {
    const { backoff, calls, streams } = serverAt(url);
    const over = (wire: Transport): Transport => sign(restrictToOrigin(url, limits)(middleware(wire)));
    return { url, backoff, calls: over(calls), streams: over(streams), shared: sharedValues() };
  });

  const sessionFor = (
    impersonate: Impersonation | undefined,
    anchorMailbox: string | undefined,
  ): EwsSession => {
    const head = { version, ...(impersonate === undefined ? {} : { impersonate }) };
    const user = JSON.stringify(impersonate ?? {});
    const group = groups.groupOf(user, anchorMailbox);
    const byEndpoint = new Map<Endpoint, ServerSession>();
    const sessionAt = (endpoint: Endpoint): ServerSession => {
      const known = byEndpoint.get(endpoint);
      if (known !== undefined) return known;
      const { url, backoff, calls, streams } = endpoint;
      budgets.add(user);
      const ids = idsByUrl.get(url) ?? subscriptionIds();
      idsByUrl.set(url, ids);
      const made: ServerSession = {
        ...session,
        ...{ subscriptionIds: ids, head, url, backoff, endpoint },
        send: ({ name, envelope, ...rest }) =>
          soapCall(calls, { operation: name, url, limits, envelope: envelope(head), ...rest }).pipe(
            notingAvailability(backoff, hasOneBudget, { operation: name, url }),
          ),
        stream: (open, { name, envelope, ...rest }) =>
          open(streams, { operation: name, url, limits, envelope: envelope(head), ...rest }).pipe(
            notingAvailability(backoff, hasOneBudget, { operation: name, url }),
          ),
      };
      byEndpoint.set(endpoint, made);
      return made;
    };
    const session: EwsSession = {
      ...{ version, ledger, logged, status, suspension: suspending, timers },
      ...{ retry, whenUnreachable, maxConnections, limits },
      current$: location.url$.pipe(map((url) => sessionAt(group.at(url)))),
      fixed: typeof server === 'string' ? () => sessionAt(group.at(server)) : undefined,
      invalidateLocation: () => {
        location.invalidate();
        group.forget();
      },
    };
    return session;
  };

  const connectionFor = (
    impersonate: Impersonation | undefined,
    anchor: string | undefined = options.anchorMailbox,
  ): Exchange => {
    if (impersonate !== undefined) checkConnectingSid(version, impersonate);
    const account = typeof server === 'string' ? undefined : server.address;
    const own = impersonate === undefined ? account : addressOf(impersonate);
    const anchorMailbox = anchor === undefined ? own : anchorOption(anchor);
    if (anchorMailbox === undefined && impersonate !== undefined && auth?.scheme === 'Bearer') {
      throw invalidOption(
        'anchorMailbox',
        anchorMailbox,
        'an SMTP address if a token acts as a user who is not named by an address',
      );
    }
    const session = sessionFor(impersonate, anchorMailbox);
    const connection: WithSession = {
      releases: ledger,
      status$: status.status$,
      activity$,
      actingAs: (user, { anchorMailbox: anchorOfUser } = {}) =>
        connectionFor(checkImpersonation(user), anchorOfUser),
      drain: (drainOptions) => ledger.drain(drainOptions),
      close: (closeOptions) => ledger.close(closeOptions),
      suspend: suspending.suspend,
      resume: suspending.resume,
      [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
      [SESSION]: () => session,
    };
    return connection;
  };

  const { impersonate } = options;
  return connectionFor(impersonate === undefined ? undefined : checkImpersonation(impersonate));
}
