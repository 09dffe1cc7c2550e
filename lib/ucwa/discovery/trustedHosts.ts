import { hostOption, allowedHosts, type AllowedHosts } from '../../core/hosts.ts';
import { httpUrl, isThisMachine, parseUrl } from '../../core/httpUrl.ts';
import { invalidOption, urlOption } from '../../core/options.ts';
import { describeUrl } from '../../core/text.ts';
import { UntrustedLinkError } from '../protocol/errors.ts';

/** The hosts to which the credentials and tokens of a user may be sent. */
export interface TrustedHosts {
  /** The domain of the user. */
  readonly domain: string;
  /** Returns whether a URL is https and leads to a trusted host. */
  readonly isAllowed: AllowedHosts;
  /** Whether http on this machine is allowed, for test servers. */
  readonly loopback: boolean;
}

/**
 * Returns the hosts that a caller trusts.
 *
 * They are the domain, the hosts that the caller names, and the hosts of the start URLs. Throws a TypeError
 * that names the option for an invalid host, or for a start URL with http on another machine.
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
 * Returns the absolute URL of a server's link; throws an {@link UntrustedLinkError} if it is not trusted.
 *
 * A trusted URL is https, contains no credentials, and leads to a trusted host or a subdomain of one.
 *
 * @see [MS-UCWA] RootURL, Security check
 *
 * @param base The URL that the link is relative to.
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

/** Returns why a link is not trusted, for the error. */
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
