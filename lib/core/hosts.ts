import { httpUrl } from './httpUrl.ts';
import { invalidOption } from './options.ts';

/** Returns whether a URL may be followed: https, without credentials, and on an allowed host. */
export type AllowedHosts = (url: string) => boolean;

/**
 * Returns a predicate for URLs on these domains and all hosts below them.
 *
 * @param domains Host names, as {@link hostOption} returns them.
 */
export function allowedHosts(domains: readonly string[]): AllowedHosts {
  return (text) => {
    const url = httpUrl(text);
    if (url?.protocol !== 'https:') return false;
    const { hostname } = url;
    return domains.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`));
  };
}

/** Returns a host name as URLs write it, or undefined if the text is not a domain name. */
export function hostName(text: string): string | undefined {
  if (/[/\\?#@:\s[\]]/.test(text)) return undefined;
  const host = httpUrl(`https://${text}/`)?.hostname;
  // An IP address is not a mail domain and has no hosts below it; a trailing dot means the same name.
  return host === undefined || /^[\d.]+$/.test(host) || host.endsWith('.') ? undefined : host;
}

/**
 * Returns a host name as URLs write it.
 *
 * @throws TypeError that names the option, if the value is not a domain name.
 */
export function hostOption(name: string, value: unknown): string {
  const host = typeof value === 'string' ? hostName(value) : undefined;
  if (host === undefined) throw invalidOption(name, value, 'a host name, such as contoso.com');
  return host;
}
