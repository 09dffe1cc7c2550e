import { invalidOption, objectOption } from '../core/options.ts';
import { CONNECTING_SIDS, type Impersonation } from './envelope.ts';
import { isAnchor } from './affinity.ts';
import { escapeXml } from './xml.ts';

/** Returns the impersonation if it names one user in one way, and throws a TypeError if not. */
export function checkImpersonation(impersonate: Impersonation): Impersonation {
  const given = Object.entries<unknown>(objectOption('impersonate', impersonate, CONNECTING_SIDS)).filter(
    ([, value]) => value !== undefined,
  );
  const [first] = given;
  if (first === undefined || given.length > 1) {
    const known = Object.keys(CONNECTING_SIDS).join(', ');
    throw invalidOption('impersonate', impersonate, `an object with exactly one of ${known}`);
  }
  const [name, value] = first;
  if (typeof value !== 'string' || value === '') throw invalidOption(`impersonate.${name}`, value, 'a text');
  escapeXml(`impersonate.${name}`, value);
  return impersonate;
}

/** The address by which an impersonated user is named; undefined where it is another name. */
export function addressOf(impersonate: Impersonation): string | undefined {
  const [address] = 'sid' in impersonate ? [] : Object.values<string>(impersonate);
  return address !== undefined && isAnchor(address) ? address : undefined;
}
