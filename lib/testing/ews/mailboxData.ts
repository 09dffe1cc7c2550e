import type { SubscribableEvent } from '../../ews/protocol/events.ts';

/** What happened in a mailbox, as it is kept in its history. */
export interface MailboxEvent {
  /** Its place in the history, from 1. */
  readonly sequence: number;
  readonly type: SubscribableEvent;
  readonly timestamp: Date;
  readonly item?: MailboxId;
  readonly folder?: MailboxId;
  readonly parentFolder: MailboxId;
  readonly oldItem?: MailboxId;
  readonly oldParentFolder?: MailboxId;
  readonly unreadCount?: number;
  /** A move that only puts away what is deleted. */
  readonly softDelete?: boolean;
}

/** The id of an item or a folder, in its present version. */
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
/** The name of the folder that has the folders of the user. */
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

/** All that a mailbox has. */
export interface MailboxData {
  readonly history: MailboxEvent[];
  readonly folders: Map<string, Folder>;
  readonly items: Map<string, Item>;
  readonly byName: Map<string, string>;
  idCount: number;
}

/** Creates the state of a mailbox with the usual folders and nothing in them. */
export function newMailboxData(address: string | undefined): MailboxData {
  const byName = new Map<string, string>();
  const state: MailboxData = { history: [], folders: new Map(), items: new Map(), byName, idCount: 0 };
  const top = addFolder(state, address, '');
  const root = addFolder(state, address, top.id);
  byName.set(TOP, top.id).set(ROOT, root.id);
  for (const name of DISTINGUISHED) byName.set(name, addFolder(state, address, root.id).id);
  return state;
}

/** Returns an id that no other thing has, in this mailbox or in that of another address. */
export function newId(state: MailboxData, address: string | undefined, kind: string): string {
  state.idCount += 1;
  const owner = address === undefined ? '' : `${encodeURIComponent(address)} `;
  return btoa(`${owner}${kind}-${String(state.idCount).padStart(9, '0')}`);
}

/** Adds an empty folder. */
export function addFolder(state: MailboxData, address: string | undefined, parentId: string): Folder {
  const folder: Folder = { id: newId(state, address, 'folder'), parentId, unread: 0, version: 1 };
  state.folders.set(folder.id, folder);
  return folder;
}
