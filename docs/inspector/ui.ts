import type { Playground, PlaygroundCommand, SubscribeTo } from '../../lib/inspector/playground.ts';
import type { Mark } from './view/lane.ts';
import type { TimeInput, TimeWindow } from './view/timeWindow.ts';

/** The commands for the connections. A page that only shows records has none. */
export type Controls = Pick<Playground, 'commands' | 'streams' | 'run'>;

/** A scenario, which explains one thing. */
export interface ScenarioChoice {
  readonly name: string;
  readonly title: string;
  /** One or two sentences. */
  readonly about: string;
}

/** The scenarios of a page. */
export interface Scenarios {
  readonly all: readonly ScenarioChoice[];
  readonly current: string | undefined;
  /** The address of a scenario, such as `#scenario=leave`. */
  readonly hrefOf: (name: string) => string;
  /** Starts the current scenario again. */
  readonly restart: () => void;
}

export type Theme = 'auto' | 'light' | 'dark';

/** The choices of a person. */
export interface Choices {
  readonly window: TimeWindow;
  readonly theme: Theme;
  /** The mark that has the pointer or the focus. */
  readonly shown?:
    { readonly stream: string; readonly mark: Mark; readonly by: 'pointer' | 'keys' } | undefined;
  readonly subscribeTo?: SubscribeTo;
  readonly isTableOpen: boolean;
  readonly isHelpOpen: boolean;
  /** The outcome of the last command. */
  readonly message?: { readonly text: string; readonly isError: boolean } | undefined;
}

export interface Actions {
  readonly run: (command: PlaygroundCommand, done?: string) => void;
  readonly time: (input: TimeInput) => void;
  readonly choose: (choices: Partial<Choices>) => void;
}

export const NAMES: Readonly<Record<SubscribeTo, string>> = {
  presence: 'presence',
  presenceBoard: 'presenceBoard',
  sharedBoard: 'presenceBoard, shared',
  pullNotifications: 'pullNotifications',
  streamingNotifications: 'streamingNotifications',
};

export const AVAILABILITIES: readonly string[] = [
  'Online',
  'Busy',
  'DoNotDisturb',
  'BeRightBack',
  'Away',
  'Offline',
];

/** Returns `sara` for `sip:sara@contoso.com`. */
export function shortName(uri: string): string {
  return uri.replace(/^sips?:/, '').replace(/@.*/, '');
}

/** Returns contacts by their names, because the domain is mostly the same, and no ids of folders. */
export function shortDetail(detail: string): string {
  return detail
    .split(', ')
    .map(shortName)
    .join(', ')
    .replace(/[\w+/]{16,}=*/g, 'a folder');
}

/** Returns the last part of a path, or the last characters of an id. */
export function shortId(id: string): string {
  const last = id.split('/').at(-1) ?? id;
  return last.length <= 14 ? last : `…${last.slice(-12)}`;
}

/** Returns `1 subscription` or `2 subscriptions`. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}
