import type { JSX } from 'preact';
import type { RequestRecord, StatusRecord } from '../../lib/inspector/records.ts';
import { timeText } from './diagram/diagram.ts';
import { isGood, type LedgerEntry } from './view/ledger.ts';
import { counted, shortDetail, shortId } from './ui.ts';
import { type Connection, remaining, type View } from './view/view.ts';

interface PanelProps {
  readonly view: View;
  readonly now: number;
}

/** The status of each connection, and whether the servers are clean. */
export function Summary({ view, now }: PanelProps): JSX.Element {
  const left = remaining(view);
  return (
    <section class="summary" aria-label="Summary">
      {[...view.connections.values()].map((connection) => (
        <Status key={connection.name} connection={connection} now={now} />
      ))}
      {left !== undefined && (
        <div class={left === 0 ? 'fact clean' : 'fact'}>
          <span class="term">Left on the servers</span>
          <span class="value" data-testid="left">
            {left === 0 ? 'nothing' : counted(left, 'resource')}
          </span>
        </div>
      )}
    </section>
  );
}

function Status({ connection, now }: { readonly connection: Connection; readonly now: number }): JSX.Element {
  const { name, status, server } = connection;
  return (
    <div class={`fact status ${status?.state ?? 'idle'}`}>
      <span class="term">
        {name}
        {server?.isReachable === false && <em> · network cut</em>}
      </span>
      <span class="value">
        <i aria-hidden="true" />
        {status?.state ?? 'idle'}
        <small>{statusText(status, now)}</small>
      </span>
    </div>
  );
}

function statusText(status: StatusRecord | undefined, now: number): string {
  if (status?.state === 'live') return `for ${seconds(now - (status.since ?? status.at))}`;
  if (status?.state !== 'waiting') return '';
  const { reason = '', attempt = 1, retryAt } = status;
  const retry =
    retryAt === undefined || retryAt <= now ? 'retrying now' : `retry in ${seconds(retryAt - now)}`;
  return `${reason} · attempt ${attempt} · ${retry}`;
}

function seconds(ms: number): string {
  const whole = Math.max(0, Math.ceil(ms / 1000));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** What the servers themselves have. */
export function Servers({ view }: PanelProps): JSX.Element {
  const servers = [...view.connections.values()].flatMap(({ name, server }) =>
    server === undefined ? [] : [{ name, server }],
  );
  return (
    <section aria-labelledby="rx-server">
      <h2 id="rx-server">What the servers have</h2>
      {servers.length === 0 && (
        <p class="empty">A real server does not say it. The ledger has every release.</p>
      )}
      {servers.map(({ name, server }) => (
        <div key={name} class="server">
          <h3>
            {name} <span class="quiet">{counted(server.resources.length, 'resource')}</span>
          </h3>
          {server.resources.length === 0 ? (
            <p class="empty">Clean.</p>
          ) : (
            <ul>
              {server.resources.map(({ resource, id, detail }) => (
                <li key={id} title={id}>
                  {resource} <code>{shortId(id)}</code>
                  {detail !== '' && <span class="quiet"> {shortDetail(detail)}</span>}
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
    </section>
  );
}

/** The releases: pending ones first. */
export function Ledger({ view: { ledger } }: PanelProps): JSX.Element {
  const pending = ledger.filter(({ record }) => record.state === 'pending');
  const settled = ledger.filter(({ record }) => record.state !== 'pending').reverse();
  return (
    <section aria-labelledby="rx-ledger">
      <h2 id="rx-ledger">
        Releases <span class="quiet">{pending.length === 0 ? '' : `${pending.length} pending`}</span>
      </h2>
      {ledger.length === 0 ? (
        <p class="empty">Nothing has been released yet.</p>
      ) : (
        <ul class="ledger">
          {[...pending, ...settled].slice(0, 12).map((entry) => (
            <Release key={entry.key} entry={entry} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Release({ entry: { record, pendingAt } }: { readonly entry: LedgerEntry }): JSX.Element {
  const { state, resource, id, response, attempts = 1, at, hint } = record;
  const style = state === 'pending' ? 'pending' : isGood(state) ? 'good' : 'bad';
  return (
    <li title={hint ?? id}>
      <span class={`outcome ${style}`}>{state}</span> {resource}{' '}
      {id !== undefined && <code>{shortId(id)}</code>}
      <span class="quiet">
        {[
          response,
          attempts > 1 ? `${attempts} attempts` : undefined,
          at === pendingAt ? undefined : `${Math.round(at - pendingAt)} ms`,
        ]
          .filter((part) => part !== undefined)
          .map((part) => ` · ${part}`)
          .join('')}
      </span>
    </li>
  );
}

/** The requests, newest first. */
export function Wire({ view: { requests } }: PanelProps): JSX.Element {
  return (
    <section class="wire" aria-labelledby="rx-wire">
      <h2 id="rx-wire">Requests</h2>
      {requests.length === 0 ? (
        <p class="empty">No request has ended yet.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Requests">
          <table>
            <thead>
              <tr>
                <th scope="col" class="when">
                  Time
                </th>
                <th scope="col">Request</th>
                <th scope="col">Status</th>
                <th scope="col" class="number">
                  ms
                </th>
                <th scope="col" class="number attempt">
                  Attempt
                </th>
              </tr>
            </thead>
            <tbody>
              {requests
                .slice(-60)
                .reverse()
                .map((request) => (
                  <Request key={`${request.connection} ${request.seq}`} request={request} />
                ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Request({ request }: { readonly request: RequestRecord }): JSX.Element {
  const { at, sentAt, method, path, status, ms, error, end, repeats } = request;
  const isFailure = end === 'failed' || (status ?? 0) >= 400;
  return (
    <tr class={isFailure ? 'bad' : undefined}>
      <td class="mono when" title={`Sent ${timeText(sentAt, true)}`}>
        {timeText(at, true)}
      </td>
      <td class="path" title={`${method} ${path}`}>
        <b>{method}</b> {path}
      </td>
      <td title={error}>{status ?? (end === 'aborted' ? 'aborted' : 'lost')}</td>
      <td class="number">{Math.round(ms)}</td>
      <td class="number attempt" title={repeats?.reason}>
        {(repeats?.count ?? 0) + 1}
      </td>
    </tr>
  );
}
