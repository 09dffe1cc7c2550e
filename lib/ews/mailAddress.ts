import { hostName } from '../core/hostRule.ts';

/** An SMTP address, in its two parts. */
export interface MailAddress {
  readonly local: string;
  /** A host name, as URLs have it. */
  readonly domain: string;
}

/** No blanks, nothing that cannot be seen, and one at sign. */
const ADDRESS = /^([^\s@\p{C}]+)@([^\s@\p{C}]+)$/u;

/** Reads an SMTP address; undefined for what is none. */
export function mailAddress(text: string): MailAddress | undefined {
  const [, local, host] = ADDRESS.exec(text) ?? [];
  const domain = host === undefined ? undefined : hostName(host);
  return local === undefined || domain === undefined ? undefined : { local, domain };
}

/** Writes an SMTP address. */
export function formatAddress({ local, domain }: MailAddress): string {
  return `${local}@${domain}`;
}
