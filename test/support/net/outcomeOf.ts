import { catchError, firstValueFrom, map, of } from 'rxjs';
import type { NetworkError } from '../../../lib/core/errors.ts';
import { nodeTransport, type NodeTransportOptions } from '../../../lib/node/nodeTransport.ts';

/** Resolves with the status of a GET, or with its error. */
export function outcomeOf(url: string, options: NodeTransportOptions): Promise<number | NetworkError> {
  return firstValueFrom(
    nodeTransport(options)({ method: 'GET', url }).pipe(
      map(({ status }) => status),
      catchError((error: unknown) => of(error as NetworkError)),
    ),
  );
}
