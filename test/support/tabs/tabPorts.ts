import { map, Subject } from 'rxjs';
import type { Link } from '../../../lib/tabs/link.ts';
import type { TabMessage, WorkerMessage } from '../../../lib/tabs/messages.ts';
import type { TabServer } from '../../../lib/tabs/tabServer.ts';

/** A tab that is joined to a server in the same thread. Messages are copied. */
export interface JoinedTab {
  readonly link: Link;
  /** All messages to the tab. */
  readonly received: readonly WorkerMessage[];
  readonly post: (message: TabMessage) => void;
}

/** Joins a tab to a server. */
export function joinTab(server: TabServer, tab: string): JoinedTab {
  const toServer = new Subject<TabMessage>();
  const toTab = new Subject<WorkerMessage>();
  const received: WorkerMessage[] = [];
  server.join({
    messages$: toServer.pipe(map((message) => structuredClone(message))),
    post: (message) => {
      const copy = structuredClone(message);
      received.push(copy);
      toTab.next(copy);
    },
  });
  const post = (message: TabMessage): void => toServer.next(message);
  post({ type: 'join', tab });
  return { link: { messages$: toTab, post }, received, post };
}

/** Returns the message that subscribes to a stream. */
export function subscribeTo(
  id: number,
  group: 'states' | 'events',
  name: string,
  ...args: readonly unknown[]
): TabMessage {
  return { type: 'subscribe', id, group, name, args: JSON.stringify(args) };
}
