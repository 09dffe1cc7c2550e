import { NetworkError } from '../core/errors.ts';
import { httpUrl, parseUrl } from '../core/httpUrl.ts';

/** An HTTP proxy, read from its URL. */
export interface Proxy {
  readonly url: URL;
  /** The value of `Proxy-Authorization`; undefined without credentials. */
  readonly authorization: string | undefined;
}

/** Returns the proxy at a URL such as `http://user:password@proxy:3128`; undefined for any other text. */
export function proxyAt(text: string): Proxy | undefined {
  const url = parseUrl(text);
  if (url === undefined) return undefined;
  const { username, password } = url;
  [url.username, url.password] = ['', ''];
  const checked = httpUrl(url.href);
  return checked && { url: checked, authorization: basicOf(username, password) };
}

function basicOf(username: string, password: string): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

/** Returns a part of a URL without its escapes, or as it is if they are invalid. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The variables of a process. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the proxy that the environment names for an origin; undefined for none.
 *
 * @throws NetworkError without the value, if that is not the URL of an HTTP proxy.
 */
export function proxyOfEnvironment(origin: string, env: Environment = process.env): Proxy | undefined {
  const url = new URL(origin);
  const read = (name: string): string => env[name.toLowerCase()] || env[name] || '';
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = read(name) || read('ALL_PROXY');
  if (text === '' || isExempt(url, read('NO_PROXY'))) return undefined;
  const proxy = proxyAt(text.includes('://') ? text : `http://${text}`);
  if (proxy !== undefined) return proxy;
  const what = `no answer, because the variable ${name} or ALL_PROXY is not the URL of an HTTP proxy`;
  const identity = { method: 'CONNECT', url: origin };
  throw new NetworkError(what, identity, { code: 'ERR_PROXY_UNREACHABLE', isUnsent: true });
}

/** Returns whether a list exempts a host, or one of its domains, from the proxy, as curl reads it. */
function isExempt({ protocol, hostname, port }: URL, list: string): boolean {
  const givenPort = port || (protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      // An address of IPv6 may be without its brackets, and then has no port.
      const [, host = `[${entry}]`, onlyPort = givenPort] =
        /^(\[[^\]]*\]|[^:]+)(?::(\d+))?$/.exec(entry) ?? [];
      const domain = host.replace(/^\*?\./, '');
      return (
        onlyPort === givenPort && (domain === '*' || hostname === domain || hostname.endsWith(`.${domain}`))
      );
    });
}
