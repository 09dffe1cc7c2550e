/** The longest name in DNS; its labels have at most 63 characters. */
const LONGEST_NAME = 253;

/**
 * A DNS host name, with the underscore that Windows networks use. It may end with the dot of the root. IPv4
 * addresses match, too.
 */
const NAME = /^(?:[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?\.?$/;

/** An IPv6 address in its brackets, as the URL parser writes it. */
const IPV6 = /^\[[\da-f:]+\]$/;

/**
 * Returns a URL that all parsers read alike; undefined if requests must not be sent to it.
 *
 * It is http or https without credentials, and its host is a DNS name or an address. WHATWG URLs allow
 * characters such as `;` in a host, at which older parsers end the host: they would connect to another host
 * than the checked one. The fragment is removed. All URLs of requests, options, links and redirects are read
 * by this function.
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

/** Returns whether a host, as the URL parser writes it, is a DNS name or an IP address. */
function isHost(hostname: string): boolean {
  return (hostname.length <= LONGEST_NAME && NAME.test(hostname)) || IPV6.test(hostname);
}

/**
 * Returns a URL, or undefined if the text is not one.
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

/** Returns whether requests to a URL cross a network in clear text. */
export function isClearText({ protocol, hostname }: URL): boolean {
  return protocol !== 'https:' && !isThisMachine(hostname);
}

/** Returns whether the host of a URL is this machine. */
export function isThisMachine(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}
