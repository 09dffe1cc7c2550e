import { normalHref } from '../../core/href.ts';
import { DecodeError } from '../../core/errors.ts';
import { parseUrl } from '../../core/httpUrl.ts';

/** Returns the absolute URL of an href. It throws a {@link DecodeError} if there is none. */
export function absolute(href: string, base: string): string {
  const url = parseUrl(href, base);
  if (url !== undefined) return url.href;
  throw new DecodeError('link', { path: '/href', expected: 'a URL', actual: 'something else' });
}

/**
 * Returns the key of a resource: the normal form of the path and query of its href.
 *
 * UCWA writes hrefs absolute or relative, and those of a contact in upper or lower case.
 */
export function hrefKey(href: string): string {
  return normalHref(href)?.path ?? href.toLowerCase();
}

/** Returns the key of the parent resource: the path without its last segment. */
export function parentKey(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

/** Returns the last segment of a path if it is an address such as `sara@contoso.com`. */
export function addressIn(key: string): string | undefined {
  const start = key.lastIndexOf('/') + 1;
  const at = key.indexOf('@', start);
  if (at <= start) return undefined;
  const step = key.slice(start).replace(/[?#].*$/s, '');
  return at + 1 < start + step.length && !step.includes('@', at + 1 - start) ? step : undefined;
}

/** Returns the address in a `sip:` URI, in lower case and without parameters. */
export function addressOf(uri: string): string {
  return uri
    .replace(/^sips?:/i, '')
    .replace(/[;?].*$/s, '')
    .toLowerCase();
}
