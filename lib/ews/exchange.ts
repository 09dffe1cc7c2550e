import { map, tap } from 'rxjs';
import { type ConnectionBackoff, connectionBackoff } from '../core/backoff/connectionBackoff.ts';
import { releaseLedger } from '../core/lifecycle/ledger.ts';
import { invalidOption } from '../core/options.ts';
import { timerWheel } from '../core/rx/timerWheel.ts';
import { fetchTransport } from '../core/transport/fetch.ts';
import { requestLog } from '../core/transport/requestLog.ts';
import { restrictToOrigin } from '../core/transport/restrictToOrigin.ts';
import type { Transport } from '../core/transport/transport.ts';
import { withConcurrency } from '../core/transport/withConcurrency.ts';
import { withLimits } from '../core/transport/withLimits.ts';
import { withProgress } from '../core/transport/withProgress.ts';
import { signing } from './auth/signIn.ts';
import { anchorOption } from './discovery/affinity.ts';
import { affinityGroups, type Endpoint } from './discovery/affinityGroups.ts';
import { autodiscovered } from './discovery/autodiscover.ts';
import { staticLocation, discoveredLocation } from './discovery/location.ts';
import { addressOf, checkImpersonation, type ExchangeOptions, resolveOptions } from './options.ts';
import type { Impersonation } from './protocol/envelope.ts';
import { soapCall, soapStream } from './protocol/soap.ts';
import type { StreamedMessage } from './protocol/streamParser.ts';
import { checkConnectingSid } from './protocol/version.ts';
import { notingAvailability, verdict } from './session/availability.ts';
import {
  type ExchangeService,
  SESSION,
  type EwsSession,
  type ServerSession,
  type WithSession,
} from './session/session.ts';
import { type SubscriptionIds, subscriptionIds } from './session/subscriptionIds.ts';

/** What all requests to one URL share. */
interface Server {
  readonly backoff: ConnectionBackoff;
  readonly calls: Transport;
  readonly streams: Transport;
}

/** The stream itself notices its silence: by whole envelopes. */
const ENDLESS = { silenceSeconds: Infinity, responseSeconds: Infinity, responseBytes: Infinity };

/**
 * Describes a connection to an Exchange server, or to one that speaks its web services. Nothing is sent
 * before a subscription.
 *
 * It throws a TypeError that names the option for one that cannot be used.
 *
 * @example
 * ```ts
 * import { take } from 'rxjs';
 * import { exchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const { transport, url } = ewsSimulator({ token: 'secret' });
 * const service = exchange({ url, transport, token: 'secret' });
 * service.releases.outcomes$.subscribe(({ outcome }) => console.log(outcome));
 * pullNotifications(service, { folders: ['inbox'], events: ['newMail'] })
 *   .pipe(take(1))
 *   .subscribe(({ type }) => console.log(type));
 * // prints: status
 * // prints: Released
 * console.log((await service.drain()).clean);
 * // prints: true
 * ```
 */
