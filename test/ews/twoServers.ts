import { of, throwError } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../lib/core/transport/transport.ts';
import { ewsSimulator, type EwsSimulator } from '../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../lib/testing/ews/options.ts';
import { response } from '../support/responses.ts';

export type Host = 0 | 1;

/** A domain with two servers, of which Autodiscover names one. */
export interface TwoServers {
  readonly servers: readonly [EwsSimulator, EwsSimulator];
  readonly transport: Transport;
  /** Selects the server that Autodiscover names from now on. `none` means an unknown mailbox. */
  named: Host | 'none';
  /** The servers that no request reaches. */
  readonly down: Set<Host>;
}

const HOSTS: readonly [string, string] = ['mail1.contoso.com', 'mail2.contoso.com'];

/** @param onLook Called on each Autodiscover request. */
export function twoServers(
  options: EwsSimulatorOptions = {},
  onLook: () => unknown = () => undefined,
): TwoServers {
  const servers = [ewsSimulator(options), ewsSimulator(options)] as const;
  const down = new Set<Host>();
  const it: TwoServers = {
    ...{ servers, down, named: 0 },
    transport: (request) => {
      const { hostname } = new URL(request.url);
      const index = HOSTS.indexOf(hostname) as Host | -1;
      if (index !== -1 && down.has(index))
        return throwError(() => new NetworkError('no answer', request, { code: 'ECONNREFUSED' }));
      if (index !== -1) return servers[index].transport(request);
      onLook();
      if (it.named === 'none') return of(response(404));
      const found = JSON.stringify({ Protocol: 'EWS', Url: `https://${HOSTS[it.named]}/EWS/Exchange.asmx` });
      const headers = headersFrom({ 'content-type': 'application/json' });
      return of({ ...response(200, { body: [found] }), headers });
    },
  };
  return it;
}
