import { asyncScheduler, type Observable, Subject } from 'rxjs';
import { invalidOption } from '../../core/options.ts';
import {
  addFolder,
  type Folder,
  type Item,
  type MailboxEvent,
  type MailboxId,
  type MailboxData,
  newId,
  newMailboxData,
  ROOT,
} from './mailboxData.ts';
import type { RequestedFolder } from './requests/elements.ts';

/** Methods that change a simulated mailbox. Each causes the events that it would cause on a real server. */
export interface SimulatedMailbox {
  /** Delivers a message, and returns its id. @default folder 'inbox' */
  deliverMail(folder?: string): string;
  /** Creates an item other than a new mail, and returns its id. */
  createItem(folder: string): string;
  /** Modifies an item. */
  modifyItem(itemId: string): void;
  /** Moves an item, and returns its new id. */
  moveItem(itemId: string, toFolder: string): string;
  /** Copies an item, and returns the id of the copy. */
  copyItem(itemId: string, toFolder: string): string;
  /** Deletes an item: `hard` permanently, `soft` into the recoverable items. @default 'hard' */
  deleteItem(itemId: string, how?: 'hard' | 'soft'): void;
  /** Creates a folder, and returns its id. @default parent 'msgfolderroot' */
  createFolder(parent?: string): string;
  /** Changes the free/busy time of the calendar. */
  changeFreeBusy(): void;
  /** Returns the id of a distinguished folder, such as `inbox`. */
  folderId(distinguishedName: string): string;
}

/** A simulated mailbox. */
export interface Mailbox {
  /** The address; undefined for the mailbox of the account. */
  readonly address: string | undefined;
  readonly driver: SimulatedMailbox;
  /** All events, in order. */
  readonly history: readonly MailboxEvent[];
  /** Emits after each call that caused events, once for all of them. */
  readonly changes$: Observable<void>;
  /** Returns the id of a folder with this id or, if `distinguished`, with this name. */
  resolveFolder(idOrName: string, distinguished: boolean): string | undefined;
  /** Returns the current state of a folder. */
  describeFolder(id: string): DescribedFolder | undefined;
  /** Returns a copy of this mailbox for another address, with the same history and ids. */
  fork(address: string): Mailbox;
}

/** The current state of a folder. */
export interface DescribedFolder {
  readonly folder: MailboxId;
  readonly parentFolder: MailboxId | undefined;
  /** Its distinguished name, such as `inbox`; undefined for a folder that a user created. */
  readonly distinguishedName: string | undefined;
  readonly items: number;
  readonly unread: number;
  readonly childFolders: number;
}

/**
 * Creates a mailbox with the usual folders and no items.
 *
 * @param address It is part of all ids, so that two mailboxes never share one.
 */
export function ewsMailbox(address?: string): Mailbox {
  return mailboxWith(newMailboxData(address), address);
}

