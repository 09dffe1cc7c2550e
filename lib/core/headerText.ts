/** What HTTP carries as a header value: visible ASCII and blanks; a line break would begin another header. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/** Whether a text can be the value of a header. Every string that becomes one is checked by this function. */
export function isHeaderValue(text: string): boolean {
  return HEADER_VALUE.test(text);
}
