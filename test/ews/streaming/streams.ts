import { answer, envelope, itemEvent } from '../answers.ts';

/** Messages of streams as servers write them, for the specs. */

const OK = '<m:ResponseCode>NoError</m:ResponseCode>';

/** A message of a stream, in its envelope. */
export function message(content: string): string {
  return answer('GetStreamingEvents', OK + content);
}

/** A notification with events of the given elements. */
export function streamed(subscriptionId: string, ...elements: readonly string[]): string {
  const events = elements.map((name) =>
    name === 'StatusEvent'
      ? '<t:StatusEvent/>'
      : itemEvent(name, 'W1').replace(/<t:Watermark>.*?<\/t:Watermark>/, ''),
  );
  return (
    `<m:Notifications><m:Notification><t:SubscriptionId>${subscriptionId}</t:SubscriptionId>` +
    `${events.join('')}</m:Notification></m:Notifications>`
  );
}

/** A ConnectionStatus. */
export function status(connectionStatus: 'OK' | 'Closed'): string {
  return `<m:ConnectionStatus>${connectionStatus}</m:ConnectionStatus>`;
}

/** The message by which a server refuses subscriptions. */
export function closed(code: string, ...ids: readonly string[]): string {
  return answer(
    'GetStreamingEvents',
    `<m:MessageText>Refused.</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>` +
      `<m:Notifications/><m:ErrorSubscriptionIds>${ids.map((id) => `<SubscriptionId>${id}</SubscriptionId>`).join('')}` +
      `</m:ErrorSubscriptionIds>${status('Closed')}`,
    'Error',
  );
}

/** The same envelope without its declaration. */
export function bare(xml: string): string {
  return xml.replace(/^<\?xml.*?\?>/, '');
}

/** A stream as grommunio writes it. */
export const grommunioStream: string = [
  envelope(
    `<m:GetStreamingEventsResponse><m:ResponseMessages><m:GetStreamingEventsResponseMessage ResponseClass="Success">${OK}` +
      `<m:Notifications/><m:ErrorSubscriptionIds/>${status('OK')}</m:GetStreamingEventsResponseMessage></m:ResponseMessages></m:GetStreamingEventsResponse>`,
    '<?xml version="1.0" encoding="UTF-8"?>',
  ),
  bare(
    message(
      '<m:Notifications>' +
        ['S1', 'S2']
          .map(
            (id) =>
              `<m:Notification><t:SubscriptionId>${id}</t:SubscriptionId><t:MoreEvents>false</t:MoreEvents><t:StatusEvent/></m:Notification>`,
          )
          .join('') +
        `</m:Notifications><m:ErrorSubscriptionIds/>${status('OK')}`,
    ),
  ),
  bare(
    message(
      `<m:Notifications><m:Notification><t:SubscriptionId>S1</t:SubscriptionId><t:MoreEvents>false</t:MoreEvents>` +
        '<t:CreatedEvent><t:TimeStamp>2026-11-22T04:11:48.518647458Z</t:TimeStamp><t:ItemId Id="I1"/>' +
        '<t:ParentFolderId Id="F1"/></t:CreatedEvent></m:Notification></m:Notifications>' +
        `<m:ErrorSubscriptionIds/>${status('OK')}`,
    ),
  ),
  bare(message(`<m:Notifications/><m:ErrorSubscriptionIds/>${status('Closed')}`)),
].join('');
