import { map, type Observable, tap } from 'rxjs';
import { type Activity, activityReport } from '../core/activity.ts';
import { type ConnectionBackoff, connectionBackoff } from '../core/connectionBackoff.ts';
import { fetchTransport } from '../core/fetchTransport.ts';
import { invalidOption } from '../core/options.ts';
import { pinnedTo } from '../core/pinnedTo.ts';
import {
  type CloseOptions,
  type DrainOptions,
  type DrainReport,
  releaseLedger,
  type Releases,
} from '../core/releases.ts';
import { reportProgress } from '../core/reportProgress.ts';
import { sharedTimers } from '../core/sharedTimers.ts';
import type { Transport } from '../core/transport.ts';
import { withConcurrency } from '../core/withConcurrency.ts';
import { withLimits } from '../core/withLimits.ts';
import { anchorOption } from './affinity.ts';
import { affinityGroups, type Site } from './affinityGroups.ts';
import { autodiscovered } from './autodiscover.ts';
import { type Claims, idClaims } from './claims.ts';
import type { Impersonation } from './envelope.ts';
import { type ExchangeOptions, exchangePlan } from './exchangeOptions.ts';
import { checkConnectingSid } from './exchangeVersion.ts';
import { addressOf, checkImpersonation } from './impersonation.ts';
import { fixedAt, lookedUp } from './location.ts';
import { notingAvailability, verdict } from './serverAvailability.ts';
import type { ServiceCore, ServiceInternals } from './serviceInternals.ts';
import { signing } from './signIn.ts';
import { soapCall, soapStream } from './soap.ts';
import type { StreamedMessage } from './streamingParser.ts';

/** A connection to an Exchange server, to subscribe on. */
export interface ExchangeService extends AsyncDisposable {
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
   * import { exchange, pullNotifications } from 'rxchange/ews';
   * import { ewsSimulator } from 'rxchange/testing';
   *
   * const { url, transport } = ewsSimulator();
   * const service = exchange({ url, transport });
   * service.activity$.subscribe(({ method, path, status, end }) => console.log(method, path, status, end));
   * pullNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe().unsubscribe();
   * // prints: POST /EWS/Exchange.asmx 200 answered
   * // prints: POST /EWS/Exchange.asmx 200 answered
   * // prints: POST /EWS/Exchange.asmx 200 answered
   * await service.drain();
   * ```
   */
  readonly activity$: Observable<Activity>;
  /**
   * The same connection, acting as another user: with the same ledger, limits, sign-in and URL; to close one is
   * to close all. It throws a TypeError for what names no one user.
   *
   * @param anchorMailbox As of {@link ExchangeOptions}; without it, that of this service, if it was given.
   *
   * @example
   * ```ts
   * import { merge, take } from 'rxjs';
   * import { exchange, pullNotifications } from 'rxchange/ews';
   * import { ewsSimulator } from 'rxchange/testing';
   *
   * const server = ewsSimulator();
   * const service = exchange({ url: server.url, transport: server.transport });
   * const mailboxes = ['sara@contoso.com', 'alfred@contoso.com'].map((address) =>
   *   pullNotifications(service.as({ primarySmtpAddress: address }), { allFolders: true, events: ['newMail'] }),
   * );
   * const watching = merge(...mailboxes).subscribe();
   * console.log(server.subscriptions.map(({ impersonated }) => impersonated?.name).join(', '));
   * // prints: sara@contoso.com, alfred@contoso.com
   * watching.unsubscribe();
   * console.log((await service.drain()).outcomes.length);
   * // prints: 2
   * ```
   */
  as(impersonate: Impersonation, anchorMailbox?: string): ExchangeService;
  /** How many events were left out, because this library does not know their type: those of all users. */
  readonly skippedEvents: number;
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
const INTERNALS = Symbol('ServiceCore');

type WithInternals = ExchangeService & { readonly [INTERNALS]: () => ServiceCore };

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
    exchangePlan(options);
  const ledger = releaseLedger();
  const { activity$, reported } = activityReport();
  const sending = reported(options.transport ?? fetchTransport(options.fetch, limits));
  const location =
    'url' in where
      ? fixedAt(where.url)
      : lookedUp(
          autodiscovered({ ...options, ...where, transport: sending }),
          ledger.closing$,
          retry,
          online$,
        );
  const claims = new Map<string, Claims>();
  const timers = sharedTimers();
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
    for (const { skipped = [] } of message.notifications) noteSkipped(skipped.length);
  };

  const servers = new Map<string, Server>();
  const serverAt = (url: string): Server => {
    const known = servers.get(url);
    if (known !== undefined) return known;
    const backoff = connectionBackoff(retry, online$);
    ledger.leaving$.subscribe(backoff.leave);
    const noting = location.noting(url);
    const limit = withConcurrency(maxConcurrentRequests);
    const calls = backoff.gate({ verdict, limit })(reportProgress(noting(limitedCalls)));
    const streams = backoff.gate({ verdict, isHeld: true })(reportProgress(noting(limitedStreams)));
    const server: Server = { backoff, calls, streams };
    servers.set(url, server);
    return server;
  };

  const groups = affinityGroups((url, affinity) => {
    const { backoff, calls, streams } = serverAt(url);
    const over = (wire: Transport): Transport => sign(pinnedTo(url, limits)(affinity(wire)));
    return { url, backoff, calls: over(calls), streams: over(streams) };
  });

  const coreFor = (
    impersonate: Impersonation | undefined,
    anchorMailbox: string | undefined,
  ): ServiceCore => {
    const head = { version, ...(impersonate === undefined ? {} : { impersonate }) };
    const user = JSON.stringify(impersonate ?? {});
    const group = groups.groupOf(user, anchorMailbox);
    const bySite = new Map<Site, ServiceInternals>();
    const internalsAt = (site: Site): ServiceInternals => {
      const made = bySite.get(site);
      if (made !== undefined) return made;
      const { url, backoff, calls, streams } = site;
      budgets.add(user);
      const known = claims.get(url) ?? idClaims();
      claims.set(url, known);
      const internals: ServiceInternals = {
        ...core,
        ...{ claims: known, head, url, backoff, site },
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
    const core: ServiceCore = {
      ...{ version, ledger, timers, retry, whenUnreachable, maxConnections, limits, noteSkipped },
      here$: location.url$.pipe(map((url) => internalsAt(group.at(url)))),
      fixed: 'url' in where ? () => internalsAt(group.at(where.url)) : undefined,
      relocate: () => {
        location.doubt();
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
    const service: WithInternals = {
      releases: ledger,
      activity$,
      get skippedEvents() {
        return skippedEvents;
      },
      as: (other, anchorOfOther) => serviceFor(checkImpersonation(other), anchorOfOther),
      drain: (options) => ledger.drain(options),
      close: (options) => ledger.close(options),
      [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
      [INTERNALS]: () => core,
    };
    return service;
  };

  const { impersonate } = options;
  return serviceFor(impersonate === undefined ? undefined : checkImpersonation(impersonate), undefined);
}

/** What is inside a service; it throws a TypeError for what {@link exchange} did not make. */
export function internalsOf(service: ExchangeService): ServiceCore {
  const { [INTERNALS]: core } = Object(service) as Partial<WithInternals>;
  if (core === undefined) throw invalidOption('service', service, 'what exchange() returned');
  return core();
}
