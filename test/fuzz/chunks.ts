import { from } from 'rxjs';
import { headersFrom, type HttpResponse } from '../../lib/core/transport/transport.ts';
import type { Random } from '../support/random/random.ts';

/** Cuts a text into byte chunks at random positions, also inside characters. */
export function chunksOf(text: string, { below }: Random): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const cuts = Array.from({ length: below(4) }, () => below(bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index] ?? bytes.length));
}

/** Returns a response whose body arrives in such chunks, all at once. */
export function responseOf(
  text: string,
  random: Random,
  { status = 200, type = 'application/json' }: { readonly status?: number; readonly type?: string } = {},
): HttpResponse {
  return {
    status,
    headers: headersFrom({ 'content-type': type }),
    url: 'https://pool.contoso.com/ucwa/v1/applications/101/events?ack=1',
    body$: from(chunksOf(text, random)),
  };
}
