import { getProxyForUrl } from 'proxy-from-env';
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

/**
 * Returns the proxy that the environment names for an origin; undefined for none.
 *
 * @throws NetworkError without the value, if that is not the URL of an HTTP proxy.
 */
export function proxyOfEnvironment(origin: string): Proxy | undefined {
  const url = getProxyForUrl(origin);
  if (url === '') return undefined;
  const proxy = proxyAt(url);
  if (proxy !== undefined) return proxy;
  const name = origin.startsWith('https:') ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const what = `no answer, because the variable ${name} or ALL_PROXY is not the URL of an HTTP proxy`;
  throw new NetworkError(
    what,
    { method: 'CONNECT', url: origin },
    { code: 'ERR_PROXY_UNREACHABLE', isUnsent: true },
  );
}
