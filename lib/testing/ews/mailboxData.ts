import type { SubscribableEvent } from '../../ews/protocol/events.ts';

/** An event in the history of a mailbox. */
export interface MailboxEvent {
  /** The position in the history, from 1. */
  readonly sequence: number;
  readonly type: SubscribableEvent;
  readonly timestamp: Date;
  readonly item?: MailboxId;
  readonly folder?: MailboxId;
  readonly parentFolder: MailboxId;
  readonly oldItem?: MailboxId;
  readonly oldParentFolder?: MailboxId;
  readonly unreadCount?: number;
  /** Whether a move is a soft delete. */
  readonly softDelete?: boolean;
}

/** The id of an item or a folder, and its current version. */
export interface MailboxId {
  readonly id: string;
  readonly changeKey: string;
}

/** A folder of a mailbox. */
export interface Folder {
  readonly id: string;
  readonly parentId: string;
  unread: number;
  version: number;
}

/** An item of a mailbox. */
export interface Item {
  readonly id: string;
  readonly folderId: string;
  readonly isUnread: boolean;
  version: number;
}

const TOP = 'root';
/** The name of the folder that contains the user's folders. */
export const ROOT = 'msgfolderroot';
const DISTINGUISHED = [
  'inbox',
  'sentitems',
  'drafts',
  'outbox',
  'deleteditems',
  'junkemail',
  'calendar',
  'contacts',
  'tasks',
  'notes',
  'recoverableitemsdeletions',
];

/** The contents of a mailbox. */
export interface MailboxData {
  readonly history: MailboxEvent[];
  readonly folders: Map<string, Folder>;
  readonly items: Map<string, Item>;
  readonly byName: Map<string, string>;
  idCount: number;
}

/** Creates the contents of a mailbox with the usual folders and no items. */
export function newMailboxData(address: string | undefined): MailboxData {
  const byName = new Map<string, string>();
  const state: MailboxData = { history: [], folders: new Map(), items: new Map(), byName, idCount: 0 };
  const top = addFolder(state, address, '');
  const root = addFolder(state, address, top.id);
  byName.set(TOP, top.id).set(ROOT, root.id);
  for (const name of DISTINGUISHED) byName.set(name, addFolder(state, address, root.id).id);
  return state;
}

/** Returns an id that is unique in this mailbox and among all addresses. */
export function newId(state: MailboxData, address: string | undefined, type: 'item' | 'folder'): string {
  state.idCount += 1;
  const owner = address === undefined ? '' : `${encodeURIComponent(address)} `;
  return btoa(`${owner}${type}-${String(state.idCount).padStart(9, '0')}`);
}

/** Adds an empty folder. */
export function addFolder(state: MailboxData, address: string | undefined, parentId: string): Folder {
  const folder: Folder = { id: newId(state, address, 'folder'), parentId, unread: 0, version: 1 };
  state.folders.set(folder.id, folder);
  return folder;
}
