import { invalidOption } from '../../core/options.ts';
import { EVENT_NAMES, type SubscribableEvent } from './events.ts';

/**
 * Characters that XML 1.0 cannot carry, not even escaped: most control characters, and halves of surrogate
 * pairs.
 */
const INVALID_CHARACTERS = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
/** Includes tabs and line ends: a parser would replace them by spaces in attributes. */
const SPECIAL_CHARACTERS = /[&<>"'\t\n\r]/g;

/**
 * Returns a value escaped for XML, as text or in an attribute.
 *
 * @param name The name of an option or an element, for the error.
 * @throws TypeError if the value has a character that XML cannot carry.
 */
export function escapeXml(name: string, value: string): string {
  const at = value.search(INVALID_CHARACTERS);
  if (at >= 0) {
    const code = value.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0');
    throw invalidOption(name, `text with U+${code}`, 'text of characters that XML 1.0 can carry');
  }
  return value.replace(SPECIAL_CHARACTERS, (special) => `&#${special.charCodeAt(0)};`);
}

/**
 * The user to act as: the owner of a mailbox, named in one way.
 *
 * @see [EWS] Impersonation and EWS in Exchange, ConnectingSID
 *
 * @inline
 */
export type Impersonation =
  | { readonly principalName: string }
  | { readonly sid: string }
  | { readonly primarySmtpAddress: string }
  | { readonly smtpAddress: string };

/**
 * A folder to watch: a distinguished name such as `inbox`, optionally of another mailbox, or an id.
 *
 * @inline
 */
export type Folder =
  | string
  | { readonly distinguished: string; readonly mailbox?: string }
  | { readonly id: string; readonly changeKey?: string };

/** The header of every request. */
export interface EnvelopeHead {
  readonly version: string;
  readonly impersonate?: Impersonation;
}

interface FolderSubscriptionRequest {
  /** The folders to watch; undefined for all. */
  readonly folders: readonly Folder[] | undefined;
  readonly events: readonly SubscribableEvent[];
}

/** A subscription whose events the client polls. */
export interface PullSubscriptionRequest extends FolderSubscriptionRequest {
  readonly type: 'pull';
  readonly watermark: string | undefined;
  readonly timeoutMinutes: number;
}

/** A subscription whose events the server sends on an open response. */
export interface StreamingSubscriptionRequest extends FolderSubscriptionRequest {
  readonly type: 'streaming';
}

/** A subscription whose events the server posts to a URL. */
export interface PushSubscriptionRequest extends FolderSubscriptionRequest {
  readonly type: 'push';
  readonly watermark: string | undefined;
  readonly statusFrequencyMinutes: number;
  readonly callbackUrl: string;
}

/** A subscription of any type. */
export type SubscribeRequest =
  PullSubscriptionRequest | StreamingSubscriptionRequest | PushSubscriptionRequest;

/** The names of each subscription type: of the resource, and of the operation that brings its events. */
export const SUBSCRIPTION_TYPES: Readonly<
  Record<SubscribeRequest['type'], { readonly resource: string; readonly operation: NotificationOperation }>
> = {
  pull: { resource: 'PullSubscription', operation: 'GetEvents' },
  streaming: { resource: 'StreamingSubscription', operation: 'GetStreamingEvents' },
  push: { resource: 'PushSubscription', operation: 'SendNotification' },
};

/** An operation that brings events. */
export type NotificationOperation = 'GetEvents' | 'GetStreamingEvents' | 'SendNotification';

/** The elements that name an impersonated user. */
export const CONNECTING_SID_ELEMENTS = {
  principalName: 'PrincipalName',
  sid: 'SID',
  primarySmtpAddress: 'PrimarySmtpAddress',
  smtpAddress: 'SmtpAddress',
} as const;

/**
 * Returns a Subscribe request.
 *
 * @see [EWS] Subscribe operation
 */
export function subscribeEnvelope(head: EnvelopeHead, request: SubscribeRequest): string {
  const all = request.folders === undefined ? ' SubscribeToAllFolders="true"' : '';
  const name = `m:${SUBSCRIPTION_TYPES[request.type].resource}Request`;
  return envelope(
    head,
    `<m:Subscribe><${name}${all}>` +
      foldersElement(request.folders) +
      `<t:EventTypes>${request.events.map((event) => element('t:EventType', EVENT_NAMES[event])).join('')}</t:EventTypes>` +
      (request.type === 'streaming' ? '' : resumableElements(request)) +
      `</${name}></m:Subscribe>`,
  );
}

function resumableElements(request: PullSubscriptionRequest | PushSubscriptionRequest): string {
  const { watermark } = request;
  return (
    (watermark === undefined ? '' : element('t:Watermark', watermark)) +
    (request.type === 'pull'
      ? `<t:Timeout>${request.timeoutMinutes}</t:Timeout>`
      : `<t:StatusFrequency>${request.statusFrequencyMinutes}</t:StatusFrequency>` +
        element('t:URL', request.callbackUrl))
  );
}

/**
 * Returns a GetEvents request.
 *
 * @param watermark The last one; empty for a server that sends none, because the schema requires the element.
 *
 * @see [EWS] GetEvents operation
 */
export function getEventsEnvelope(head: EnvelopeHead, subscriptionId: string, watermark: string): string {
  return envelope(
    head,
    `<m:GetEvents>${element('m:SubscriptionId', subscriptionId)}${element('m:Watermark', watermark)}</m:GetEvents>`,
  );
}

/**
 * Returns a GetStreamingEvents request.
 *
 * @param subscriptionIds At most 200.
 * @param connectionMinutes From 1 to 30.
 *
 * @see [EWS] GetStreamingEvents operation
 */
export function getStreamingEventsEnvelope(
  head: EnvelopeHead,
  subscriptionIds: readonly string[],
  connectionMinutes: number,
): string {
  const ids = subscriptionIds.map((id) => element('t:SubscriptionId', id));
  return envelope(
    head,
    `<m:GetStreamingEvents><m:SubscriptionIds>${ids.join('')}</m:SubscriptionIds>` +
      `<m:ConnectionTimeout>${connectionMinutes}</m:ConnectionTimeout></m:GetStreamingEvents>`,
  );
}

/**
 * Returns an Unsubscribe request.
 *
 * @see [EWS] Unsubscribe operation
 */
export function unsubscribeEnvelope(head: EnvelopeHead, subscriptionId: string): string {
  return envelope(head, `<m:Unsubscribe>${element('m:SubscriptionId', subscriptionId)}</m:Unsubscribe>`);
}

function envelope(head: EnvelopeHead, body: string): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"' +
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"' +
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">' +
    `<soap:Header><t:RequestServerVersion${attribute('Version', head.version)}/>` +
    `${impersonationElement(head.impersonate)}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`
  );
}

