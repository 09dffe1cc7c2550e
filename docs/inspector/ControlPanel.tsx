import type { JSX } from 'preact';
import type { PlaygroundCommand } from '../../lib/inspector/playground.ts';
import { type Actions, type Choices, type Controls, NAMES } from './ui.ts';
import { onServer, type View } from './view/view.ts';

interface ControlProps {
  readonly view: View;
  readonly choices: Choices;
  readonly actions: Actions;
  readonly controls: Controls;
}

/** A command without options, its key, and what it does. */
interface SimpleCommand {
  readonly do:
    'deliverMail' | 'cutNetwork' | 'restoreNetwork' | 'restartServer' | 'forgetEverything' | 'loseResponse';
  readonly key: string;
  readonly label: string;
  readonly title: string;
  readonly done: string;
}

const SIMPLE: readonly SimpleCommand[] = [
  {
    ...{ do: 'deliverMail', key: 'd', label: 'Deliver mail' },
    ...{ title: 'A message arrives in the inbox', done: 'A message has arrived.' },
  },
  {
    ...{ do: 'loseResponse', key: 'l', label: 'Lose response' },
    title: 'The server acts on the next request, and its response is lost',
    done: 'The response to the next request will be lost.',
  },
  {
    ...{ do: 'cutNetwork', key: 'n', label: 'Cut network' },
    ...{ title: 'No request reaches a server', done: 'The network is cut.' },
  },
  {
    ...{ do: 'restoreNetwork', key: 'n', label: 'Restore network' },
    ...{ title: 'Requests reach the servers again', done: 'The network works again.' },
  },
  {
    ...{ do: 'restartServer', key: 'r', label: 'Restart server' },
    ...{ title: 'Open responses break off', done: 'The server has restarted.' },
  },
  {
    ...{ do: 'forgetEverything', key: 'e', label: 'Forget everything' },
    ...{
      title: 'The server loses all applications and subscriptions',
      done: 'The server has forgotten everything.',
    },
  },
];

export const SHORTCUTS: readonly (readonly [key: string, meaning: string])[] = [
  ['space', 'pause the diagram, or follow the time again'],
  ['← →', 'go back and forward; on a lane, go from event to event'],
  ['+ −', 'show less or more time'],
  ['end', 'follow the time'],
  ['s', 'subscribe to the selected stream'],
  ['m', 'subscribe, and unsubscribe while the request is in flight'],
  ['u', 'unsubscribe the newest stream'],
  ['p', 'change the presence of the first contact'],
  ...SIMPLE.filter(({ do: name }) => name !== 'restoreNetwork').map(
    ({ key, label, do: name }) =>
      [key, name === 'cutNetwork' ? 'cut or restore the network' : label.toLowerCase()] as const,
  ),
  ['t', 'open the table of events'],
  ['?', 'show these keys'],
];

/** Returns whether a server cannot be reached because the network is cut. */
function isCut({ connections }: View): boolean {
  return [...connections.values()].some(({ server }) => server?.isReachable === false);
}

/** Returns the simple commands that are possible now. */
export function simpleCommands({ commands }: Controls, view: View): readonly SimpleCommand[] {
  const useless = isCut(view) ? 'cutNetwork' : 'restoreNetwork';
  return SIMPLE.filter(({ do: name }) => name !== useless && commands.includes(name));
}

/** Buttons for all commands. */
export function ControlPanel({ view, choices, actions, controls }: ControlProps): JSX.Element {
  const { streams, commands } = controls;
  const to = choices.subscribeTo ?? streams[0];
  return (
    <section class="controls" aria-label="Controls">
      {to !== undefined && (
        <div class="group" role="group" aria-label="Streams">
          <select
            aria-label="Stream"
            value={to}
            onChange={({ currentTarget: { value } }) => {
              const chosen = streams.find((one) => one === value);
              if (chosen !== undefined) actions.choose({ subscribeTo: chosen });
            }}
          >
            {streams.map((one) => (
              <option key={one} value={one}>
                {NAMES[one]}
              </option>
            ))}
          </select>
          <button
            class="main"
            aria-keyshortcuts="s"
            title="Subscribe (s)"
            onClick={() => actions.run({ do: 'subscribe', to }, `Subscribed to ${NAMES[to]}.`)}
          >
            Subscribe
          </button>
          {commands.includes('unsubscribeMidAcquire') && (
            <button
              aria-keyshortcuts="m"
              title="Unsubscribe while the request is in flight (m)"
              onClick={() =>
                actions.run(
                  { do: 'unsubscribeMidAcquire', to },
                  `Subscribed to ${NAMES[to]}, and unsubscribed at once.`,
                )
              }
            >
              Unsubscribe mid-request
            </button>
          )}
        </div>
      )}
      <div class="group" role="group" aria-label="Network and servers">
        {simpleCommands(controls, view).map(({ key, label, title, done, do: name }) => (
          <button
            key={name}
            aria-keyshortcuts={key}
            title={`${title} (${key})`}
            onClick={() => actions.run({ do: name }, done)}
          >
            {label}
          </button>
        ))}
      </div>
    </section>
  );
}

/** Returns the command of a key; undefined if it has none now. */
export function commandOf(
  key: string,
  view: View,
  { subscribeTo }: Choices,
  controls: Controls,
): { readonly command: PlaygroundCommand; readonly done: string } | undefined {
  const to = subscribeTo ?? controls.streams[0];
  const newest = [...view.lanes.values()].findLast(({ end }) => end === undefined);
  const simple = simpleCommands(controls, view).find((one) => one.key === key);
  if (simple !== undefined) return { command: { do: simple.do }, done: simple.done };
  const [uri, availability] =
    Object.entries({ ...Object.fromEntries(view.contacts), ...onServer(view).presence })[0] ?? [];
  const found: Readonly<Record<string, PlaygroundCommand | undefined>> = {
    s: to && { do: 'subscribe', to },
    m: to && { do: 'unsubscribeMidAcquire', to },
    u: newest && { do: 'unsubscribe', stream: newest.stream },
    p:
      uri === undefined
        ? undefined
        : { do: 'setPresence', uri, availability: availability === 'Busy' ? 'Online' : 'Busy' },
  };
  const command = found[key];
  if (command === undefined || !controls.commands.includes(command.do)) return undefined;
  const done: Readonly<Record<string, string>> = {
    s: 'Subscribed.',
    m: 'Subscribed, and unsubscribed at once.',
    u: `Unsubscribed ${newest?.name ?? ''}.`,
    p: 'Presence is changed.',
  };
  return { command, done: done[key] ?? '' };
}
