import { invalidOption } from './options.ts';

/** Says whether a URL may be followed: https, without credentials in it, and on a host that is allowed. */
export type HostRule = (url: string) => boolean;

/** What a host name may be made of, after the URL parser has brought it into its one form. */
const HOST = /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/;

/** What DNS can carry. */
const LONGEST_HOST = 253;

/**
 * Returns a rule that allows the given domains and all hosts below them.
 *
 * @param domains Host names, as {@link hostOption} gives them.
 */
export function hostRule(domains: readonly string[]): HostRule {
  return (url) => {
    if (!URL.canParse(url)) return false;
    const { protocol, hostname, username, password } = new URL(url);
    if (protocol !== 'https:' || username !== '' || password !== '') return false;
    return domains.some((domain) => hostname === domain || hostname.endsWith(`.${domain}`));
  };
}

/** Returns the host name as URLs have it, or undefined for what is none. */
export function hostName(text: string): string | undefined {
  if (text.length > LONGEST_HOST || /[/\\?#@:\s]/.test(text) || !URL.canParse(`https://${text}/`))
    return undefined;
  const host = new URL(`https://${text}/`).hostname;
  // An IP address is no mail domain, and has no hosts below it.
  return HOST.test(host) && !/^[\d.]+$/.test(host) ? host : undefined;
}

/** Returns the host name as URLs have it, and throws a TypeError that names the option for what is none. */
export function hostOption(name: string, value: unknown): string {
  const host = typeof value === 'string' ? hostName(value) : undefined;
  if (host === undefined) throw invalidOption(name, value, 'a host name, such as contoso.com');
  return host;
}
