import { escapeXml } from '../../../ews/protocol/envelope.ts';
import { type EwsDialect, type EwsErrorResponse, isGrommunio } from '../dialect.ts';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const SERVICES = 'http://schemas.microsoft.com/exchange/services/2006';
const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>';
const VERSION = 'MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="6"';

/** The result in one response message. */
export interface ResponseMessage {
  readonly operation: string;
  readonly responseClass: 'Success' | 'Error';
  readonly content: string;
}

/** Writes the envelope of a response, with a response message for each result. */
export function responseEnvelope(dialect: EwsDialect, messages: readonly ResponseMessage[]): string {
  const soap = isGrommunio(dialect) ? 'SOAP' : 's';
  return (
    `${DECLARATION}<${soap}:Envelope xmlns:${soap}="${SOAP}"><${soap}:Header>` +
    `<h:ServerVersionInfo ${VERSION} xmlns:h="${SERVICES}/types"/></${soap}:Header><${soap}:Body>` +
    `${responseElement(dialect, messages)}</${soap}:Body></${soap}:Envelope>`
  );
}

/**
 * Writes an envelope of a stream.
 *
 * Exchange omits the prefix of `Envelope`; grommunio omits the XML declaration of all but the first.
 */
export function streamEnvelope(dialect: EwsDialect, message: ResponseMessage, isFirst: boolean): string {
  if (isGrommunio(dialect)) {
    const envelope = responseEnvelope(dialect, [message]);
    return isFirst ? envelope : envelope.slice(DECLARATION.length);
  }
  const soap11 = `xmlns:soap11="${SOAP}"`;
  return (
    `${DECLARATION}<Envelope xmlns="${SOAP}"><soap11:Header ${soap11}>` +
    `<ServerVersionInfo ${VERSION} xmlns="${SERVICES}/types"/></soap11:Header><soap11:Body ${soap11}>` +
    `${responseElement(dialect, [message])}</soap11:Body></Envelope>`
  );
}

/** Writes the envelope of a SOAP fault. */
export function faultEnvelope(dialect: EwsDialect, { code, message, values }: EwsErrorResponse): string {
  if (isGrommunio(dialect)) {
    return (
      `<SOAP:Envelope xmlns:SOAP="${SOAP}"><SOAP:Header/><SOAP:Body><SOAP:Fault>` +
      `${element('faultcode', code)}${element('faultstring', message)}</SOAP:Fault></SOAP:Body></SOAP:Envelope>`
    );
  }
  return (
    `${DECLARATION}<s:Envelope xmlns:s="${SOAP}"><s:Body><s:Fault>` +
    `<faultcode xmlns:a="${SERVICES}/types">a:${escapeXml('code', code)}</faultcode>` +
    `<faultstring xml:lang="en-US">${escapeXml('message', message)}</faultstring>` +
    `<detail><e:ResponseCode xmlns:e="${SERVICES}/errors">${escapeXml('code', code)}</e:ResponseCode>` +
    `<e:Message xmlns:e="${SERVICES}/errors">${escapeXml('message', message)}</e:Message>` +
    messageXml(`t:MessageXml xmlns:t="${SERVICES}/types"`, values) +
    '</detail></s:Fault></s:Body></s:Envelope>'
  );
}

/** Writes the first elements of a response message of class Error. */
export function errorContent(code: string, message: string): string {
  return (
    element('m:MessageText', message) + element('m:ResponseCode', code) + element('m:DescriptiveLinkKey', '0')
  );
}

/** Writes a `MessageXml` element with named values; returns an empty text without values. */
export function messageXml(tag: string, values: Readonly<Record<string, string>>): string {
  const entries = Object.entries(values);
  if (entries.length === 0) return '';
  const content = entries.map(
    ([name, value]) => `<t:Value Name="${escapeXml('name', name)}">${escapeXml('value', value)}</t:Value>`,
  );
  return `<${tag}>${content.join('')}</${tag.split(' ', 1).join('')}>`;
}

/** Writes an element with a text. */
export function element(name: string, text: string): string {
  return `<${name}>${escapeXml(name, text)}</${name}>`;
}

function responseElement(dialect: EwsDialect, messages: readonly ResponseMessage[]): string {
  const operation = messages[0]?.operation ?? '';
  // A posted notification has the structure of a response.
  const root = operation === 'SendNotification' ? `m:${operation}` : `m:${operation}Response`;
  // grommunio uses this name for the response messages of GetEvents.
  const name = isGrommunio(dialect) && operation === 'GetEvents' ? 'm:x' : `m:${operation}ResponseMessage`;
  const content = messages.map(
    (message) => `<${name} ResponseClass="${message.responseClass}">${message.content}</${name}>`,
  );
  return (
    `<${root} xmlns:m="${SERVICES}/messages" xmlns:t="${SERVICES}/types"><m:ResponseMessages>` +
    `${content.join('')}</m:ResponseMessages></${root}>`
  );
}
