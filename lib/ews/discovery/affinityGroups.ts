import { asyncScheduler, identity } from 'rxjs';
import type { ConnectionBackoff } from '../../core/backoff/connectionBackoff.ts';
import type { Middleware, Transport } from '../../core/transport/transport.ts';
import { affinityGroup } from './affinity.ts';

/** One group of mailboxes at one URL: what their streams share. */
export interface Endpoint {
  readonly url: string;
  /** The one backoff of all requests to the URL. */
  readonly backoff: ConnectionBackoff;
  /** For what is answered and over. */
  readonly calls: Transport;
  /** For what hangs. */
  readonly streams: Transport;
}

/** Mailboxes whose requests go to one server of a farm. */
interface Group {
  at(url: string): Endpoint;
  /** Finds that server anew, at most once a minute: a mailbox of the group has moved. */
  forget(): void;
}

/** The groups of a service. */
export interface AffinityGroups {
  /**
   * The group of a mailbox: shared with those that name the same anchor; without an anchor, its own and
   * without affinity.
   */
  groupOf(mailbox: string, anchorMailbox: string | undefined): Group;
}

interface OpenGroup extends Group {
  readonly mailboxes: Set<string>;
}

/** How many mailboxes a group may hold. Page: "How to maintain affinity between a group of subscriptions". */
const MOST_MAILBOXES = 200;

/** All mailboxes of a group may find out one after another that it has moved. */
const FORGET_EVERY_MS = 60_000;

/** Creates the groups of a service; where one is full, the next has the same anchor. */
export function affinityGroups(siteAt: (url: string, affinity: Middleware) => Endpoint): AffinityGroups {
  const byAnchor = new Map<string, OpenGroup[]>();

  const open = (anchorMailbox: string | undefined): OpenGroup => {
    const sites = new Map<string, Endpoint>();
    const forgets = new Set<() => void>();
    let forgottenAt = -Infinity;
    const make = (url: string): Endpoint => {
      if (anchorMailbox === undefined) return siteAt(url, identity);
      // Another one at each URL: which server it was says nothing elsewhere.
      const affinity = affinityGroup({ anchorMailbox });
      forgets.add(() => affinity.forget());
      return siteAt(url, affinity.middleware);
    };
    return {
      mailboxes: new Set(),
      at: (url) => {
        const site = sites.get(url) ?? make(url);
        sites.set(url, site);
        return site;
      },
      forget: () => {
        const now = asyncScheduler.now();
        if (now < forgottenAt + FORGET_EVERY_MS) return;
        forgottenAt = now;
        for (const forget of forgets) forget();
      },
    };
  };

  return {
    groupOf: (mailbox, anchorMailbox) => {
      const key = anchorMailbox ?? mailbox;
      const alike = byAnchor.get(key) ?? [];
      byAnchor.set(key, alike);
      let group =
        alike.find(({ mailboxes }) => mailboxes.has(mailbox)) ??
        alike.find(({ mailboxes }) => mailboxes.size < MOST_MAILBOXES);
      if (group === undefined) alike.push((group = open(anchorMailbox)));
      group.mailboxes.add(mailbox);
      return group;
    },
  };
}
