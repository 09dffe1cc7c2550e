import { asyncScheduler } from 'rxjs';
import type { ConnectionBackoff } from '../../core/backoff/connectionBackoff.ts';
import { invalidOption } from '../../core/options.ts';
import type { SharedValues } from '../../core/sharedValues.ts';
import type { Middleware, Transport } from '../../core/transport/transport.ts';
import type { GroupAffinity } from './affinity.ts';

/** One group of mailboxes at one URL: what their streams share. */
export interface Endpoint {
  readonly url: string;
  /** The one backoff of all requests to the URL. */
  readonly backoff: ConnectionBackoff;
  /** For requests whose response ends. */
  readonly calls: Transport;
  /** For requests that stay open. */
  readonly streams: Transport;
  /** Values of optional features, such as the pool of streaming connections. */
  readonly shared: SharedValues;
}

/** Mailboxes whose requests go to one server of a farm. */
interface Group {
  at(url: string): Endpoint;
  /** Forgets the server, at most once a minute: a mailbox of the group has moved. */
  forget(): void;
}

/** The groups of a connection. */
export interface AffinityGroups {
  /**
   * Returns the group of a mailbox: that of the mailboxes with the same anchor, or, without an anchor, its
   * own.
   */
  groupOf(mailbox: string, anchorMailbox: string | undefined): Group;
}

interface OpenGroup extends Group {
  readonly mailboxes: Set<string>;
}

/** [EWS] How to maintain affinity between a group of subscriptions and the Mailbox server. */
const MOST_MAILBOXES = 200;

/** The requests of all mailboxes of a group may fail one after another. */
const FORGET_EVERY_MS = 60_000;

/** The part after the last at sign contains none: a pattern that allows it would take long on long texts. */
const ADDRESS = /^[\x21-\x7e]+@[\x21-\x3f\x41-\x7e]+$/;

/**
 * Whether a text can name the mailbox by which the server of a group is found: it has to fit into a header.
 */
export function isAnchor(value: unknown): value is string {
  return typeof value === 'string' && ADDRESS.test(value);
}

/** Returns an anchor mailbox that can be used, and throws a TypeError for another. */
export function anchorOption(value: unknown): string {
  if (isAnchor(value)) return value;
  throw invalidOption('anchorMailbox', value, 'an SMTP address in visible ASCII characters');
}

/**
 * Creates the groups of a connection. When a group is full, the next one has the same anchor.
 *
 * @param affinity Creates the affinity of one group at one URL; undefined for none.
 */
export function affinityGroups(
  affinity: (() => GroupAffinity) | undefined,
  endpointAt: (url: string, middleware: Middleware) => Endpoint,
): AffinityGroups {
  const byAnchor = new Map<string, OpenGroup[]>();

  const open = (anchorMailbox: string | undefined): OpenGroup => {
    const endpoints = new Map<string, Endpoint>();
    const forgets = new Set<() => void>();
    let forgottenAt = -Infinity;
    const make = (url: string): Endpoint => {
      // Another one at each URL: a server at one says nothing about those at another.
      const group = affinity?.();
      if (group !== undefined) forgets.add(group.forget);
      return endpointAt(url, (transport) =>
        withHeaders(headersOf(anchorMailbox, group), group?.middleware(transport) ?? transport),
      );
    };
    return {
      mailboxes: new Set(),
      at: (url) => {
        const endpoint = endpoints.get(url) ?? make(url);
        endpoints.set(url, endpoint);
        return endpoint;
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

/** With an anchor also without `affinity`: a browser keeps the cookies of the response itself. */
function headersOf(
  anchorMailbox: string | undefined,
  group: GroupAffinity | undefined,
): Readonly<Record<string, string>> {
  if (anchorMailbox === undefined) return group === undefined ? {} : { 'x-preferserveraffinity': 'true' };
  return { 'x-anchormailbox': anchorMailbox, 'x-preferserveraffinity': 'true' };
}

function withHeaders(headers: Readonly<Record<string, string>>, transport: Transport): Transport {
  return (request) => transport({ ...request, headers: { ...request.headers, ...headers } });
}
