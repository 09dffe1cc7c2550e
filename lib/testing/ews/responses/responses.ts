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
import { folderElement } from './folder.ts';
import type { DescribedFolder } from '../mailbox.ts';
import type { MailboxEvent, MailboxId } from '../mailboxData.ts';

/** What one envelope of a stream says. */
export interface StreamMessage {
  readonly notifications?: readonly StreamNotification[];
  /** The subscriptions that are not served. */
  readonly failedIds?: readonly string[];
  /** Why they are not served, or the stream ends; without one, the message is of class Success. */
  readonly code?: string | undefined;
  readonly status: 'OK' | 'Closed';
}

/** What has happened for one subscription; nothing is a StatusEvent. */
export interface StreamNotification {
  readonly id: string;
  readonly events: readonly MailboxEvent[];
  readonly moreEvents: boolean;
}

/** Writes the answers of a simulated server, in the words of its family. */
export interface EwsResponses {
  subscribed(id: string, watermark: string): string;
  events(page: EventPage): string;
  /** What is posted for a push subscription. */
  posted(page: EventPage): string;
  /** @param properties Those to write besides the id; undefined for all. */
  folders(
    found: readonly (DescribedFolder | EwsErrorResponse)[],
    properties: readonly string[] | undefined,
  ): string;
  unsubscribed(): string;
  /** @param isFirst Whether it is the first envelope of its stream. */
  streamed(message: StreamMessage, isFirst: boolean): string;
  /** @param count How many response messages say so. @default 1 */
  error(operation: string, refusal: EwsErrorResponse, count?: number): string;
}

/** Returns what writes a family's answers. */
export function ewsResponses(dialect: EwsDialect): EwsResponses {
  const isExchange = !isGrommunio(dialect);

  const success = (operation: string, content: string): ResponseMessage => ({
    operation,
    responseClass: 'Success',
    content: `${element('m:ResponseCode', 'NoError')}${content}`,
  });
  const one = (message: ResponseMessage): string => responseEnvelope(dialect, [message]);

  const event = (happened: MailboxEvent, watermark?: string): string => {
    const name = `t:${EVENT_NAMES[happened.type]}`;
    // Exchange gives whole seconds, grommunio nanoseconds.
    const timestamp = happened.timestamp.toISOString().replace(/\.(\d+)Z$/, isExchange ? 'Z' : '.$1000001Z');
    const content = [
      isExchange && watermark !== undefined ? element('t:Watermark', watermark) : '',
      element('t:TimeStamp', timestamp),
      idElement('t:ItemId', happened.item, isExchange),
      idElement('t:FolderId', happened.folder, isExchange),
      idElement('t:ParentFolderId', happened.parentFolder, isExchange),
      idElement('t:OldItemId', happened.oldItem, isExchange),
      idElement('t:OldParentFolderId', happened.oldParentFolder, isExchange),
      happened.unreadCount === undefined ? '' : element('t:UnreadCount', String(happened.unreadCount)),
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
      : events.map((happened) => event(happened, watermarkAt(happened.sequence))).join('')) +
    '</m:Notification>';

  const streamedNotification = ({ id, events, moreEvents }: StreamNotification): string =>
    `<m:Notification>${element('t:SubscriptionId', id)}` +
    (isExchange ? '' : element('t:MoreEvents', String(moreEvents))) +
    (events.length === 0 ? '<t:StatusEvent/>' : events.map((happened) => event(happened)).join('')) +
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
      // Neither writes these ids as the schema says: Exchange in another namespace, grommunio in none.
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

/** A list, which the one family leaves out where it is empty. */
function part(name: string, content: readonly string[], isLeftOut: boolean): string {
  return isLeftOut && content.length === 0 ? '' : `<${name}>${content.join('')}</${name}>`;
}