function impersonationElement(impersonate: Impersonation | undefined): string {
  if (impersonate === undefined) return '';
  const given: Readonly<Record<string, string | undefined>> = { ...impersonate };
  const named = Object.entries(CONNECTING_SID_ELEMENTS).map(([option, name]) => {
    const value = given[option];
    return value === undefined ? '' : element(`t:${name}`, value);
  });
  return `<t:ExchangeImpersonation><t:ConnectingSID>${named.join('')}</t:ConnectingSID></t:ExchangeImpersonation>`;
}

function foldersElement(folders: readonly Folder[] | undefined): string {
  if (folders === undefined) return '';
  return `<t:FolderIds>${folders.map(folderElement).join('')}</t:FolderIds>`;
}

function folderElement(folder: Folder): string {
  if (typeof folder === 'string') return folderElement({ distinguished: folder });
  if ('id' in folder) {
    const { id, changeKey } = folder;
    return `<t:FolderId${attribute('Id', id)}${changeKey === undefined ? '' : attribute('ChangeKey', changeKey)}/>`;
  }
  const { distinguished, mailbox } = folder;
  const id = attribute('Id', distinguished);
  if (mailbox === undefined) return `<t:DistinguishedFolderId${id}/>`;
  const address = element('t:EmailAddress', mailbox);
  return `<t:DistinguishedFolderId${id}><t:Mailbox>${address}</t:Mailbox></t:DistinguishedFolderId>`;
}

function element(name: string, text: string): string {
  return `<${name}>${escapeXml(name, text)}</${name}>`;
}

function attribute(name: string, value: string): string {
  return ` ${name}="${escapeXml(name, value)}"`;
}
