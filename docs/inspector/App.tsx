import type { JSX } from 'preact';
import { ControlPanel, SHORTCUTS } from './ControlPanel.tsx';
import type { Diagram } from './diagram/diagram.ts';
import { Lanes } from './diagram/Lanes.tsx';
import { Board } from './Board.tsx';
import { Ledger, Servers, Summary, Wire } from './Panels.tsx';
import type { Actions, Choices, Controls, Scenarios, Theme } from './ui.ts';
import type { View } from './view/view.ts';

export interface AppProps {
  readonly view: View;
  readonly choices: Choices;
  readonly actions: Actions;
  readonly controls: Controls | undefined;
  readonly scenarios: Scenarios | undefined;
  readonly diagram: Diagram;
  readonly now: number;
}

/** The whole page. */
export function App(props: AppProps): JSX.Element {
  const { controls, choices, actions } = props;
  return (
    <>
      <Header {...props} />
      <main>
        {controls !== undefined && controls.commands.length > 0 && (
          <ControlPanel {...props} controls={controls} />
        )}
        <p class={choices.message?.isError === true ? 'message error' : 'message'} role="status">
          {choices.message?.text}
        </p>
        <Lanes {...props} />
        <div class="panels">
          <Board {...props} />
          <Servers {...props} />
          <Ledger {...props} />
          <Wire {...props} />
        </div>
      </main>
      <Help isOpen={choices.isHelpOpen} onToggle={(isHelpOpen) => actions.choose({ isHelpOpen })} />
    </>
  );
}

const THEMES: Readonly<Record<Theme, string>> = { auto: 'System', light: 'Light', dark: 'Dark' };

function Header(props: AppProps): JSX.Element {
  const { scenarios, choices, actions } = props;
  const current = scenarios?.all.find(({ name }) => name === scenarios.current);
  return (
    <header>
      <div class="brand">
        <h1>rxchange</h1>
        <p>A subscription on a server is an Observable. Watch what becomes of it.</p>
      </div>
      <label class="theme">
        <span>Colours</span>
        <select
          value={choices.theme}
          onChange={({ currentTarget: { value } }) => actions.choose({ theme: value as Theme })}
        >
          {Object.entries(THEMES).map(([theme, label]) => (
            <option key={theme} value={theme}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {scenarios !== undefined && (
        <nav aria-label="Scenarios">
          <ul>
            {scenarios.all.map(({ name, title }) => (
              <li key={name}>
                <a
                  href={scenarios.hrefOf(name)}
                  aria-current={name === scenarios.current ? 'true' : undefined}
                >
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      )}
      <p class="about">
        {current !== undefined && scenarios !== undefined && (
          <>
            {current.about}{' '}
            <button class="link" onClick={scenarios.restart}>
              Play it again
            </button>
          </>
        )}
      </p>
      <Summary {...props} />
    </header>
  );
}

function Help({
  isOpen,
  onToggle,
}: {
  readonly isOpen: boolean;
  readonly onToggle: (open: boolean) => void;
}): JSX.Element {
  return (
    <footer>
      <details open={isOpen} onToggle={({ currentTarget: { open } }) => open !== isOpen && onToggle(open)}>
        <summary>Keys</summary>
        <dl>
          {SHORTCUTS.map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
      </details>
    </footer>
  );
}
