/** @jsxImportSource solid-js */
import { createSignal, For, from, Show } from 'solid-js';
import { COLLEAGUES, contacts$, nameOf, toggleContact, uriOf } from '../shared/contacts.ts';
import { board$, EMPTY_BOARD, mail$, NO_MAIL, NO_STATUS, status$ } from '../shared/streams.ts';

export function App() {
  const [isShown, setShown] = createSignal(true);
  const status = from(status$, NO_STATUS);
  const mail = from(mail$, NO_MAIL);
  const contacts = from(contacts$, contacts$.value);
  return (
    <main>
      <p role="status">{status()}</p>
      <p id="mail">{mail()}</p>
      <For each={COLLEAGUES}>
        {(name) => (
          <label>
            <input
              type="checkbox"
              checked={contacts().includes(uriOf(name))}
              onChange={() => toggleContact(name)}
            />
            {name}
          </label>
        )}
      </For>
      <button onClick={() => setShown(!isShown())}>{isShown() ? 'Hide' : 'Show'}</button>
      <Show when={isShown()}>
        <Board />
      </Show>
    </main>
  );
}

function Board() {
  const board = from(board$, EMPTY_BOARD);
  return (
    <>
      <Show when={board().error}>{(error) => <p role="alert">{error()}</p>}</Show>
      <ul classList={{ stale: board().isStale }}>
        <For each={board().contacts}>
          {({ uri, availability = 'unknown' }) => (
            <li>
              {nameOf(uri)} {availability}
            </li>
          )}
        </For>
      </ul>
    </>
  );
}
