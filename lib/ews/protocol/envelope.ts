import { invalidOption } from '../../core/options.ts';
import { EVENT_NAMES, type SubscribableEvent } from './events.ts';

/** What XML 1.0 cannot carry, not even escaped: most control characters, halves of surrogate pairs. */
const UNSPEAKABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
/** White space other than blanks is escaped as well: in attributes a parser would make blanks of it. */
const SPECIAL = /[&<>"'\t\n\r]/g;

/**
 * Escapes a value for XML, as text or in an attribute. It throws a TypeError that names the option if the
 * value holds a character that XML cannot carry.
 */
export function escapeXml(option: string, value: string): string {
  const place = value.search(UNSPEAKABLE);
  if (place >= 0) {
    const code = value.charCodeAt(place).toString(16).toUpperCase().padStart(4, '0');
    throw invalidOption(option, `text with U+${code}`, 'text of characters that XML 1.0 can carry');
  }
  return value.replace(SPECIAL, (special) => `&#${special.charCodeAt(0)};`);
}

/**
 * Whom to act as: exactly one way to name the mailbox's user.
 *
 * Page: "Impersonation and EWS in Exchange", element ConnectingSID.
 */
export type Impersonation =
  | { readonly principalName: string }
  | { readonly sid: string }
  | { readonly primarySmtpAddress: string }
  | { readonly smtpAddress: string };

/** A folder to watch: a distinguished name such as `inbox`, also of another mailbox, or an id. */
export type Folder =
  | string
  | { readonly distinguished: string; readonly mailbox?: string }
  | { readonly id: string; readonly changeKey?: string };

/** What stands in the header of every request. */
export interface EnvelopeHead {
  readonly version: string;
  readonly impersonate?: Impersonation;
}

/** What every kind of subscription says of itself. */
interface SubscriptionRequest {
  /** Which folders to watch; undefined for all. */
  readonly folders: readonly Folder[] | undefined;
  readonly events: readonly SubscribableEvent[];
}

/** A subscription whose events are asked for. */
export interface PullSubscriptionRequest extends SubscriptionRequest {
  readonly type: 'pull';
  readonly watermark: string | undefined;
  readonly timeoutMinutes: number;
}

/** A subscription whose events are sent as they happen. */
export interface StreamingSubscriptionRequest extends SubscriptionRequest {
  readonly type: 'streaming';
}

/** A subscription whose events the server posts to a URL. */
export interface PushSubscriptionRequest extends SubscriptionRequest {
  readonly type: 'push';
  readonly watermark: string | undefined;
  readonly statusFrequencyMinutes: number;
  readonly callbackUrl: string;
}

/** What can be subscribed with. */
export type SubscribeRequest =
  PullSubscriptionRequest | StreamingSubscriptionRequest | PushSubscriptionRequest;

const REQUEST_NAMES = {
  pull: 'm:PullSubscriptionRequest',
  streaming: 'm:StreamingSubscriptionRequest',
  push: 'm:PushSubscriptionRequest',
} as const;

/** The ways to name an impersonated user, in the schema's words. */
export const CONNECTING_SID_ELEMENTS = {
  principalName: 'PrincipalName',
  sid: 'SID',
  primarySmtpAddress: 'PrimarySmtpAddress',
  smtpAddress: 'SmtpAddress',
} as const;

/** Writes a Subscribe request. Page: "Subscribe operation". */
export function subscribeEnvelope(head: EnvelopeHead, request: SubscribeRequest): string {
  const all = request.folders === undefined ? ' SubscribeToAllFolders="true"' : '';
  const name = REQUEST_NAMES[request.type];
  return envelope(
    head,
    `<m:Subscribe><${name}${all}>` +
      foldersElement(request.folders) +
      `<t:EventTypes>${request.events.map((event) => element('t:EventType', 'events', EVENT_NAMES[event])).join('')}</t:EventTypes>` +
      (request.type === 'streaming' ? '' : resumableElements(request)) +
      `</${name}></m:Subscribe>`,
  );
}

function resumableElements(request: PullSubscriptionRequest | PushSubscriptionRequest): string {
  const { watermark } = request;
  return (
    (watermark === undefined ? '' : element('t:Watermark', 'watermark', watermark)) +
    (request.type === 'pull'
      ? `<t:Timeout>${request.timeoutMinutes}</t:Timeout>`
      : `<t:StatusFrequency>${request.statusFrequencyMinutes}</t:StatusFrequency>` +
        element('t:URL', 'callbackUrl', request.callbackUrl))
  );
}

/**
 * Writes a GetEvents request. Page: "GetEvents operation".
 *
 * @param watermark The last one; empty for a server that never gave one: the schema wants the element.
 */
export function getEventsEnvelope(head: EnvelopeHead, subscriptionId: string, watermark: string): string {
  return envelope(
    head,
    `<m:GetEvents>${element('m:SubscriptionId', 'subscriptionId', subscriptionId)}${element('m:Watermark', 'watermark', watermark)}</m:GetEvents>`,
  );
}

/**
 * Writes a GetStreamingEvents request. Page: "GetStreamingEvents operation".
 *
 * @param subscriptionIds At most 200.
 * @param connectionMinutes From 1 to 30.
 */
export function getStreamingEventsEnvelope(
  head: EnvelopeHead,
  subscriptionIds: readonly string[],
  connectionMinutes: number,
): string {
  const ids = subscriptionIds.map((id) => element('t:SubscriptionId', 'subscriptionId', id));
  return envelope(
    head,
    `<m:GetStreamingEvents><m:SubscriptionIds>${ids.join('')}</m:SubscriptionIds>` +
      `<m:ConnectionTimeout>${connectionMinutes}</m:ConnectionTimeout></m:GetStreamingEvents>`,
  );
}

/** Writes an Unsubscribe request. Page: "Unsubscribe operation". */
export function unsubscribeEnvelope(head: EnvelopeHead, subscriptionId: string): string {
  return envelope(
    head,
    `<m:Unsubscribe>${element('m:SubscriptionId', 'subscriptionId', subscriptionId)}</m:Unsubscribe>`,
  );
}

function envelope(head: EnvelopeHead, body: string): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"' +
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"' +
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">' +
    `<soap:Header><t:RequestServerVersion${attribute('Version', 'version', head.version)}/>` +
    `${impersonationElement(head.impersonate)}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`
  );
}

