import { asyncScheduler, defer, map, merge, type Observable, of } from 'rxjs';
import type { ConnectionStatus } from '../core/connectionStatus.ts';
import { defined } from '../core/defined.ts';
import { property } from '../core/foreignError.ts';
import type { ReleaseLedger } from '../core/lifecycle/ledger.ts';
import { invalidType, objectOption, type OptionRules } from '../core/options.ts';
import { beforeQuery } from '../core/text.ts';
import type { Activity } from '../core/transport/requestLog.ts';
import { type Finding, findings } from './findings.ts';
import { inspectedError } from './plain.ts';
import type { InspectorRecord } from './records.ts';
import { withResponses } from './withResponses.ts';

/** A connection of `connectUcwa` or `connectExchange`. @inline */
export interface Inspectable {
  readonly releases: object;
  readonly status$: Observable<ConnectionStatus>;
  readonly activity$: Observable<Activity>;
}

/** Options of {@link inspect}. @inline */
export interface InspectOptions {
  /**
   * The name of the connection in the records.
   * @default `UCWA` or `EWS`
   */
  readonly name?: string;
}

const RULES: OptionRules<InspectOptions> = { name: 1 };

/**
 * Returns an Observable of what happens on a connection, as plain JSON.
 *
 * It emits a record for each subscriber of a stream, each event, each request, each release and each change
 * of the status. The records are for inspectors, logs and tests; they contain no credentials.
 *
 * - Subscribe before the streams are subscribed to: of earlier streams only the end is reported.
 * - The records begin with the connection and its status. Several subscribers get the same numbers of
 *   streams. Without a subscriber, nothing is recorded, and the connection does no more than usual.
 * - It never errors or completes. Unsubscribing changes nothing on the server.
 *
 * @throws TypeError for anything but a connection, and for an option that cannot be used.
 *
 * @example
 * ```ts
 * import { inspect } from 'rxchange/inspector';
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const { transport, url } = ewsSimulator();
 * const exchange = connectExchange({ server: url, transport });
 * inspect(exchange).subscribe((record) => {
 *   if (record.type === 'stream') console.log(record.state, record.name, record.detail);
 *   if (record.type === 'release') console.log(record.state, record.resource);
 * });
 * const watching = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
 * // prints: subscribed pullNotifications inbox: newMail
 * watching.unsubscribe();
 * // prints: unsubscribed pullNotifications inbox: newMail
 * // prints: pending PullSubscription
 * await exchange.drain();
 * // prints: Released PullSubscription
 * ```
 */
export function inspect(connection: Inspectable, options: InspectOptions = {}): Observable<InspectorRecord> {
  const { releases, status$, activity$ } = checked(connection);
  const protocol = 'application$' in connection ? 'UCWA' : 'EWS';
  const { name = protocol } = objectOption('options', options, RULES);
  if (typeof name !== 'string') throw invalidType('name', name, 'a string');
  return merge(
    defer(() => of<Finding>({ type: 'connection', at: asyncScheduler.now(), protocol })),
    status$.pipe(map(statusFinding)),
    releases.shared(findings, releases),
    activity$.pipe(map(requestFinding)),
  ).pipe(
    withResponses(protocol),
    map((finding, index) => recordOf(finding, name, index + 1)),
  );
}

function recordOf(finding: Finding, connection: string, seq: number): InspectorRecord {
  const { stream, id, ...rest } = { stream: undefined, id: undefined, ...finding };
  // The query of an href can be secret.
  const identified = id === undefined ? {} : { id: beforeQuery(id) };
  const named = stream === undefined ? {} : { stream: `${connection} ${stream}` };
  return { connection, seq, ...rest, ...named, ...identified } as InspectorRecord;
}

function checked(connection: Inspectable): Inspectable & { readonly releases: ReleaseLedger } {
  const ledger = property(connection, 'releases');
  if (property(ledger, 'streams') instanceof Map)
    return connection as Inspectable & { readonly releases: ReleaseLedger };
  throw invalidType('connection', connection, 'what connectUcwa() or connectExchange() returned');
}

function statusFinding(status: ConnectionStatus): Finding {
  const base = { type: 'status', at: asyncScheduler.now(), state: status.state } as const;
  if (status.state === 'live') return { ...base, since: status.since.getTime() };
  if (status.state !== 'waiting') return base;
  const { since, reason, attempt, retryAt, error } = status;
  return {
    ...base,
    ...{ since: since.getTime(), reason, attempt, error: inspectedError(error) },
    ...defined({ retryAt: retryAt?.getTime() }),
  };
}

function requestFinding({ sentAt, ...activity }: Activity): Finding {
  const sent = sentAt.getTime();
  return { type: 'request', at: sent + activity.ms, sentAt: sent, ...activity };
}
