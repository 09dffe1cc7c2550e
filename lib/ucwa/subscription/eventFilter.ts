import {
  contactUriKey,
  EVERYTHING,
  isOfContact,
  PRESENCE_SUBSCRIPTIONS,
  UNNAMED_CONTACTS,
  type KeyedEvent,
} from '../channel/eventRouter.ts';
import { gapReasonOf, type UcwaEvent } from '../protocol/events.ts';
import type { Membership } from './memberships.ts';

/**
 * Which events a stream emits besides those of its subscription.
 *
 * - `named`: those of contacts whose addresses are known.
 * - `members`: those of contacts that only the memberships of the subscription name.
 * - `matching`: those for which `matches` returns true.
 */
export type Interest =
  | { readonly type: 'named' | 'members' }
  | { readonly type: 'matching'; readonly matches: (event: UcwaEvent) => boolean };

/**
 * Decides which events belong to the current subscription of a stream. Never changes: a new state is a new
 * record.
 */
export interface EventFilter {
  readonly interest: Interest;
  /** The key of the subscription; undefined before it was created. */
  readonly self: string | undefined;
  /** The watched contacts by key. */
  readonly contacts: ReadonlyMap<string, unknown>;
  /** The hrefs of contacts that the memberships named, and the keys of their addresses. */
  readonly members: ReadonlyMap<string, string | undefined>;
  /** Whether `members` holds every contact whose href does not contain its address. */
  readonly isIdentified: boolean;
}

/**
 * The part that an event plays for a stream.
 *
 * - `created`, `expiring`, `deleted`: the subscription itself.
 * - `own`: a contact of the subscription, or a match.
 * - `unidentified`: a contact that may be one of the subscription; its memberships have to be read.
 * - `gap`: a loss, which concerns every stream.
 */
export type EventRole = 'foreign' | 'unidentified' | 'gap' | 'created' | 'expiring' | 'deleted' | 'own';

const NOBODY: ReadonlyMap<string, undefined> = new Map();

/** Returns the filter of a stream whose subscription does not exist yet. */
export function initialFilter(interest: Interest): EventFilter {
  return { interest, self: undefined, contacts: NOBODY, members: NOBODY, isIdentified: false };
}

/** Returns the filter while the next subscription is created. */
export function unbound({ interest, contacts }: EventFilter): EventFilter {
  return { interest, self: undefined, contacts, members: NOBODY, isIdentified: false };
}

/** Returns the filter for a subscription that was created, by the key of its href. */
export function boundTo({ interest, contacts, isIdentified }: EventFilter, self: string): EventFilter {
  return { interest, self, contacts, members: NOBODY, isIdentified };
}

/** Returns the filter for other contacts. */
export function watching(filter: EventFilter, contacts: EventFilter['contacts']): EventFilter {
  return { ...filter, contacts };
}

/** Returns the filter after the memberships were read. */
export function identified(filter: EventFilter, memberships: readonly Membership[]): EventFilter {
  const members = new Map(filter.members);
  for (const { contact, address } of memberships) {
    members.set(contact, address === undefined ? members.get(contact) : contactUriKey(address));
  }
  return { ...filter, members, isIdentified: true };
}

/** Returns the filter after contacts were added whose hrefs may not contain their addresses. */
export function unidentified(filter: EventFilter): EventFilter {
  return filter.isIdentified ? { ...filter, isIdentified: false } : filter;
}

/** Returns the filter after members were removed. */
export function withoutMembers(filter: EventFilter, removed: readonly string[]): EventFilter {
  const members = new Map(filter.members);
  for (const key of removed) members.delete(key);
  return { ...filter, members };
}

/** Returns the keys under which the events of interest are published. */
export function routingKeys({
  interest,
  self,
  contacts,
  members,
  isIdentified,
}: EventFilter): ReadonlySet<string> {
  // The response to the creation names the subscription, and its events may arrive earlier.
  const keys = new Set(contacts.keys()).add(self ?? PRESENCE_SUBSCRIPTIONS);
  for (const key of members.keys()) keys.add(key);
  if (interest.type === 'matching') keys.add(EVERYTHING);
  else if (!isIdentified) keys.add(interest.type === 'named' ? UNNAMED_CONTACTS : EVERYTHING);
  return keys;
}

/** Returns the part that an event plays: a pure function. */
export function classify(filter: EventFilter, { event, keys }: KeyedEvent): EventRole {
  const { interest, self, contacts, members, isIdentified } = filter;
  if (gapReasonOf(event) !== undefined) return 'gap';
  if (self !== undefined && keys.includes(self)) return ownRole(event.type);
  if (keys.some((key) => contacts.has(key) || members.has(key))) return 'own';
  if (interest.type === 'matching') return interest.matches(event) ? 'own' : 'foreign';
  const mayBeOwn = interest.type === 'named' ? keys.includes(UNNAMED_CONTACTS) : isOfContact(keys);
  return mayBeOwn && !isIdentified ? 'unidentified' : 'foreign';
}

function ownRole(type: string): EventRole {
  // `updated` announces that the subscription is about to expire. [presenceSubscription_ref]
  return type === 'added'
    ? 'created'
    : type === 'updated'
      ? 'expiring'
      : type === 'deleted'
        ? 'deleted'
        : 'own';
}

/** Returns the key of the watched contact that these keys of an event belong to. */
export function contactOf({ contacts, members }: EventFilter, keys: readonly string[]): string | undefined {
  return keys.flatMap((key) => [key, members.get(key) ?? key]).find((key) => contacts.has(key));
}
