import type { JSX } from 'preact';
import { type Actions, AVAILABILITIES, type Controls, shortName } from './ui.ts';
import { isCurrent, mailReceived, onServer, sharedContacts, type View } from './view/view.ts';

interface BoardProps {
  readonly view: View;
  readonly actions: Actions;
  readonly controls: Controls | undefined;
}

/** The contacts as the streams show them, and how many mails have arrived. */
export function Board({ view, actions, controls }: BoardProps): JSX.Element {
  const { presence, mail } = onServer(view);
  const uris = [...new Set([...Object.keys(presence), ...view.contacts.keys()])];
  const can = (name: 'setPresence' | 'setContacts'): boolean => controls?.commands.includes(name) === true;
  const shared =
    can('setContacts') && controls?.streams.includes('sharedBoard') === true
      ? sharedContacts(view)
      : undefined;
  const received = mailReceived(view);
  return (
    <section class="board" aria-labelledby="rx-board">
      <h2 id="rx-board">
        Presence and mail {!isCurrent(view) && <span class="stale">may be outdated</span>}
      </h2>
      {uris.length === 0 ? (
        <p class="empty">No contact yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Contact</th>
              <th scope="col">The streams show</th>
              {can('setPresence') && <th scope="col">Set on the server</th>}
              {shared !== undefined && <th scope="col">On the board</th>}
            </tr>
          </thead>
          <tbody>
            {uris.map((uri) => (
              <tr key={uri}>
                <th scope="row" title={uri}>
                  {shortName(uri)}
                </th>
                <td data-testid={`shown ${shortName(uri)}`}>
                  <i class={`dot ${view.contacts.get(uri) ?? ''}`} aria-hidden="true" />
                  {view.contacts.get(uri) ?? <span class="quiet">nothing</span>}
                </td>
                {can('setPresence') && (
                  <td>
                    <PresenceChoice
                      uri={uri}
                      now={presence[uri] ?? view.contacts.get(uri)}
                      actions={actions}
                    />
                  </td>
                )}
                {shared !== undefined && (
                  <td>
                    <input
                      type="checkbox"
                      aria-label={`${shortName(uri)} on the shared board`}
                      checked={shared.includes(uri)}
                      onChange={({ currentTarget: { checked } }) => {
                        const others = shared.filter((one) => one !== uri);
                        actions.run({ do: 'setContacts', uris: checked ? [...others, uri] : others });
                      }}
                    />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p class="mail">
        <b data-testid="mail">{received}</b> new {received === 1 ? 'mail' : 'mails'} received
        {mail !== undefined && <span class="quiet"> · {mail} delivered</span>}
      </p>
    </section>
  );
}

function PresenceChoice({
  uri,
  now = '',
  actions,
}: {
  readonly uri: string;
  readonly now: string | undefined;
  readonly actions: Actions;
}): JSX.Element {
  return (
    <select
      aria-label={`Presence of ${shortName(uri)}`}
      value={now}
      onChange={({ currentTarget: { value: availability } }) =>
        actions.run({ do: 'setPresence', uri, availability }, `${shortName(uri)} is ${availability}.`)
      }
    >
      {[...new Set([...AVAILABILITIES, now])].map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}