export function exchange(options: ExchangeOptions): ExchangeService {
  const { where, version, retry, maxConcurrentRequests, maxConnections, limits, online$, whenUnreachable } =
    resolveOptions(options);
  const ledger = releaseLedger();
  const { activity$, logged: reported } = requestLog();
  const sending = reported(options.transport ?? fetchTransport(options.fetch, limits));
  const location =
    'url' in where
      ? staticLocation(where.url)
      : discoveredLocation(
          autodiscovered({ ...options, ...where, transport: sending }),
          ledger.closing$,
          retry,
          online$,
        );
  const claims = new Map<string, SubscriptionIds>();
  const timers = timerWheel();
  const limitedCalls = withLimits(limits)(sending);
  const limitedStreams = withLimits({ ...limits, ...ENDLESS })(sending);
  const sign = signing(options, options.allowInsecureHttp);
  /** Whom requests act as: the server has a budget for each. */
  const budgets = new Set<string>();
  const hasOneBudget = (): boolean => budgets.size === 1;
  let skippedEvents = 0;
  const noteSkipped = (count: number): void => void (skippedEvents += count);
  const countSkipped = (message: StreamedMessage): void => {
    if (message.type !== 'response') return;
    for (const { unknownWatermarks: skipped = [] } of message.notifications) noteSkipped(skipped.length);
  };

  const servers = new Map<string, Server>();
  const serverAt = (url: string): Server => {
    const known = servers.get(url);
    if (known !== undefined) return known;
    const backoff = connectionBackoff(retry, online$);
    ledger.leaving$.subscribe(backoff.leave);
    const noting = location.tracked(url);
    const limit = withConcurrency(maxConcurrentRequests);
    const calls = backoff.gate({ verdict, limit })(withProgress(noting(limitedCalls)));
    const streams = backoff.gate({ verdict, isHeld: true })(withProgress(noting(limitedStreams)));
    const server: Server = { backoff, calls, streams };
    servers.set(url, server);
    return server;
  };

  const groups = affinityGroups((url, affinity) => {
    const { backoff, calls, streams } = serverAt(url);
    const over = (wire: Transport): Transport => sign(restrictToOrigin(url, limits)(affinity(wire)));
    return { url, backoff, calls: over(calls), streams: over(streams) };
  });

  const coreFor = (impersonate: Impersonation | undefined, anchorMailbox: string | undefined): EwsSession => {
    const head = { version, ...(impersonate === undefined ? {} : { impersonate }) };
    const user = JSON.stringify(impersonate ?? {});
    const group = groups.groupOf(user, anchorMailbox);
    const bySite = new Map<Endpoint, ServerSession>();
    const internalsAt = (site: Endpoint): ServerSession => {
      const made = bySite.get(site);
      if (made !== undefined) return made;
      const { url, backoff, calls, streams } = site;
      budgets.add(user);
      const known = claims.get(url) ?? subscriptionIds();
      claims.set(url, known);
      const internals: ServerSession = {
        ...core,
        ...{ subscriptionIds: known, head, url, backoff, endpoint: site },
        send: ({ name, envelope, ...rest }) =>
          soapCall(calls, { operation: name, url, limits, envelope: envelope(head), ...rest }).pipe(
            notingAvailability(backoff, hasOneBudget),
            tap((message) => countSkipped(message)),
          ),
        stream: ({ name, envelope, ...rest }) =>
          soapStream(streams, { operation: name, url, limits, envelope: envelope(head), ...rest }).pipe(
            notingAvailability(backoff, hasOneBudget),
            tap((message) => countSkipped(message)),
          ),
      };
      bySite.set(site, internals);
      return internals;
    };
    const core: EwsSession = {
      ...{
        version,
        ledger,
        timers,
        retry,
        whenUnreachable,
        maxConnections,
        limits,
        countSkipped: noteSkipped,
      },
      current$: location.url$.pipe(map((url) => internalsAt(group.at(url)))),
      fixed: 'url' in where ? () => internalsAt(group.at(where.url)) : undefined,
      invalidateLocation: () => {
        location.invalidate();
        group.forget();
      },
    };
    return core;
  };

  const serviceFor = (
    impersonate: Impersonation | undefined,
    anchor: string | undefined,
  ): ExchangeService => {
    if (impersonate !== undefined) checkConnectingSid(version, impersonate);
    const named = anchor ?? options.anchorMailbox;
    const own = impersonate === undefined ? options.address : addressOf(impersonate);
    const anchorMailbox = named === undefined ? own : anchorOption(named);
    if (anchorMailbox === undefined && impersonate !== undefined && options.token !== undefined) {
      throw invalidOption(
        'anchorMailbox',
        anchorMailbox,
        'an SMTP address, where a token is to act as one who is named by none',
      );
    }
    const core = coreFor(impersonate, anchorMailbox);
    const service: WithSession = {
      releases: ledger,
      activity$,
      get skippedEvents() {
        return skippedEvents;
      },
      as: (other, anchorOfOther) => serviceFor(checkImpersonation(other), anchorOfOther),
      drain: (options) => ledger.drain(options),
      close: (options) => ledger.close(options),
      [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
      [SESSION]: () => core,
    };
    return service;
  };

  const { impersonate } = options;
  return serviceFor(impersonate === undefined ? undefined : checkImpersonation(impersonate), undefined);
}
