/** What DNS can carry: a name of at most 253 characters, of labels of at most 63. */
const LONGEST_NAME = 253;

/**
 * A host name by the grammar of DNS, with the underscore that Windows networks use, and with or without the dot
 * of the root. IPv4 addresses match it, too.
 */
const NAME = /^(?:[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?\.?$/;

/** An IPv6 address in its brackets, as the URL parser writes it. */
const IPV6 = /^\[[\da-f:]+\]$/;

/**
 * Returns a URL that every parser reads the same way, or undefined if requests must not be sent to the text.
 *
 * It is http or https and carries no credentials; its host is a DNS name or an address. WHATWG URLs allow
 * characters such as `;` in a host, at which older parsers end it: they would connect to another host than the
 * one that was checked. The fragment, which no server sees, is left out. Every URL of a request, an option, a
 * link or a redirect is read by this function.
 *
 * @param base The URL that a relative one is relative to. @default only absolute URLs are read
 */
export function httpUrl(text: string, base?: string): URL | undefined {
  const url = parseUrl(text, base);
  if (url === undefined) return undefined;
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  if (url.username !== '' || url.password !== '' || !isHost(url.hostname)) return undefined;
  url.hash = '';
  return url;
}

/** Whether a host, as the URL parser writes it, is a DNS name or an IP address. */
function isHost(hostname: string): boolean {
  return (hostname.length <= LONGEST_NAME && NAME.test(hostname)) || IPV6.test(hostname);
}

/**
 * Returns what the URL parser reads, or undefined if the text is not a URL.
 *
 * `URL.canParse` of Node 20 sometimes refuses valid URLs that contain Latin-1 characters.
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether requests to a URL cross a network in clear text. */
export function isClearText({ protocol, hostname }: URL): boolean {
  return protocol !== 'https:' && !isThisMachine(hostname);
}

/** Whether the host of a URL is the machine itself. */
export function isThisMachine(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}
