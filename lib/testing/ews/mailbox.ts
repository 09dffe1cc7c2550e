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

/** What can be done to a simulated mailbox. Each call brings the events that it would bring in a real one. */
export interface SimulatedMailbox {
  /** A message arrives; returns its id. @default folder 'inbox' */
  deliverMail(folder?: string): string;
  /** An item is created, which is no mail; returns its id. */
  createItem(folder: string): string;
  /** An item is changed. */
  modifyItem(itemId: string): void;
  /** An item is moved; returns its new id. */
  moveItem(itemId: string, toFolder: string): string;
  /** An item is copied; returns the id of the copy. */
  copyItem(itemId: string, toFolder: string): string;
  /** An item is deleted: `hard` for good, `soft` into the recoverable items. @default 'hard' */
  deleteItem(itemId: string, how?: 'hard' | 'soft'): void;
  /** A folder is created; returns its id. @default parent 'msgfolderroot' */
  createFolder(parent?: string): string;
  /** The free and busy time of the calendar changes. */
  changeFreeBusy(): void;
  /** The id of a folder, such as of `inbox`. */
  folderId(distinguishedName: string): string;
}

/** A simulated mailbox. */
export interface Mailbox {
  /** The address that a test names it by; undefined for that of the account. */
  readonly address: string | undefined;
  readonly driver: SimulatedMailbox;
  /** All that happened, in order. */
  readonly history: readonly MailboxEvent[];
  /** Emits when something has happened: once for all events of one call. */
  readonly changes$: Observable<void>;
  /** Returns the id of a folder of this id or, if it is a distinguished one, of this name. */
  resolveFolder(idOrName: string, distinguished: boolean): string | undefined;
  /** Returns a folder as it is now. */
  describeFolder(id: string): DescribedFolder | undefined;
  /** Returns a mailbox of another address that begins as this one is, with the same history and ids. */
  fork(address: string): Mailbox;
}

/** A folder as it is now. */
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
 * Creates a mailbox with the usual folders and nothing in them.
 *
 * @param address It is part of all ids that the mailbox gives, so that no other gives the same.
 */
export function ewsMailbox(address?: string): Mailbox {
  return mailboxWith(newMailboxData(address), address);
}

function mailboxWith(state: MailboxData, address: string | undefined): Mailbox {
  const { history, folders, items, byName } = state;
  const keyOf = ({ version }: { readonly version: number }): string =>
    btoa(`v${String(version).padStart(5, '0')}`);
  const idOf = (thing: Folder | Item): MailboxId => ({ id: thing.id, changeKey: keyOf(thing) });

  const folderOf = (option: string, idOrName: string): Folder => {
    const folder = folders.get(byName.get(idOrName) ?? idOrName);
    if (folder === undefined) throw invalidOption(option, idOrName, 'the name or the id of a folder');
    return folder;
  };
  const itemOf = (itemId: string): Item => {
    const item = items.get(itemId);
    if (item === undefined) throw invalidOption('itemId', itemId, 'the id of an item that is there');
    return item;
  };
  const addItem = (folder: Folder, isUnread: boolean): Item => {
    const item: Item = { id: newId(state, address, 'item'), folderId: folder.id, isUnread, version: 1 };
    items.set(item.id, item);
    return item;
  };

  const happened = (event: Omit<MailboxEvent, 'sequence' | 'timestamp'>): void => {
    history.push({ sequence: history.length + 1, timestamp: new Date(asyncScheduler.now()), ...event });
  };
  const folderChanged = (folder: Folder, unreadMore: number): void => {
    folder.version += 1;
    folder.unread += unreadMore;
    const parent = folders.get(folder.parentId);
    if (parent === undefined) return;
    happened({
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
    happened({
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
  /** What one call brings is told of when all of it has happened. */
  const telling = <Result>(act: () => Result): Result => {
    const result = act();
    changes.next();
    return result;
  };

  const driver: SimulatedMailbox = {
    deliverMail: (folder = 'inbox') => {
      const parent = folderOf('folder', folder);
      const item = addItem(parent, true);
      happened({ type: 'created', item: idOf(item), parentFolder: idOf(parent) });
      happened({ type: 'newMail', item: idOf(item), parentFolder: idOf(parent) });
      folderChanged(parent, 1);
      return item.id;
    },
    createItem: (folder) => {
      const parent = folderOf('folder', folder);
      const item = addItem(parent, false);
      happened({ type: 'created', item: idOf(item), parentFolder: idOf(parent) });
      folderChanged(parent, 0);
      return item.id;
    },
    modifyItem: (itemId) => {
      const item = itemOf(itemId);
      item.version += 1;
      happened({
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
      happened({ type: 'deleted', item: idOf(item), parentFolder: idOf(parent) });
      folderChanged(parent, item.isUnread ? -1 : 0);
    },
    createFolder: (parent = ROOT) => {
      const parentFolder = folderOf('parent', parent);
      const folder = addFolder(state, address, parentFolder.id);
      happened({ type: 'created', folder: idOf(folder), parentFolder: idOf(parentFolder) });
      return folder.id;
    },
    changeFreeBusy: () => {
      const calendar = folderOf('folder', 'calendar');
      happened({
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
      deliverMail: (folder) => telling(() => driver.deliverMail(folder)),
      createItem: (folder) => telling(() => driver.createItem(folder)),
      modifyItem: (itemId) => telling(() => driver.modifyItem(itemId)),
      moveItem: (itemId, toFolder) => telling(() => driver.moveItem(itemId, toFolder)),
      copyItem: (itemId, toFolder) => telling(() => driver.copyItem(itemId, toFolder)),
      deleteItem: (itemId, how) => telling(() => driver.deleteItem(itemId, how)),
      createFolder: (parent) => telling(() => driver.createFolder(parent)),
      changeFreeBusy: () => telling(() => driver.changeFreeBusy()),
      folderId: (distinguishedName) => driver.folderId(distinguishedName),
    },
  };
}
