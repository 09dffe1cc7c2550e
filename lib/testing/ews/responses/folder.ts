import { escapeXml } from '../../../ews/protocol/envelope.ts';
import { element } from './envelopes.ts';
import type { DescribedFolder } from '../mailbox.ts';
import type { MailboxId } from '../mailboxData.ts';

interface FolderType {
  readonly element: string;
  /** The value of FolderClass. */
  readonly folderClass: string;
}

const MAIL: FolderType = { element: 't:Folder', folderClass: 'IPF.Note' };
const FOLDER_TYPES: ReadonlyMap<string | undefined, FolderType> = new Map([
  ['calendar', { element: 't:CalendarFolder', folderClass: 'IPF.Appointment' }],
  ['contacts', { element: 't:ContactsFolder', folderClass: 'IPF.Contact' }],
  ['tasks', { element: 't:TasksFolder', folderClass: 'IPF.Task' }],
]);
const DISPLAY_NAMES: ReadonlyMap<string | undefined, string> = new Map([
  ['root', ''],
  ['msgfolderroot', 'Top of Information Store'],
  ['inbox', 'Inbox'],
  ['sentitems', 'Sent Items'],
  ['drafts', 'Drafts'],
  ['outbox', 'Outbox'],
  ['deleteditems', 'Deleted Items'],
  ['junkemail', 'Junk Email'],
  ['calendar', 'Calendar'],
  ['contacts', 'Contacts'],
  ['tasks', 'Tasks'],
  ['notes', 'Notes'],
  ['recoverableitemsdeletions', 'Deletions'],
]);

/** Writes a folder in the order of the schema, with its id and these properties; undefined for all. */
export function folderElement(folder: DescribedFolder, properties: readonly string[] | undefined): string {
  const { distinguishedName } = folder;
  const type = FOLDER_TYPES.get(distinguishedName) ?? MAIL;
  const isRequested = (name: string): boolean => properties?.includes(`folder:${name}`) ?? true;
  const texts: readonly (readonly [name: string, text: string])[] = [
    ['FolderClass', type.folderClass],
    ['DisplayName', DISPLAY_NAMES.get(distinguishedName) ?? 'New Folder'],
    ['TotalCount', String(folder.items)],
    ['ChildFolderCount', String(folder.childFolders)],
    ...(distinguishedName === undefined ? [] : [['DistinguishedFolderId', distinguishedName] as const]),
    ...(type.element === MAIL.element || type.element === 't:TasksFolder'
      ? [['UnreadCount', String(folder.unread)] as const]
      : []),
  ];
  const content = [
    idElement('t:FolderId', folder.folder),
    isRequested('ParentFolderId') && folder.parentFolder !== undefined
      ? idElement('t:ParentFolderId', folder.parentFolder)
      : '',
    ...texts.filter(([name]) => isRequested(name)).map(([name, text]) => element(`t:${name}`, text)),
  ];
  return `<${type.element}>${content.join('')}</${type.element}>`;
}

function idElement(name: string, { id, changeKey }: MailboxId): string {
  return `<${name} Id="${escapeXml('id', id)}" ChangeKey="${escapeXml('changeKey', changeKey)}"/>`;
}
