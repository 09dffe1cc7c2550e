import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import type { Fetch } from '../../../lib/core/transport/send.ts';
import type { RetryPolicy } from '../../../lib/core/backoff/withRetry.ts';
import { checkLimits, type Limits } from '../../../lib/core/limits.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { signerOption, type UcwaAuth } from '../../../lib/ucwa/auth/signer.ts';
import { discovery, type DiscoveryOptions, discoverySearch } from '../../../lib/ucwa/discovery/discovered.ts';
import type { Discovery } from '../../../lib/ucwa/discovery/location.ts';

/** Options of {@link discover}. */
export interface DiscoverOptions extends DiscoveryOptions {
  readonly domain: string;
  readonly auth?: UcwaAuth;
  readonly transport?: Transport;
  readonly fetch?: Fetch;
  readonly retry?: RetryPolicy;
  readonly limits?: Limits;
}

/** Returns the discovery of a domain without a connection. */
export function discover(options: DiscoverOptions): Discovery {
  const { domain, auth, fetch, transport = fetchTransport(fetch), retry = {}, limits, ...search } = options;
  return discovery(discoverySearch(domain, search), {
    ...{ transport, retry },
    signer: signerOption(auth),
    limits: checkLimits(limits),
  });
}
