import { normalHref } from '../../core/href.ts';
import { DecodeError } from '../../core/errors.ts';
import { parseUrl } from '../../core/httpUrl.ts';

/** Makes an href absolute. Throws a {@link DecodeError} where that is not possible. */
export function absolute(href: string, base: string): string {
  const url = parseUrl(href, base);
  if (url !== undefined) return url.href;
  throw new DecodeError('link', { path: '/href', expected: 'a URL', actual: 'something else' });
}

/**
 * What all hrefs of one resource have in common: its path and query. UCWA writes hrefs absolute or relative,
 * and those of one contact in upper or lower case.
 */
export function hrefKey(href: string): string {
  return normalHref(href)?.path ?? href.toLowerCase();
}

/** The key of the resource that this one belongs to: its path without the last step. */
export function parentKey(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

/** The last step of the path, where it is an address such as `sara@contoso.com`. */
export function addressIn(key: string): string | undefined {
  const start = key.lastIndexOf('/') + 1;
  const at = key.indexOf('@', start);
  if (at <= start) return undefined;
  const step = key.slice(start).replace(/[?#].*$/s, '');
  return at + 1 < start + step.length && !step.includes('@', at + 1 - start) ? step : undefined;
}

/** The address in a `sip:` URI, in lower case and without parameters. */
export function addressOf(uri: string): string {
  return uri
    .replace(/^sips?:/i, '')
    .replace(/[;?].*$/s, '')
    .toLowerCase();
}