function mailboxWith(state: MailboxData, address: string | undefined): Mailbox {
  const { history, folders, items, byName } = state;
  const keyOf = ({ version }: { readonly version: number }): string =>
    btoa(`v${String(version).padStart(5, '0')}`);
  const idOf = (entry: Folder | Item): MailboxId => ({ id: entry.id, changeKey: keyOf(entry) });

  const folderOf = (option: string, idOrName: string): Folder => {
    const folder = folders.get(byName.get(idOrName) ?? idOrName);
    if (folder === undefined) throw invalidOption(option, idOrName, 'the name or id of a folder');
    return folder;
  };
  const itemOf = (itemId: string): Item => {
    const item = items.get(itemId);
    if (item === undefined) throw invalidOption('itemId', itemId, 'the id of an existing item');
    return item;
  };
  const addItem = (folder: Folder, isUnread: boolean): Item => {
    const item: Item = { id: newId(state, address, 'item'), folderId: folder.id, isUnread, version: 1 };
    items.set(item.id, item);
    return item;
  };

  const record = (event: Omit<MailboxEvent, 'sequence' | 'timestamp'>): void => {
    history.push({ sequence: history.length + 1, timestamp: new Date(asyncScheduler.now()), ...event });
  };
  const folderChanged = (folder: Folder, unreadMore: number): void => {
    folder.version += 1;
    folder.unread += unreadMore;
    const parent = folders.get(folder.parentId);
    if (parent === undefined) return;
    record({
      type: 'modified',
      folder: idOf(folder),
      parentFolder: idOf(parent),
      unreadCount: folder.unread,
    });
  };

  const transfer = (
    type: 'moved' | 'copied',
    itemId: string,
    toFolder: string,
    softDelete = false,
  ): string => {
    const from = itemOf(itemId);
    const source = folderOf('folder', from.folderId);
    const target = folderOf('toFolder', toFolder);
    const to = addItem(target, from.isUnread);
    if (type === 'moved') items.delete(from.id);
    record({
      type,
      item: idOf(to),
      parentFolder: idOf(target),
      oldItem: idOf(from),
      oldParentFolder: idOf(source),
      ...(softDelete ? { softDelete } : {}),
    });
    const unread = from.isUnread ? 1 : 0;
    if (type === 'moved') folderChanged(source, -unread);
    folderChanged(target, unread);
    return to.id;
  };

  const changes = new Subject<void>();
  /** Emits on `changes$` after all events of a call. */
  const emitting = <Result>(act: () => Result): Result => {
    const result = act();
    changes.next();
    return result;
  };

  const driver: SimulatedMailbox = {
    deliverMail: (folder = 'inbox') => {
      const parent = folderOf('folder', folder);
      const item = addItem(parent, true);
      record({ type: 'created', item: idOf(item), parentFolder: idOf(parent) });
      record({ type: 'newMail', item: idOf(item), parentFolder: idOf(parent) });
      folderChanged(parent, 1);
      return item.id;
    },
    createItem: (folder) => {
      const parent = folderOf('folder', folder);
      const item = addItem(parent, false);
      record({ type: 'created', item: idOf(item), parentFolder: idOf(parent) });
      folderChanged(parent, 0);
      return item.id;
    },
    modifyItem: (itemId) => {
      const item = itemOf(itemId);
      item.version += 1;
      record({
        type: 'modified',
        item: idOf(item),
        parentFolder: idOf(folderOf('folder', item.folderId)),
      });
    },
    moveItem: (itemId, toFolder) => transfer('moved', itemId, toFolder),
    copyItem: (itemId, toFolder) => transfer('copied', itemId, toFolder),
    deleteItem: (itemId, how = 'hard') => {
      if (how === 'soft') {
        transfer('moved', itemId, 'recoverableitemsdeletions', true);
        return;
      }
      const item = itemOf(itemId);
      const parent = folderOf('folder', item.folderId);
      items.delete(itemId);
      record({ type: 'deleted', item: idOf(item), parentFolder: idOf(parent) });
      folderChanged(parent, item.isUnread ? -1 : 0);
    },
    createFolder: (parent = ROOT) => {
      const parentFolder = folderOf('parent', parent);
      const folder = addFolder(state, address, parentFolder.id);
      record({ type: 'created', folder: idOf(folder), parentFolder: idOf(parentFolder) });
      return folder.id;
    },
    changeFreeBusy: () => {
      const calendar = folderOf('folder', 'calendar');
      record({
        type: 'freeBusyChanged',
        folder: idOf(calendar),
        parentFolder: idOf(folderOf('folder', ROOT)),
      });
    },
    folderId: (distinguishedName) => folderOf('distinguishedName', distinguishedName).id,
  };

  return {
    address,
    history,
    changes$: changes.asObservable(),
    resolveFolder: (idOrName, distinguished) => {
      const id = distinguished ? byName.get(idOrName) : idOrName;
      return id !== undefined && folders.has(id) ? id : undefined;
    },
    describeFolder: (id) => {
      const folder = folders.get(id);
      if (folder === undefined) return undefined;
      const parent = folders.get(folder.parentId);
      return {
        folder: idOf(folder),
        parentFolder: parent && idOf(parent),
        distinguishedName: [...byName].find(([, itsId]) => itsId === id)?.[0],
        items: [...items.values()].filter(({ folderId }) => folderId === id).length,
        unread: folder.unread,
        childFolders: [...folders.values()].filter(({ parentId }) => parentId === id).length,
      };
    },
    fork: (other) => mailboxWith(structuredClone(state), other),
    driver: {
      deliverMail: (folder) => emitting(() => driver.deliverMail(folder)),
      createItem: (folder) => emitting(() => driver.createItem(folder)),
      modifyItem: (itemId) => emitting(() => driver.modifyItem(itemId)),
      moveItem: (itemId, toFolder) => emitting(() => driver.moveItem(itemId, toFolder)),
      copyItem: (itemId, toFolder) => emitting(() => driver.copyItem(itemId, toFolder)),
      deleteItem: (itemId, how) => emitting(() => driver.deleteItem(itemId, how)),
      createFolder: (parent) => emitting(() => driver.createFolder(parent)),
      changeFreeBusy: () => emitting(() => driver.changeFreeBusy()),
      folderId: (distinguishedName) => driver.folderId(distinguishedName),
    },
  };
}

/** The mailboxes of a simulated server. */
export interface EwsMailboxes {
  /** The mailbox of the account. */
  readonly own: Mailbox;
  /** Returns the mailbox that clients see at an address: that of the account until `named` was called. */
  of(address: string | undefined): Mailbox;
  /** Returns the separate mailbox of an address, with the history that clients have seen at the address. */
  named(address: string): Mailbox;
  /**
   * Returns the address of the mailbox that contains a folder; undefined for that of the account.
   *
   * @param user The address of the impersonated user
   */
  addressOf(folder: RequestedFolder, user: string | undefined): string | undefined;
}

/**
 * Creates the mailboxes of a server, at first only that of the account.
 *
 * @param created Called with each new mailbox
 */
export function ewsMailboxes(created: (mailbox: Mailbox) => void): EwsMailboxes {
  const mailboxes = new Map<string, Mailbox>();
  const seenByClients = new Set<string>();
  const own = ewsMailbox();
  created(own);
  const of = (address: string | undefined): Mailbox => {
    if (address === undefined) return own;
    const name = mailboxName(address);
    seenByClients.add(name);
    return mailboxes.get(name) ?? own;
  };
  return {
    own,
    of,
    named: (address) => {
      const name = mailboxName(address);
      const known = mailboxes.get(name);
      if (known !== undefined) return known;
      const mailbox = seenByClients.has(name) ? own.fork(address) : ewsMailbox(address);
      mailboxes.set(name, mailbox);
      created(mailbox);
      return mailbox;
    },
    addressOf: ({ id, distinguished, mailbox }, user) => {
      const address = mailbox ?? user;
      if (distinguished || of(address).resolveFolder(id, false) !== undefined) return address;
      const holder = [...mailboxes.values()].find((one) => one.resolveFolder(id, false) !== undefined);
      return holder?.address ?? address;
    },
  };
}

/** Returns an address without the differences that do not matter. */
export function mailboxName(address: string): string {
  return address.trim().toLowerCase();
}
