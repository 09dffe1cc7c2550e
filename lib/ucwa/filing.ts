import type { UcwaEvent } from './events.ts';
import { addressIn, addressOf, hrefKey, parentKey } from './href.ts';

/** Under this key stand the events of contacts whose hrefs do not say who they are. */
export const UNNAMED_CONTACTS = 'contact without address';

/** Under this key stand all events, for who cannot say beforehand which are its own. */
export const EVERYTHING = 'everything';

/** Under this key stand the events of all presence subscriptions, for who does not know its own yet. */
export const PRESENCE_SUBSCRIPTIONS = 'presenceSubscription';

/** The key under which the events of a contact stand, by its `sip:` URI. */
export function contactKey(uri: string): string {
  return `sip:${addressOf(uri)}`;
}

/**
 * The keys under which an event is filed, for those who want to know of it. The key of what it is about
 * always is among them; the events of a contact stand under the contact, and under its address if that can
 * be told.
 */
export function filedUnder(event: UcwaEvent): readonly string[] {
  const { rel, href } = event.link;
  const key = hrefKey(href);
  if (rel === 'presenceSubscription') return [key, PRESENCE_SUBSCRIPTIONS];
  const contact = contactOf(event, key);
  if (contact === undefined) return [key];
  const address = addressIn(contact) ?? uriIn(event);
  const named = address === undefined ? UNNAMED_CONTACTS : contactKey(address);
  return contact === key ? [key, named] : [key, contact, named];
}

/** The key of the contact that an event is of: the contact itself, or its presence, note, location… */
function contactOf(event: UcwaEvent, key: string): string | undefined {
  if (event.link.rel === 'contact') return key;
  if (event.in?.rel === 'contact') return hrefKey(event.in.href);
  return /^contact[A-Z]/.test(event.link.rel) ? parentKey(key) : undefined;
}

/** Whether an event that is filed under these keys is one of a contact. */
export function isOfContact(keys: readonly string[]): boolean {
  return keys.some((key) => key === UNNAMED_CONTACTS || key.startsWith('sip:'));
}

function uriIn({ link, resource }: UcwaEvent): string | undefined {
  const uri = link.rel === 'contact' ? resource?.['uri'] : undefined;
  return typeof uri === 'string' ? uri : undefined;
}
