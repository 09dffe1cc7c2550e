import type { UcwaEvent } from '../protocol/events.ts';
import { addressIn, addressOf, hrefKey, parentKey } from '../protocol/href.ts';

/** Under this key stand the events of contacts whose hrefs do not say who they are. */
export const UNNAMED_CONTACTS = 'contact without address';

/** Under this key stand all events, for who cannot say beforehand which are its own. */
export const EVERYTHING = 'everything';

/** Under this key stand the events of all presence subscriptions, for who does not know its own yet. */
export const PRESENCE_SUBSCRIPTIONS = 'presenceSubscription';

/** An href whose last step is an address as most are written: a parser of URLs would leave that as it is. */
const PLAIN_CONTACT = /^(?:https?:\/)?\/[^/\\#\s][^#\s]*\/[\w\-.~]+@[\w\-.~]+$/;
/** One without scheme and parameters. */
const PLAIN_ADDRESS = /^[^:;?]*$/;

/** The key under which the events of a contact stand, by its `sip:` URI. */
export function contactUriKey(uri: string): string {
  return `sip:${addressOf(uri)}`;
}

/** The same by its href: that of its address where the href tells it, or else of the href itself. */
export function contactHrefKey(href: string): string {
  // Read in a third of the time: nearly every event asks.
  if (PLAIN_CONTACT.test(href)) return `sip:${href.slice(href.lastIndexOf('/') + 1).toLowerCase()}`;
  const key = hrefKey(href);
  const address = addressIn(key);
  if (address === undefined) return key;
  return PLAIN_ADDRESS.test(address) ? `sip:${address}` : contactUriKey(address);
}

/**
 * The keys under which an event is filed, for those who want to know of it: few, for every event is looked
 * up by each. What is about a contact stands under the contact; all else under what it is about.
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

/** The href of the contact that an event is of: the contact itself, or its presence, note, location… */
function contactOf({ link, in: within }: UcwaEvent): string | undefined {
  if (link.rel === 'contact') return link.href;
  if (within?.rel === 'contact') return within.href;
  return /^contact[A-Z]/.test(link.rel) ? parentKey(hrefKey(link.href)) : undefined;
}

/** Whether an event that is filed under these keys is one of a contact. */
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
