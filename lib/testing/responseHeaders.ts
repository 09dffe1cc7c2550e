import type { HttpHeaders } from '../core/transport.ts';

/** The headers that the two protocols and HTTP itself need: a response tells values by name, not the names. */
const NAMES = [
  'content-type',
  'location',
  'retry-after',
  'set-cookie',
  'www-authenticate',
  'x-ms-diagnostics',
  'x-ms-server-fqdn',
  'x-backendoverridecookie',
];

/** The headers of an answer that are sent, by their names in lower case; `further` names are sent as well. */
export function sentHeaders(headers: HttpHeaders, further: readonly string[] = []): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of [...NAMES, ...further]) {
    const value = headers.get(name);
    if (value !== undefined) sent[name] = value;
  }
  return sent;
}
