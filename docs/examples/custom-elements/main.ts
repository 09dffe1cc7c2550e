import '../shared/style.css';
import { COLLEAGUES, contacts$, nameOf, toggleContact, uriOf } from '../shared/contacts.ts';
import { board$, mail$, status$ } from '../shared/streams.ts';
import { elementOf } from './elementOf.ts';

const showText = (element: HTMLElement, text: string): void => void (element.textContent = text);

customElements.define('example-status', elementOf(status$, showText));
customElements.define('example-mail', elementOf(mail$, showText));
customElements.define(
  'example-board',
  elementOf(board$, (element, { contacts, isStale, error }) => {
    const alert = error === undefined ? [] : [make('p', { role: 'alert', textContent: error })];
    const list = make('ul', { className: isStale ? 'stale' : '' });
    for (const { uri, availability = 'unknown' } of contacts)
      list.append(make('li', { textContent: `${nameOf(uri)} ${availability}` }));
    element.replaceChildren(...alert, list);
  }),
);

const choice = document.querySelector('#contacts')!;
for (const name of COLLEAGUES) {
  const checked = contacts$.value.includes(uriOf(name));
  const label = make('label');
  label.append(make('input', { type: 'checkbox', checked, onchange: () => toggleContact(name) }), name);
  choice.append(label);
}

const board = document.querySelector('example-board')!;
const button = document.querySelector('button')!;
button.onclick = () => {
  if (board.isConnected) board.remove();
  else document.querySelector('main')!.append(board);
  button.textContent = board.isConnected ? 'Hide' : 'Show';
};

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
): HTMLElementTagNameMap[Name] {
  return Object.assign(document.createElement(name), properties);
}
