import { invalidOption } from '../core/options.ts';

/** What XML 1.0 cannot carry, not even escaped: most control characters, halves of surrogate pairs. */
const UNSPEAKABLE = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const SPECIAL = /[&<>"'\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * Escapes a value for XML, as text or in an attribute. It throws a TypeError that names the option if the
 * value holds a character that XML cannot carry.
 */
export function escapeXml(option: string, value: string): string {
  const character = UNSPEAKABLE.exec(value)?.[0];
  if (character !== undefined) {
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw invalidOption(option, `text with U+${code}`, 'text of characters that XML 1.0 can carry');
  }
  return value.replace(SPECIAL, (special) => ESCAPES[special] ?? special);
}
