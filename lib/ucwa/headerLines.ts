/**
 * Reads the header lines of an HTTP message: names in lower case, several of one name joined with a comma.
 *
 * A line that is no header is skipped. Blanks around the colon and line ends of either kind are taken, as
 * they stand in documented messages. [batch_ref]
 */
export function readHeaderLines(text: string): Readonly<Record<string, string>> {
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    if (name === '') continue;
    const value = line.slice(colon + 1).trim();
    const known = headers.get(name);
    headers.set(name, known === undefined ? value : `${known}, ${value}`);
  }
  return Object.fromEntries(headers);
}
