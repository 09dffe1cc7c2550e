/** A token of HTTP: a method, or the name of a header. [RFC 9110, Tokens] */
const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
/** Visible ASCII and blanks: a line break would begin another header. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** Whether a text can be a method or the name of a header. */
export function isHttpToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether a text can be the value of a header. Every string that becomes one is checked by this function. */
export function isHeaderValue(text: string): boolean {
  return VALUE.test(text);
}
