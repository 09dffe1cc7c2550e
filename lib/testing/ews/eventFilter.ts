import { EVENT_NAMES } from '../../ews/protocol/events.ts';
import { type EwsDialect, isGrommunio } from './dialect.ts';
import type { MailboxEvent } from './mailboxData.ts';

/** What a subscription watches. */
export interface EventFilter {
  /** Ids of the watched folders; undefined for all. */
  readonly folders: readonly string[] | undefined;
  /** The elements of the events, such as `NewMailEvent`. */
  readonly events: readonly string[];
}

const OF_ITEMS_IN_FOLDERS = new Set(['created', 'newMail']);

/** Whether a subscription is told of an event. */
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

/** Whether grommunio, which accepts all event types, does not send an event. */
function isOmittedByGrommunio({ type, item }: MailboxEvent, isOfFolders: boolean): boolean {
  return type === 'freeBusyChanged' || (isOfFolders && item !== undefined && !OF_ITEMS_IN_FOLDERS.has(type));
}

/** Who watches all folders sees what is put away as deleted; who watches some sees it move. */
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