function impersonationElement(impersonate: Impersonation | undefined): string {
  if (impersonate === undefined) return '';
  const given: Readonly<Record<string, string | undefined>> = { ...impersonate };
  const named = Object.entries(CONNECTING_SID_ELEMENTS).map(([option, name]) => {
    const value = given[option];
    return value === undefined ? '' : element(`t:${name}`, `impersonate.${option}`, value);
  });
  return `<t:ExchangeImpersonation><t:ConnectingSID>${named.join('')}</t:ConnectingSID></t:ExchangeImpersonation>`;
}

function foldersElement(folders: readonly Folder[] | undefined): string {
  if (folders === undefined) return '';
  return `<t:FolderIds>${folders.map((folder, index) => folderElement(folder, `folders[${index}]`)).join('')}</t:FolderIds>`;
}

function folderElement(folder: Folder, option: string): string {
  if (typeof folder === 'string') return `<t:DistinguishedFolderId${attribute('Id', option, folder)}/>`;
  if ('id' in folder) {
    const changeKey = folder.changeKey;
    return `<t:FolderId${attribute('Id', `${option}.id`, folder.id)}${
      changeKey === undefined ? '' : attribute('ChangeKey', `${option}.changeKey`, changeKey)
    }/>`;
  }
  const id = attribute('Id', `${option}.distinguished`, folder.distinguished);
  if (folder.mailbox === undefined) return `<t:DistinguishedFolderId${id}/>`;
  const address = element('t:EmailAddress', `${option}.mailbox`, folder.mailbox);
  return `<t:DistinguishedFolderId${id}><t:Mailbox>${address}</t:Mailbox></t:DistinguishedFolderId>`;
}

function element(name: string, option: string, text: string): string {
  return `<${name}>${escapeXml(option, text)}</${name}>`;
}

function attribute(name: string, option: string, value: string): string {
  return ` ${name}="${escapeXml(option, value)}"`;
}
