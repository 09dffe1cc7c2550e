/** A tab of an application with many tabs. */
import { EMPTY, firstValueFrom, type Observable, Subscription } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import { SoapFault } from '../../../lib/ews/protocol/errors.ts';
import { connectTabs, type Tabs } from '../../../lib/tabs/connectTabs.ts';
import type * as tabsWorker from './tabsWorker.ts';

let tabs: Tabs<ReturnType<typeof tabsWorker.served.define>> | undefined;
const watching = new Subscription();
const boards: Record<string, Readonly<Record<string, string | undefined>>> = {};
const events: string[] = [];
const tokens: string[] = [];
let isConnected = false;
let wasStale = false;

/** A part of the platform that a browser may not have. */
type Part = 'SharedWorker' | 'locks';

/** Watches the presence of contacts, and new messages, in a browser without some parts of the platform. */
export function watch(
  ucwa: string,
  ews: string,
  lists: readonly (readonly string[])[],
  missing: readonly Part[] = [],
): void {
  if (missing.includes('SharedWorker')) Object.assign(globalThis, { SharedWorker: undefined });
  if (missing.includes('locks')) Object.defineProperty(navigator, 'locks', { value: undefined });
  const url = `./tabsWorker.js?${new URLSearchParams({ ucwa, ews }).toString()}`;
  tabs = connectTabs({
    // `extendedLifetime` has no type yet.
    sharedWorker: (name) =>
      new SharedWorker(url, { type: 'module', name, extendedLifetime: true } as WorkerOptions),
    // A bundler would create another file: its URL has no servers.
    load: async () => ((await import(url)) as typeof tabsWorker).served,
    functions: {
      token: (server) => {
        tokens.push(server);
        return Promise.resolve('secret');
      },
    },
    errors: { HttpError, SoapFault },
  });
  watching.add(tabs.isConnected$.subscribe((value) => (isConnected = value)));
  for (const uris of lists) {
    watching.add(
      tabs.states.board(uris).subscribe((board) => {
        wasStale ||= board.isStale;
        boards[uris.join()] = Object.fromEntries(
          [...board].map(([uri, { availability }]) => [uri, availability]),
        );
      }),
    );
  }
  watching.add(
    tabs.events.mail().subscribe((event) => {
      if (event.type !== 'status') events.push(event.type);
    }),
  );
}

/** Returns what this tab shows. */
export function shown(): {
  readonly boards: typeof boards;
  readonly events: readonly string[];
  readonly tokens: readonly string[];
  readonly isConnected: boolean;
  /** Whether a board was ever stale. */
  readonly wasStale: boolean;
} {
  return { boards, events, tokens, isConnected, wasStale };
}

/** Returns descriptions of two errors: of a resource and of a folder that do not exist. */
export async function errors(): Promise<readonly string[]> {
  const { get, mailOf } = tabs?.events ?? {};
  const failing: readonly (Observable<unknown> | undefined)[] = [get?.('/nowhere'), mailOf?.('nowhere')];
  return Promise.all(
    failing.map((stream$) =>
      firstValueFrom(stream$ ?? EMPTY).then(
        () => 'no error',
        (error: unknown) => {
          const isOwn = error instanceof HttpError || error instanceof SoapFault;
          const { name, code, message } = error as HttpError | SoapFault;
          return `${isOwn ? 'an instance of' : 'no'} ${name}: ${code ?? ''}: ${message.slice(0, 30)}`;
        },
      ),
    ),
  );
}

/** Keeps the page from running anything else. */
export function hang(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

export function close(): void {
  tabs?.close();
}
