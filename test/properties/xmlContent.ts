import { childOf, type Element, localName, textIn } from './xmlTree.ts';

/** The content of an envelope as the schema defines it, with the number of invalid members. */
export interface Content {
  readonly messages: readonly object[];
  readonly dropped: number;
}

const TYPES: Readonly<Record<string, string>> = {
  ...{ CreatedEvent: 'created', DeletedEvent: 'deleted', ModifiedEvent: 'modified', MovedEvent: 'moved' },
  ...{ CopiedEvent: 'copied', NewMailEvent: 'newMail', FreeBusyChangedEvent: 'freeBusyChanged' },
  StatusEvent: 'status',
};
const IDS = { ItemId: 'item', FolderId: 'folder', ParentFolderId: 'parentFolder' };
const OLD_IDS = { OldItemId: 'oldItem', OldFolderId: 'oldFolder', OldParentFolderId: 'oldParentFolder' };
const CLASSES: readonly (string | undefined)[] = ['Success', 'Warning', 'Error'];

/** Returns the content of an envelope. Only missing and ill-typed members are undefined. */
export function contentOf(envelope: Element): Content {
  let dropped = 0;

  /** Returns the value of a child, if it exists and is not empty. */
  const valueOf = <Value>(
    parent: Element,
    name: string,
    read: (child: Element) => Value | undefined,
  ): Value | undefined => {
    const child = childOf(parent, name);
    const value = child === undefined ? undefined : read(child);
    if (child !== undefined && value === undefined) dropped += 1;
    return value;
  };

  const wordIn = (parent: Element, name: string, words: readonly string[]): string | undefined =>
    valueOf(parent, name, ({ text }) => words.find((word) => word === text.trim()));

  const idsIn = (parent: Element, names: Readonly<Record<string, string>>): object =>
    Object.fromEntries(
      Object.entries(names).map(([name, key]) => [
        key,
        valueOf(parent, name, ({ attributes: { Id: id = '', ChangeKey: changeKey } }) =>
          id === '' ? undefined : { id, changeKey },
        ),
      ]),
    );

  const eventOf = (event: Element, subscriptionId: string | undefined): readonly object[] => {
    const name = localName(event);
    const type = TYPES[name];
    if (type === undefined) {
      if (name.endsWith('Event')) dropped += 1;
      return [];
    }
    const common = { type, subscriptionId, watermark: textIn(event, 'Watermark') };
    if (type === 'status') return [common];
    const timestampText = valueOf(event, 'TimeStamp', ({ text }) =>
      Number.isNaN(Date.parse(text)) ? undefined : text,
    );
    const unreadCount =
      type === 'modified'
        ? valueOf(event, 'UnreadCount', ({ text }) => (/^-?\d{1,10}$/.test(text) ? Number(text) : undefined))
        : undefined;
    const old = type === 'moved' || type === 'copied' ? idsIn(event, OLD_IDS) : {};
    return [{ ...common, timestampText, unreadCount, ...idsIn(event, IDS), ...old }];
  };

  const notificationOf = (notification: Element): object => {
    const subscriptionId = textIn(notification, 'SubscriptionId');
    const more = wordIn(notification, 'MoreEvents', ['true', 'false']);
    return {
      subscriptionId,
      previousWatermark: textIn(notification, 'PreviousWatermark'),
      moreEvents: more === 'true',
      events: notification.children.flatMap((child) => eventOf(child, subscriptionId)),
    };
  };

  const responseOf = (operation: string, message: Element): object => {
    const code = textIn(message, 'ResponseCode');
    const { ResponseClass: given } = message.attributes;
    const isClass = CLASSES.includes(given);
    if (!isClass && given !== undefined) dropped += 1;
    const around = [message, childOf(message, 'Notifications')];
    return {
      operation,
      responseClass: isClass ? given : code?.startsWith('Error') === true ? 'Error' : 'Success',
      responseCode: code,
      waitMs: waitIn(childOf(message, 'MessageXml')),
      subscriptionId: textIn(message, 'SubscriptionId'),
      watermark: textIn(message, 'Watermark'),
      notifications: around
        .flatMap((parent) => parent?.children ?? [])
        .filter((child) => localName(child) === 'Notification')
        .map(notificationOf),
      refused: (childOf(message, 'ErrorSubscriptionIds')?.children ?? []).map(({ text }) => text),
      connectionStatus: wordIn(message, 'ConnectionStatus', ['OK', 'Closed']),
    };
  };

  const messagesIn = (child: Element): readonly object[] => {
    if (localName(child) === 'Fault') return [faultOf(child)];
    return (childOf(child, 'ResponseMessages')?.children ?? []).map((message) =>
      responseOf(localName(child), message),
    );
  };

  const messages = (childOf(envelope, 'Body')?.children ?? []).flatMap(messagesIn);
  return { messages, dropped };
}

function faultOf(fault: Element): object {
  const detail = childOf(fault, 'detail');
  const soapCode = textIn(fault, 'faultcode')?.replace(/^.*:/, '');
  return {
    faultCode: textIn(detail, 'ResponseCode') ?? soapCode,
    waitMs: waitIn(childOf(detail, 'MessageXml')),
  };
}

function waitIn(xml: Element | undefined): number | undefined {
  const value = xml?.children.find(({ attributes }) => attributes['Name'] === 'BackOffMilliseconds');
  return value !== undefined && /^\d+$/.test(value.text) ? Number(value.text) : undefined;
}
