/** Responses in the wording of each server family. */

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const SERVICES = 'http://schemas.microsoft.com/exchange/services/2006';

/** Returns an envelope with this body, with the prefixes of Exchange. */
export function envelope(body: string, declaration = '<?xml version="1.0" encoding="utf-8"?>'): string {
  return (
    `${declaration}<s:Envelope xmlns:s="${SOAP}"><s:Header>` +
    `<h:ServerVersionInfo MajorVersion="15" Version="V2017_07_11" xmlns:h="${SERVICES}/types"/></s:Header>` +
    `<s:Body xmlns:m="${SERVICES}/messages" xmlns:t="${SERVICES}/types">${body}</s:Body></s:Envelope>`
  );
}

/** Returns a response message in an envelope. */
export function answer(operation: string, content: string, responseClass = 'Success'): string {
  return envelope(
    `<m:${operation}Response><m:ResponseMessages>` +
      `<m:${operation}ResponseMessage ResponseClass="${responseClass}">${content}</m:${operation}ResponseMessage>` +
      `</m:ResponseMessages></m:${operation}Response>`,
  );
}

/** Returns the response to a failed operation. */
export function errorAnswer(operation: string, code: string, text = 'It failed.', xml = ''): string {
  return answer(
    operation,
    `<m:MessageText>${text}</m:MessageText><m:ResponseCode>${code}</m:ResponseCode>` +
      `<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>${xml}`,
    'Error',
  );
}

/** Returns a notification with the given events. */
export function notification(events: string, subscriptionId = 'S1', moreEvents = false): string {
  return (
    `<m:Notification><t:SubscriptionId>${subscriptionId}</t:SubscriptionId>` +
    `<t:PreviousWatermark>W0</t:PreviousWatermark><t:MoreEvents>${moreEvents}</t:MoreEvents>${events}</m:Notification>`
  );
}

/** Returns a GetEvents response. */
export function eventsAnswer(events: string, subscriptionId = 'S1', moreEvents = false): string {
  return answer(
    'GetEvents',
    `<m:ResponseCode>NoError</m:ResponseCode>${notification(events, subscriptionId, moreEvents)}`,
  );
}

/** Returns an event of an item. */
export function itemEvent(name: string, watermark: string, more = ''): string {
  return (
    `<t:${name}><t:Watermark>${watermark}</t:Watermark><t:TimeStamp>2026-11-22T04:08:58Z</t:TimeStamp>` +
    `<t:ItemId Id="I1" ChangeKey="K1"/><t:ParentFolderId Id="F1" ChangeKey="K2"/>${more}</t:${name}>`
  );
}

/** Returns the decoded form of {@link itemEvent}. */
export function readItemEvent(type: string, watermark: string): object {
  return {
    type,
    subscriptionId: 'S1',
    watermark,
    timestamp: new Date('2026-11-22T04:08:58Z'),
    timestampText: '2026-11-22T04:08:58Z',
    item: { id: 'I1', changeKey: 'K1' },
    parentFolder: { id: 'F1', changeKey: 'K2' },
  };
}

/** Returns a fault in the wording of Exchange. */
export function faultAnswer(
  code: string,
  text = 'It failed.',
  values: readonly [string, string][] = [],
): string {
  const xml = values.map(([name, value]) => `<t:Value Name="${name}">${value}</t:Value>`).join('');
  return envelope(
    `<s:Fault><faultcode xmlns:a="${SERVICES}/types">a:${code}</faultcode>` +
      `<faultstring xml:lang="en-US">${text}</faultstring><detail>` +
      `<e:ResponseCode xmlns:e="${SERVICES}/errors">${code}</e:ResponseCode>` +
      `<e:Message xmlns:e="${SERVICES}/errors">${text}</e:Message>` +
      `<t:MessageXml>${xml}</t:MessageXml></detail></s:Fault>`,
  );
}

/** Returns a fault in the wording of grommunio: without a detail and a declaration. */
export function plainFault(code: string, text: string): string {
  return (
    `<SOAP:Envelope xmlns:SOAP="${SOAP}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><SOAP:Header/>` +
    `<SOAP:Body><SOAP:Fault><faultcode xsi:type="xsd:string">${code}</faultcode>` +
    `<faultstring xsi:type="xsd:string">${text}</faultstring></SOAP:Fault></SOAP:Body></SOAP:Envelope>`
  );
}
