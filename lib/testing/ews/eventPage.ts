import { type EwsDialect, isGrommunio } from './dialect.ts';
import type { Mailbox } from './mailbox.ts';
import type { MailboxEvent } from './mailboxData.ts';
import { EVENT_NAMES } from '../../ews/protocol/events.ts';

/** The result of one GetEvents, or of one post. */
export interface EventPage {
  readonly subscriptionId: string;
  readonly previousWatermark: string;
  readonly moreEvents: boolean;
  readonly events: readonly MailboxEvent[];
  /** Returns the watermark after an event; without an argument, that of a StatusEvent. */
  readonly watermarkAt: (sequence?: number) => string;
}

/** The events after a position in the history, as a subscription sees them. */
export interface PageOfEvents {
  readonly events: readonly MailboxEvent[];
  readonly moreEvents: boolean;
  /** The position in the history after these events. */
  readonly reached: number;
}

/** The largest number of events in one response. */
export const PAGE_SIZE = 50;

/** Returns the number of events that a subscription has not received. */
export function countEvents(
  subscription: EventFilter & { readonly history: Mailbox['history'] },
  start: number,
  dialect: EwsDialect,
): number {
  return subscription.history.slice(start).filter((event) => matches(subscription, event, dialect)).length;
}

/** Returns the next events of a subscription, at most `limit`. */
export function pageOfEvents(
  subscription: EventFilter & { readonly history: Mailbox['history'] },
  start: number,
  dialect: EwsDialect,
  limit: number,
): PageOfEvents {
  const { history } = subscription;
  const matching = history.slice(start).filter((event) => matches(subscription, event, dialect));
  const events = matching.slice(0, limit).map((event) => viewFor(subscription, event));
  const moreEvents = matching.length > limit;
  const reached = moreEvents ? (events.at(-1)?.sequence ?? history.length) : history.length;
  return { events, moreEvents, reached };
}

/** The folders and events that a subscription watches. */
export interface EventFilter {
  /** Ids of the watched folders; undefined for all. */
  readonly folders: readonly string[] | undefined;
  /** The elements of the events, such as `NewMailEvent`. */
  readonly events: readonly string[];
}

const OF_ITEMS_IN_FOLDERS = new Set(['created', 'newMail']);

/** Returns whether an event is one that a subscription receives. */
export function matches({ folders, events }: EventFilter, event: MailboxEvent, dialect: EwsDialect): boolean {
  if (
    !events.includes(EVENT_NAMES[event.softDelete === true && folders === undefined ? 'deleted' : event.type])
  ) {
    return false;
  }
  if (isGrommunio(dialect) && isOmittedByGrommunio(event, folders !== undefined)) return false;
  if (folders === undefined) return true;
  return [event.folder, event.parentFolder, event.oldParentFolder].some(
    (folder) => folder !== undefined && folders.includes(folder.id),
  );
}

/** grommunio accepts all event types, but does not send all of them. */
function isOmittedByGrommunio({ type, item }: MailboxEvent, isOfFolders: boolean): boolean {
  return type === 'freeBusyChanged' || (isOfFolders && item !== undefined && !OF_ITEMS_IN_FOLDERS.has(type));
}

/**
 * Returns an event as a subscription sees it: to one on all folders, a soft delete is a deletion, else a
 * move.
 */
export function viewFor({ folders }: EventFilter, event: MailboxEvent): MailboxEvent {
  const { oldItem, oldParentFolder, softDelete, ...rest } = event;
  if (
    softDelete !== true ||
    folders !== undefined ||
    oldItem === undefined ||
    oldParentFolder === undefined
  ) {
    return event;
  }
  return { ...rest, type: 'deleted', item: oldItem, parentFolder: oldParentFolder };
}
