import { identity, NEVER, type Observable, take } from 'rxjs';
import type { Limits } from '../../../lib/core/limits.ts';
import type { Auth } from '../../../lib/core/auth/auth.ts';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { autodiscovered, type AutodiscoveredOptions } from '../../../lib/ews/discovery/autodiscover.ts';
import { AUTODISCOVERED } from '../../../lib/ews/discovery/location.ts';

/** The parts of a connection that a lookup uses. */
export interface LookUpOptions extends AutodiscoveredOptions {
  readonly auth?: Auth;
  readonly transport?: Transport;
  readonly limits?: Limits;
}

/**
 * Returns an Observable that looks up the URL of an address as a connection does, emits it, and completes.
 */
export function lookUp(
  address: string,
  { auth, transport = fetchTransport(), limits, ...options }: LookUpOptions = {},
): Observable<string> {
  const { locate } = AUTODISCOVERED.read('server', autodiscovered(address, options));
  const sign = auth?.sign({ allowInsecureHttp: false }) ?? identity;
  const { url$ } = locate({ auth, sign, transport, redirects: limits?.redirects, closing$: NEVER });
  return url$.pipe(take(1));
}
