import type { HttpHeaders } from '../core/transport.ts';

/**
 * The headers that the two protocols and HTTP itself need, spelled as IIS does: a response tells values by
 * name, not the names. Microsoft's own reader of batches knows only this spelling of Content-Type.
 */
const NAMES = [
  'Content-Type',
  'Location',
  'Retry-After',
  'Set-Cookie',
  'WWW-Authenticate',
  'X-Ms-diagnostics',
  'X-MS-Server-Fqdn',
  'X-BackEndOverrideCookie',
];

/** Returns the headers of a response that are sent; `further` names are sent as well. */
export function sentHeaders(headers: HttpHeaders, further: readonly string[] = []): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of [...NAMES, ...further]) {
    const value = headers.get(name);
    if (value !== undefined) sent[name] = value;
  }
  return sent;
}
