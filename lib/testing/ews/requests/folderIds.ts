import { type Element, childrenInOrder, type Particle, SchemaViolation, textOf } from './elements.ts';

/** A folder id in a request. */
export interface RequestedFolder {
  readonly id: string;
  readonly distinguished: boolean;
  /** The address of its mailbox, if given. */
  readonly mailbox: string | undefined;
}

/** The names that on-premises servers know. @see [EWS] DistinguishedFolderIdNameType */
const DISTINGUISHED_NAMES = new Set(
  (
    'calendar contacts deleteditems drafts inbox journal notes outbox sentitems tasks msgfolderroot ' +
    'publicfoldersroot root junkemail searchfolders voicemail recoverableitemsroot recoverableitemsdeletions ' +
    'recoverableitemsversions recoverableitemspurges archiveroot archivemsgfolderroot archivedeleteditems ' +
    'archiveinbox archiverecoverableitemsroot archiverecoverableitemsdeletions ' +
    'archiverecoverableitemsversions archiverecoverableitemspurges syncissues conflicts localfailures ' +
    'serverfailures recipientcache quickcontacts conversationhistory adminauditlogs todosearch mycontacts ' +
    'directory imcontactlist peopleconnect favorites mecontact personmetadata teamspaceactivity ' +
    'teamspacemessaging teamspaceworkitems'
  ).split(' '),
);

/** @see [EWS] EmailAddressType */
const MAILBOX: readonly Particle[] = [
  ['t:Name', 0, 1],
  ['t:EmailAddress', 0, 1],
  ['t:RoutingType', 0, 1],
  ['t:MailboxType', 0, 1],
  ['t:ItemId', 0, 1],
  ['t:OriginalDisplayName', 0, 1],
];

/** Returns the folders of a `FolderIds` element, at least one. @throws SchemaViolation */
export function readFolderIds(element: Element): readonly RequestedFolder[] {
  if (element.children.length === 0) throw new SchemaViolation(`${element.name} has no folder`);
  return element.children.map(readFolderId);
}

function readFolderId(element: Element): RequestedFolder {
  const { name, attributes } = element;
  const id = attributes['Id'];
  if (id === undefined) throw new SchemaViolation(`${name} has no attribute Id`);
  if (name === 't:FolderId') return { id, distinguished: false, mailbox: undefined };
  if (name !== 't:DistinguishedFolderId') throw new SchemaViolation(`${name} is not the id of a folder`);
  if (!DISTINGUISHED_NAMES.has(id)) throw new SchemaViolation(`there is no distinguished folder ${id}`);
  const [mailboxes] = childrenInOrder(element, [['t:Mailbox', 0, 1]]);
  const mailbox = mailboxes?.[0];
  const addresses = mailbox === undefined ? undefined : childrenInOrder(mailbox, MAILBOX)[1];
  return { id, distinguished: true, mailbox: textOf(addresses).trim() || undefined };
}
