import { useState } from 'react';
import { COLLEAGUES, contacts$, nameOf, toggleContact, uriOf } from '../shared/contacts.ts';
import { board$, EMPTY_BOARD, mail$, NO_MAIL, NO_STATUS, status$ } from '../shared/streams.ts';
import { useObservable } from './useObservable.ts';

export function App() {
  const [isShown, setShown] = useState(true);
  const contacts = useObservable(contacts$, contacts$.value);
  return (
    <main>
      <p role="status">{useObservable(status$, NO_STATUS)}</p>
      <p id="mail">{useObservable(mail$, NO_MAIL)}</p>
      {COLLEAGUES.map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={contacts.includes(uriOf(name))}
            onChange={() => toggleContact(name)}
          />
          {name}
        </label>
      ))}
      <button onClick={() => setShown(!isShown)}>{isShown ? 'Hide' : 'Show'}</button>
      {isShown && <Board />}
    </main>
  );
}

function Board() {
  const { contacts, isStale, error } = useObservable(board$, EMPTY_BOARD);
  return (
    <>
      {error && <p role="alert">{error}</p>}
      <ul className={isStale ? 'stale' : ''}>
        {contacts.map(({ uri, availability = 'unknown' }) => (
          <li key={uri}>
            {nameOf(uri)} {availability}
          </li>
        ))}
      </ul>
    </>
  );
}
