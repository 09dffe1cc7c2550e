import type { UcwaEvent } from '../protocol/events.ts';
import { addressIn, addressOf, hrefKey, parentKey } from '../protocol/href.ts';

/** The key of events of contacts whose hrefs contain no address. */
export const UNNAMED_CONTACTS = 'contact without address';

/** The key of all events, for listeners that cannot name theirs in advance. */
export const EVERYTHING = 'everything';

/** The key of events of all presence subscriptions, for listeners whose own does not exist yet. */
export const PRESENCE_SUBSCRIPTIONS = 'presenceSubscription';

/** An href that ends with a plain address, which parsing as a URL would not change. */
const PLAIN_CONTACT = /^(?:https?:\/)?\/[^/\\#\s][^#\s]*\/[\w\-.~]+@[\w\-.~]+$/;
/** An address without scheme and parameters. */
const PLAIN_ADDRESS = /^[^:;?]*$/;

/** Returns the key of a contact by its `sip:` URI. */
export function contactUriKey(uri: string): string {
  return `sip:${addressOf(uri)}`;
}

/** Returns the key of a contact by its href: that of its address, or of the href if it contains none. */
export function contactHrefKey(href: string): string {
  // A fast path for nearly every event.
  if (PLAIN_CONTACT.test(href)) return `sip:${href.slice(href.lastIndexOf('/') + 1).toLowerCase()}`;
  const key = hrefKey(href);
  const address = addressIn(key);
  if (address === undefined) return key;
  return PLAIN_ADDRESS.test(address) ? `sip:${address}` : contactUriKey(address);
}

/**
 * Returns the routing keys of an event: that of its contact, or of the resource in its link.
 *
 * There are few, since every event is looked up by each.
 */
export function keysOf(event: UcwaEvent): readonly string[] {
  const { rel, href } = event.link;
  if (rel === 'presenceSubscription') return [hrefKey(href), PRESENCE_SUBSCRIPTIONS];
  const contact = contactOf(event);
  if (contact === undefined) return [hrefKey(href)];
  const key = contactHrefKey(contact);
  if (isAddress(key)) return [key];
  const uri = uriIn(event);
  return [key, uri === undefined ? UNNAMED_CONTACTS : contactUriKey(uri)];
}

/** Returns the href of the contact of an event, which may be about its presence, note, location… */
function contactOf({ link, in: within }: UcwaEvent): string | undefined {
  if (link.rel === 'contact') return link.href;
  if (within?.rel === 'contact') return within.href;
  return /^contact[A-Z]/.test(link.rel) ? parentKey(hrefKey(link.href)) : undefined;
}

/** Whether these are keys of an event of a contact. */
export function isOfContact(keys: readonly string[]): boolean {
  return keys.some((key) => key === UNNAMED_CONTACTS || isAddress(key));
}

function isAddress(key: string): boolean {
  return key.startsWith('sip:');
}

function uriIn({ link, resource }: UcwaEvent): string | undefined {
  const uri = link.rel === 'contact' ? resource?.['uri'] : undefined;
  return typeof uri === 'string' ? uri : undefined;
}
