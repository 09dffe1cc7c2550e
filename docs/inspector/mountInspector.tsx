import { render } from 'preact';
import type { Observable } from 'rxjs';
import type { InspectorRecord } from '../../lib/inspector/records.ts';
import { App } from './App.tsx';
import { commandOf } from './ControlPanel.tsx';
import { createDiagram } from './diagram/diagram.ts';
import { FOLLOWING, type TimeInput, windowAfter } from './view/timeWindow.ts';
import type { Actions, Choices, Controls, Scenarios, Theme } from './ui.ts';
import { EMPTY, type View, viewAfter } from './view/view.ts';

/** Panels change at most once in this time; the diagram changes in every frame. */
const PANELS_MS = 100;
/** Retry countdowns change without a record. */
const COUNTDOWN_MS = 500;
/** More records than this between two frames are not shown: the page was in the background. */
const MOST_WAITING = 20_000;

/** The other inputs of a page. */
export interface InspectorParts {
  /** The commands, and `run`: such as a Playground. Without it, the page only shows. */
  readonly controls?: Controls | undefined;
  readonly scenarios?: () => Scenarios;
  /** Where keys are pressed. @default the element */
  readonly keysOf?: Document;
}

/** A mounted inspector. */
export interface MountedInspector {
  /** Forgets the records so far, and shows those of another connection or playground. */
  readonly show: (records$: Observable<InspectorRecord>, controls?: Controls) => void;
  /** Shows an error. */
  readonly say: (text: string) => void;
  readonly unmount: () => void;
}

/** Shows the records in an element, until it is unmounted. */
export function mountParts(
  element: HTMLElement,
  records$: Observable<InspectorRecord>,
  { controls: first, scenarios, keysOf }: InspectorParts = {},
): MountedInspector {
  let controls = first;
  let view: View = EMPTY;
  let choices: Choices = { window: FOLLOWING, theme: savedTheme(), isTableOpen: false, isHelpOpen: false };
  let waiting: InspectorRecord[] = [];
  let isStale = true;
  let renderedAt = -Infinity;
  let request = 0;

  element.replaceChildren();
  element.classList.add('rx-inspector');
  const now = (): number => Date.now();
  const diagram = createDiagram(
    element,
    () => ({ lanes: view.lanes, window: choices.window, shown: choices.shown }),
    now,
  );

  const choose = (changed: Partial<Choices>): void => {
    choices = { ...choices, ...changed };
    if (changed.theme !== undefined) applyTheme(element, changed.theme, diagram.refresh);
    update();
  };
  const actions: Actions = {
    choose,
    time: (input: TimeInput) =>
      choose({ window: windowAfter(choices.window, input, now()), shown: undefined }),
    run: (command, done) => {
      controls?.run(command).then(
        () => choose({ message: done === undefined ? undefined : { text: done, isError: false } }),
        (error: unknown) =>
          choose({
            message: { text: error instanceof Error ? error.message : String(error), isError: true },
          }),
      );
    },
  };

  const update = (): void => {
    isStale = false;
    renderedAt = performance.now();
    render(
      <App {...{ view, choices, actions, controls, scenarios: scenarios?.(), diagram, now: now() }} />,
      element,
    );
  };
  const frame = (time: number): void => {
    request = requestAnimationFrame(frame);
    if (waiting.length > 0) {
      view = viewAfter(view, waiting.slice(-MOST_WAITING));
      waiting = [];
      isStale = true;
    }
    if (time - renderedAt >= (isStale ? PANELS_MS : COUNTDOWN_MS)) update();
  };

  const onKey = (event: Event): void => {
    if (event instanceof KeyboardEvent) pressed(event);
  };
  const pressed = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (target instanceof HTMLElement && target.closest('input, select, textarea, [contenteditable]')) return;
    if (event.key === ' ' && target instanceof HTMLElement && target.closest('button, summary, a')) return;
    const input = timeInputOf(event.key, choices);
    const found = controls === undefined ? undefined : commandOf(event.key, view, choices, controls);
    if (input !== undefined) actions.time(input);
    else if (event.key === '?') choose({ isHelpOpen: !choices.isHelpOpen });
    else if (event.key === 't') choose({ isTableOpen: !choices.isTableOpen });
    else if (found !== undefined) actions.run(found.command, found.done);
    else return;
    event.preventDefault();
  };
  const keys: EventTarget = keysOf ?? element;
  keys.addEventListener('keydown', onKey);

  const watch = (shown$: Observable<InspectorRecord>) =>
    shown$.subscribe({
      next: (record) => {
        waiting.push(record);
        if (waiting.length > MOST_WAITING * 2) waiting = waiting.slice(-MOST_WAITING);
      },
      error: (error: unknown) =>
        choose({ message: { text: `The records have ended: ${String(error)}`, isError: true } }),
    });
  let subscription = watch(records$);
  applyTheme(element, choices.theme, diagram.refresh);
  update();
  request = requestAnimationFrame(frame);

  return {
    show: (shown$, shownControls) => {
      subscription.unsubscribe();
      waiting = [];
      view = EMPTY;
      controls = shownControls;
      choices = {
        ...choices,
        window: { spanMs: choices.window.spanMs },
        shown: undefined,
        message: undefined,
      };
      subscription = watch(shown$);
      update();
    },
    say: (text) => choose({ message: { text, isError: true } }),
    unmount: () => {
      subscription.unsubscribe();
      cancelAnimationFrame(request);
      keys.removeEventListener('keydown', onKey);
      diagram.stop();
      render(null, element);
    },
  };
}

/**
 * Shows the records of a connection in an element. Returns a function that removes them again.
 *
 * @param controls The commands for the connection, such as a Playground. @default nothing
 */
export function mountInspector(
  element: HTMLElement,
  records$: Observable<InspectorRecord>,
  controls?: Controls,
): () => void {
  return mountParts(element, records$, { controls }).unmount;
}

function timeInputOf(key: string, { window }: Choices): TimeInput | undefined {
  if (key === ' ') return window.until === undefined ? 'pause' : 'follow';
  const inputs: Readonly<Record<string, TimeInput>> = {
    ...{ ArrowLeft: 'back', ArrowRight: 'forward', End: 'follow', '+': 'narrower', '-': 'wider' },
  };
  return inputs[key];
}

const THEME_KEY = 'rxchange-theme';

function savedTheme(): Theme {
  try {
    const saved = localStorage.getItem(THEME_KEY);
    return saved === 'light' || saved === 'dark' ? saved : 'auto';
  } catch {
    return 'auto';
  }
}

function applyTheme(element: HTMLElement, theme: Theme, refresh: () => void): void {
  const isPage = element.ownerDocument.body.contains(element) && element.dataset['page'] !== undefined;
  const themed = isPage ? element.ownerDocument.documentElement : element;
  themed.style.colorScheme = theme === 'auto' ? '' : theme;
  refresh();
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // A page without storage forgets it.
  }
}
