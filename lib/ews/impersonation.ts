import { invalidOption } from '../core/options.ts';
import { CONNECTING_SIDS, type Impersonation } from './envelope.ts';
import { escapeXml } from './xml.ts';

/** Returns the impersonation if it names one user in one way, and throws a TypeError if not. */
export function checkImpersonation(impersonate: Impersonation): Impersonation {
  const known = Object.keys(CONNECTING_SIDS);
  const given = Object.entries<unknown>(impersonate).filter(([, value]) => value !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1 || !known.includes(first[0])) {
    throw invalidOption('impersonate', impersonate, `an object with exactly one of ${known.join(', ')}`);
  }
  const [name, value] = first;
  if (typeof value !== 'string' || value === '') throw invalidOption(`impersonate.${name}`, value, 'a text');
  escapeXml(`impersonate.${name}`, value);
  return impersonate;
}

/** The header that impersonation with OAuth needs; it also leads to the server where the mailbox is. */
export function anchorOf(impersonate: Impersonation | undefined): Record<string, string> {
  if (impersonate === undefined || 'sid' in impersonate) return {};
  const [address] = Object.values(impersonate);
  return address !== undefined && /^[\x21-\x7e]+$/.test(address) ? { 'x-anchormailbox': address } : {};
}
