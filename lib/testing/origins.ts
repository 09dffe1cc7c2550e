import { httpUrl, isThisMachine } from '../core/httpUrl.ts';
import { invalidOption } from '../core/options.ts';

/**
 * Returns a list of origins in the spelling of browsers.
 *
 * @throws TypeError that names the element that is not an origin
 */
export function originsOption(name: string, values: readonly unknown[]): readonly string[] {
  return values.map((value, index) => {
    const url = typeof value === 'string' ? httpUrl(value) : undefined;
    if (url === undefined || url.href !== `${url.origin}/`)
      throw invalidOption(`${name}[${index}]`, value, 'an origin, such as https://app.contoso.com');
    return url.origin;
  });
}

/** Returns whether an origin is in the list, or on this machine. */
export function isAllowedOrigin(origin: string, allowedOrigins: readonly string[]): boolean {
  if (allowedOrigins.includes(origin)) return true;
  const hostname = /^https?:\/\/(.*?)(?::\d+)?$/.exec(origin)?.[1] ?? '';
  return isThisMachine(hostname) || hostname.endsWith('.localhost');
}
