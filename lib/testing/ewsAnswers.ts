import { EVENT_NAMES } from '../ews/eventNames.ts';
import { escapeXml } from '../ews/xml.ts';
import type { EwsDialect, EwsRefusal } from './ewsDialect.ts';
import type { MailboxEvent, MailboxId } from './ewsMailbox.ts';
import type { EventPage } from './ewsSubscriptions.ts';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const SERVICES = 'http://schemas.microsoft.com/exchange/services/2006';

/** What one envelope of a stream says. */
export interface StreamMessage {
  /** What has happened for each subscription; nothing is a StatusEvent. */
  readonly notifications?: readonly { readonly id: string; readonly events: readonly MailboxEvent[] }[];
  /** The subscriptions that are not served, and the code that says why. */
  readonly refused?: { readonly ids: readonly string[]; readonly code: string };
  /** Why the stream ends. */
  readonly code?: string;
  readonly status: 'OK' | 'Closed';
}

/** Writes the answers of a simulated server, in the words of its family. */
export interface EwsAnswers {
  subscribed(id: string, watermark: string): string;
  events(page: EventPage): string;
  /** What is posted for a push subscription. */
  posted(page: EventPage): string;
  unsubscribed(): string;
  /** @param isFirst Whether it is the first envelope of its stream. */
  streamed(message: StreamMessage, isFirst: boolean): string;
  refused(operation: string, refusal: EwsRefusal): string;
}

/** Returns what writes a family's answers. */
export function ewsAnswers(dialect: EwsDialect): EwsAnswers {
  const isExchange = dialect === 'exchange';

  const success = (operation: string, content: string): string =>
    response(dialect, operation, 'Success', `${element('m:ResponseCode', 'NoError')}${content}`);

  const event = (happened: MailboxEvent, watermark?: string): string => {
    const name = `t:${EVENT_NAMES[happened.type]}`;
    // The one family gives milliseconds at most, the other nanoseconds.
    const timestamp = happened.timestamp.toISOString().replace('Z', isExchange ? 'Z' : '000001Z');
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
      : events.map((one) => event(one, watermarkAt(one.sequence))).join('')) +
    '</m:Notification>';

  return {
    subscribed: (id, watermark) =>
      success(
        'Subscribe',
        element('m:SubscriptionId', id) + (isExchange ? element('m:Watermark', watermark) : ''),
      ),
    events: (page) => success('GetEvents', notification(page)),
    posted: (page) => success('SendNotification', notification(page)),
    unsubscribed: () => success('Unsubscribe', ''),
    streamed: ({ notifications = [], refused, code = refused?.code, status: connectionStatus }, isFirst) => {
      const noted = notifications.map(
        ({ id, events }) =>
          `<m:Notification>${element('t:SubscriptionId', id)}` +
          (isExchange ? '' : element('t:MoreEvents', 'false')) +
          (events.length === 0 ? '<t:StatusEvent/>' : events.map((one) => event(one)).join('')) +
          '</m:Notification>',
      );
      // The second family writes the names of those that are not there in no namespace.
      const ids = (refused?.ids ?? []).map((id) =>
        element(isExchange ? 't:SubscriptionId' : 'SubscriptionId', id),
      );
      const content =
        (code === undefined
          ? element('m:ResponseCode', 'NoError')
          : element('m:MessageText', 'Subscription is invalid.') +
            element('m:ResponseCode', code) +
            element('m:DescriptiveLinkKey', '0')) +
        part('m:Notifications', noted, isExchange) +
        part('m:ErrorSubscriptionIds', ids, isExchange) +
        element('m:ConnectionStatus', connectionStatus);
      const xml = response(dialect, 'GetStreamingEvents', code === undefined ? 'Success' : 'Error', content);
      return isExchange || isFirst ? xml : xml.replace(/^<\?xml.*?\?>/, '');
    },
    refused: (operation, refusal) =>
      refusal.kind === 'fault' ? fault(dialect, refusal) : failure(dialect, operation, refusal),
  };
}

function failure(dialect: EwsDialect, operation: string, { code, message, values }: EwsRefusal): string {
  return response(
    dialect,
    operation,
    'Error',
    element('m:MessageText', message) +
      element('m:ResponseCode', code) +
      element('m:DescriptiveLinkKey', '0') +
      messageXml('m:MessageXml', values),
  );
}

function fault(dialect: EwsDialect, { code, message, values }: EwsRefusal): string {
  if (dialect === 'grommunio') {
    return (
      `<SOAP:Envelope xmlns:SOAP="${SOAP}"><SOAP:Header/><SOAP:Body><SOAP:Fault>` +
      `${element('faultcode', code)}${element('faultstring', message)}</SOAP:Fault></SOAP:Body></SOAP:Envelope>`
    );
  }
  return (
    `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="${SOAP}"><s:Body><s:Fault>` +
    `<faultcode xmlns:a="${SERVICES}/types">a:${escapeXml('code', code)}</faultcode>` +
    `<faultstring xml:lang="en-US">${escapeXml('message', message)}</faultstring>` +
    `<detail><e:ResponseCode xmlns:e="${SERVICES}/errors">${escapeXml('code', code)}</e:ResponseCode>` +
    `<e:Message xmlns:e="${SERVICES}/errors">${escapeXml('message', message)}</e:Message>` +
    messageXml(`t:MessageXml xmlns:t="${SERVICES}/types"`, values) +
    '</detail></s:Fault></s:Body></s:Envelope>'
  );
}

function response(dialect: EwsDialect, operation: string, responseClass: string, content: string): string {
  const isExchange = dialect === 'exchange';
  // A server of the second family calls the response messages of GetEvents by this name.
  const name = !isExchange && operation === 'GetEvents' ? 'm:x' : `m:${operation}ResponseMessage`;
  const soap = isExchange ? 's' : 'SOAP';
  // What is posted is no response, but is built like one.
  const root = operation === 'SendNotification' ? `m:${operation}` : `m:${operation}Response`;
  const version = 'MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="6"';
  return (
    `<?xml version="1.0" encoding="utf-8"?><${soap}:Envelope xmlns:${soap}="${SOAP}"><${soap}:Header>` +
    `<h:ServerVersionInfo ${version} xmlns:h="${SERVICES}/types"/></${soap}:Header><${soap}:Body>` +
    `<${root} xmlns:m="${SERVICES}/messages" xmlns:t="${SERVICES}/types"><m:ResponseMessages>` +
    `<${name} ResponseClass="${responseClass}">${content}</${name}>` +
    `</m:ResponseMessages></${root}></${soap}:Body></${soap}:Envelope>`
  );
}

function messageXml(tag: string, values: Readonly<Record<string, string>>): string {
  const entries = Object.entries(values);
  if (entries.length === 0) return '';
  const content = entries.map(
    ([name, value]) => `<t:Value Name="${escapeXml('name', name)}">${escapeXml('value', value)}</t:Value>`,
  );
  return `<${tag}>${content.join('')}</${tag.split(' ', 1).join('')}>`;
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

function element(name: string, text: string): string {
  return `<${name}>${escapeXml(name, text)}</${name}>`;
}
