import { normalHref } from './href.ts';

/** What all spellings of a contact have in common: a SIP URI in any case, or an href in any of its forms. */
export function contactKey(contact: string): string {
  const normal = normalHref(contact);
  if (normal === undefined) return contact.toLowerCase();
  const { origin = '', path } = normal;
  // A server writes the same href absolute and relative. A scheme without a host belongs to the address.
  return /^https?:/.test(origin) ? path : origin + path;
}
