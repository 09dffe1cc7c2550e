/** The event elements of a response, in turn. */
const NAMES = ['CreatedEvent', 'NewMailEvent', 'ModifiedEvent', 'MovedEvent', 'CopiedEvent', 'DeletedEvent'];
const ID_CHARACTERS = 120;
/** The id of the only subscription. */
export const SUBSCRIPTION_ID = 'JgBtYWlsLmNvbnRvc28uY29tEAAAAPj4d8d2TkdJlYfHl2kL6bYqmv8uUkjTCA==';

/** The size of {@link getEventsResponse}, in events. */
export interface ResponseShape {
  readonly events: number;
  /** @default one for the response */
  readonly envelopes?: number;
}

/** Returns GetEvents responses with all types of events, and ids as long as Exchange's. */
export function getEventsResponse({ events, envelopes = 1 }: ResponseShape): string {
  const each = events / envelopes;
  return Array.from({ length: envelopes }, (_, index) => envelope(index * each, each)).join('');
}

/** Cuts bytes into chunks of a size. */
export function chunksOf(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** Returns the bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function envelope(first: number, count: number): string {
  const events = Array.from({ length: count }, (_, index) => eventElement(first + index)).join('');
  return ewsAnswer(
    'GetEvents',
    `<m:Notification><t:SubscriptionId>${SUBSCRIPTION_ID}</t:SubscriptionId>` +
      `<t:PreviousWatermark>AQAAAAAAAAA=</t:PreviousWatermark><t:MoreEvents>false</t:MoreEvents>${events}` +
      '</m:Notification>',
  );
}

/** Returns the response to a successful operation, with this content. */
export function ewsAnswer(operation: string, xml: string): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><h:ServerVersionInfo' +
    ' xmlns:h="http://schemas.microsoft.com/exchange/services/2006/types" MajorVersion="15" MinorVersion="1"/>' +
    '</s:Header><s:Body>' +
    `<m:${operation}Response xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"` +
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><m:ResponseMessages>' +
    `<m:${operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>${xml}` +
    `</m:${operation}ResponseMessage></m:ResponseMessages></m:${operation}Response></s:Body></s:Envelope>`
  );
}

function eventElement(index: number): string {
  const name = NAMES[index % NAMES.length] ?? '';
  const kind = index % 5 === 4 ? 'Folder' : 'Item';
  const id = (role: string): string => `${role}${index}-`.padEnd(ID_CHARACTERS, 'AAMkADhkNTQ5YzQ1LTk3');
  const old =
    name === 'MovedEvent' || name === 'CopiedEvent'
      ? `<t:Old${kind}Id Id="${id('old')}" ChangeKey="CQAAABYAAAD${index}"/><t:OldParentFolderId Id="${id('from')}" ChangeKey="AQAAAA=="/>`
      : '';
  return (
    `<t:${name}><t:Watermark>${`AQAAAM${index}`.padEnd(24, 'x')}</t:Watermark>` +
    `<t:TimeStamp>2026-11-22T08:${String(index % 60).padStart(2, '0')}:00Z</t:TimeStamp>` +
    `<t:${kind}Id Id="${id(kind)}" ChangeKey="CQAAABYAAAD${index}"/>` +
    `<t:ParentFolderId Id="${id('inbox')}" ChangeKey="AQAAAA=="/>${old}` +
    `${name === 'ModifiedEvent' && kind === 'Folder' ? '<t:UnreadCount>7</t:UnreadCount>' : ''}</t:${name}>`
  );
}
