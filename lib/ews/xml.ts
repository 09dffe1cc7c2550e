import { invalidOption } from '../core/options.ts';

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
