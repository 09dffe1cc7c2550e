import { defer, finalize } from 'rxjs';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';

/** A simulator that counts the P-GETs that it has not responded to. */
export interface CountingSimulator {
  readonly ucwa: UcwaSimulator;
  readonly pendingGets: () => number;
}

export function countingSimulator(): CountingSimulator {
  const simulator = ucwaSimulator({ mediumSeconds: 0 });
  let pending = 0;
  const transport: Transport = (request) =>
    defer(() => {
      const isPGet = request.method === 'GET' && request.url.includes('/events?');
      if (isPGet) pending += 1;
      return simulator.transport(request).pipe(
        finalize(() => {
          if (isPGet) pending -= 1;
        }),
      );
    });
  return {
    // Inherited, because the properties of a simulator are getters.
    ucwa: Object.create(simulator, { transport: { value: transport } }) as UcwaSimulator,
    pendingGets: () => pending,
  };
}
