import { EVENT_NAMES } from '../../../ews/protocol/events.ts';
import { escapeXml } from '../../../ews/protocol/envelope.ts';
import { type EwsDialect, EwsErrorResponse, isGrommunio } from '../dialect.ts';
import {
  responseEnvelope,
  element,
  errorContent,
  faultEnvelope,
  messageXml,
  type ResponseMessage,
  streamEnvelope,
} from './envelopes.ts';
import type { EventPage } from '../eventPage.ts';
import type { DescribedFolder } from '../mailbox.ts';
import type { MailboxEvent, MailboxId } from '../mailboxData.ts';

/** The contents of one envelope of a stream. */
export interface StreamMessage {
  readonly notifications?: readonly StreamNotification[];
  /** The subscriptions that cannot be served. */
  readonly failedIds?: readonly string[];
  /** The error code of these, or of the end of the stream; without one, the class is Success. */
  readonly code?: string | undefined;
  readonly status: 'OK' | 'Closed';
}

/** The events of one subscription; none is a StatusEvent. */
export interface StreamNotification {
  readonly id: string;
  readonly events: readonly MailboxEvent[];
  readonly moreEvents: boolean;
}

/** Writes the responses of a simulated server in its dialect. */
export interface EwsResponses {
  subscribed(id: string, watermark: string): string;
  events(page: EventPage): string;
  /** Writes a notification for a push subscription. */
  posted(page: EventPage): string;
  /** @param properties Properties besides the id; undefined for all */
  folders(
    found: readonly (DescribedFolder | EwsErrorResponse)[],
    properties: readonly string[] | undefined,
  ): string;
  unsubscribed(): string;
  /** @param isFirst Whether this is the first envelope of the stream */
  streamed(message: StreamMessage, isFirst: boolean): string;
  /** @param count The number of response messages. @default 1 */
  error(operation: string, refusal: EwsErrorResponse, count?: number): string;
}

/** Returns the functions that write the responses of a dialect. */
export function ewsResponses(dialect: EwsDialect): EwsResponses {
  const isExchange = !isGrommunio(dialect);

  const success = (operation: string, content: string): ResponseMessage => ({
    operation,
    responseClass: 'Success',
    content: `${element('m:ResponseCode', 'NoError')}${content}`,
  });
  const one = (message: ResponseMessage): string => responseEnvelope(dialect, [message]);

  const event = (occurred: MailboxEvent, watermark?: string): string => {
    const name = `t:${EVENT_NAMES[occurred.type]}`;
    // Exchange writes whole seconds, grommunio nanoseconds.
    const timestamp = occurred.timestamp.toISOString().replace(/\.(\d+)Z$/, isExchange ? 'Z' : '.$1000001Z');
    const content = [
      isExchange && watermark !== undefined ? element('t:Watermark', watermark) : '',
      element('t:TimeStamp', timestamp),
      idElement('t:ItemId', occurred.item, isExchange),
      idElement('t:FolderId', occurred.folder, isExchange),
      idElement('t:ParentFolderId', occurred.parentFolder, isExchange),
      idElement('t:OldItemId', occurred.oldItem, isExchange),
      idElement('t:OldParentFolderId', occurred.oldParentFolder, isExchange),
      occurred.unreadCount === undefined ? '' : element('t:UnreadCount', String(occurred.unreadCount)),
    ];
    return `<${name}>${content.join('')}</${name}>`;
  };

  const status = (watermark: string): string =>
    isExchange ? `<t:StatusEvent>${element('t:Watermark', watermark)}</t:StatusEvent>` : '<t:StatusEvent/>';

  const notification = ({
    subscriptionId,
    previousWatermark,
    moreEvents,
    events,
    watermarkAt,
  }: EventPage): string =>
    '<m:Notification>' +
    element('t:SubscriptionId', subscriptionId) +
    (isExchange ? element('t:PreviousWatermark', previousWatermark) : '') +
    element('t:MoreEvents', String(moreEvents)) +
    (events.length === 0
      ? status(watermarkAt())
      : events.map((one) => event(one, watermarkAt(one.sequence))).join('')) +
    '</m:Notification>';

  const streamedNotification = ({ id, events, moreEvents }: StreamNotification): string =>
    `<m:Notification>${element('t:SubscriptionId', id)}` +
    (isExchange ? '' : element('t:MoreEvents', String(moreEvents))) +
    (events.length === 0 ? '<t:StatusEvent/>' : events.map((one) => event(one)).join('')) +
    '</m:Notification>';

  return {
    subscribed: (id, watermark) =>
      one(
        success(
          'Subscribe',
          element('m:SubscriptionId', id) + (isExchange ? element('m:Watermark', watermark) : ''),
        ),
      ),
    events: (page) => one(success('GetEvents', notification(page))),
    posted: (page) => one(success('SendNotification', notification(page))),
    folders: (found, properties) =>
      responseEnvelope(
        dialect,
        found.map((folder) =>
          folder instanceof EwsErrorResponse
            ? failure('GetFolder', folder, '<m:Folders/>')
            : success('GetFolder', `<m:Folders>${folderElement(folder, properties)}</m:Folders>`),
        ),
      ),
    unsubscribed: () => one(success('Unsubscribe', '')),
    streamed: ({ notifications = [], failedIds = [], code, status: connectionStatus }, isFirst) => {
      // Neither server follows the schema here: Exchange uses another namespace, grommunio none.
      const idName = isExchange ? 'm:SubscriptionId' : 'SubscriptionId';
      const content =
        part('m:Notifications', notifications.map(streamedNotification), isExchange) +
        part(
          'm:ErrorSubscriptionIds',
          failedIds.map((id) => element(idName, id)),
          isExchange,
        ) +
        element('m:ConnectionStatus', connectionStatus);
      const message =
        code === undefined
          ? success('GetStreamingEvents', content)
          : failure(
              'GetStreamingEvents',
              new EwsErrorResponse('error', code, 'Subscription is invalid.'),
              content,
            );
      return streamEnvelope(dialect, message, isFirst);
    },
    error: (operation, refusal, count = 1) =>
      refusal.type === 'fault'
        ? faultEnvelope(dialect, refusal)
        : responseEnvelope(
            dialect,
            Array.from({ length: count }, () => failure(operation, refusal)),
          ),
  };
}

function failure(
  operation: string,
  { code, message, values }: EwsErrorResponse,
  content = '',
): ResponseMessage {
  return {
    operation,
    responseClass: 'Error',
    content: errorContent(code, message) + messageXml('m:MessageXml', values) + content,
  };
}

function idElement(name: string, of: MailboxId | undefined, hasChangeKey: boolean): string {
  if (of === undefined) return '';
  const changeKey = hasChangeKey ? ` ChangeKey="${escapeXml('changeKey', of.changeKey)}"` : '';
  return `<${name} Id="${escapeXml('id', of.id)}"${changeKey}/>`;
}

/** Writes a list; some servers omit an empty one. */
function part(name: string, content: readonly string[], omitsEmpty: boolean): string {
  return omitsEmpty && content.length === 0 ? '' : `<${name}>${content.join('')}</${name}>`;
}

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
    idElement('t:FolderId', folder.folder, true),
    isRequested('ParentFolderId') && folder.parentFolder !== undefined
      ? idElement('t:ParentFolderId', folder.parentFolder, true)
      : '',
    ...texts.filter(([name]) => isRequested(name)).map(([name, text]) => element(`t:${name}`, text)),
  ];
  return `<${type.element}>${content.join('')}</${type.element}>`;
}
