import { hostOption, allowedHosts, type AllowedHosts } from '../../core/hosts.ts';
import { httpUrl, isThisMachine, parseUrl } from '../../core/httpUrl.ts';
import { invalidOption, urlOption } from '../../core/options.ts';
import { describeUrl } from '../../core/text.ts';
import { UntrustedLinkError } from '../protocol/errors.ts';

/** Which hosts a user's credentials and tokens may be sent to. */
export interface TrustedHosts {
  /** The user's own. */
  readonly domain: string;
  /** Whether a URL leads by https to a host of the domain, or to another that the caller trusts. */
  readonly isAllowed: AllowedHosts;
  /** Whether http on this machine is as good as https: for servers of tests. */
  readonly loopback: boolean;
}

/**
 * The hosts that a caller trusts: the domain, those that it names, and where discovery starts. Throws a
 * TypeError that names the option for one that is no host, or for a start over http on another machine.
 */
export function trustedHosts(
  domain: string,
  allowed: readonly string[],
  starts: readonly string[],
): TrustedHosts {
  if (!Array.isArray(allowed)) throw invalidOption('allowRedirectTo', allowed, 'a list of host names');
  const urls = starts.map((start, index) => {
    const url = urlOption(`urls[${index}]`, start);
    if (url.protocol === 'https:' || isThisMachine(url.hostname)) return url;
    throw invalidOption(`urls[${index}]`, start, 'https, or http on this machine');
  });
  const hosts = allowed.map((host: unknown, index) => hostOption(`allowRedirectTo[${index}]`, host));
  return {
    domain,
    isAllowed: allowedHosts([domain, ...hosts, ...urls.map(({ hostname }) => hostname)]),
    loopback: urls.some(({ protocol }) => protocol === 'http:'),
  };
}

/**
 * Returns the URL that a server's link leads to, absolute, if it may be followed, and throws an
 * {@link UntrustedLinkError} if not: it must be https, without credentials in it, and its host one of those
 * that are trusted, or below one. [RootURL, Security check]
 *
 * @param base What the link is relative to.
 * @param what The link, for the error.
 */
export function trustedUrl(trust: TrustedHosts, href: string, base: string, what: string): string {
  const url = httpUrl(href, base);
  if (url !== undefined && (trust.isAllowed(url.href) || isLocal(trust, url))) return url.href;
  throw new UntrustedLinkError(
    what,
    describeUrl(parseUrl(href, base)?.href ?? href),
    whyNot(trust, href, base),
  );
}

/** What is wrong with a link that is not trusted. */
function whyNot({ domain }: TrustedHosts, href: string, base: string): string {
  const url = parseUrl(href, base);
  if (url === undefined) return 'which is not an address';
  const { protocol, username, password } = url;
  if (username !== '' || password !== '') return 'with credentials in it';
  if (protocol !== 'https:') return 'which is not https';
  if (httpUrl(href, base) === undefined) return 'which is not a host name';
  return `which is not a host of ${domain}; if it is yours, name it in allowRedirectTo`;
}

function isLocal({ loopback }: TrustedHosts, { protocol, hostname }: URL): boolean {
  return loopback && protocol === 'http:' && isThisMachine(hostname);
}
