import { defer, tap } from 'rxjs';
import { NetworkError, OriginError } from '../errors.ts';
import { isNeverConnected } from '../systemErrors.ts';
import type { HttpResponse, Middleware } from './transport.ts';

/** Statuses after which the server may or may not have acted. */
const LEFT_OPEN = new Set([408, 500, 502, 504]);

/**
 * Returns a Transport that calls `onProgress` of each request. Place it next to the network, below retries.
 *
 * It reports `notProcessed` only when that is certain: if no connection was established, or if the response
 * refuses the request. After `sent` alone, the server may have acted.
 */
export const withProgress: Middleware = (transport) => (request) => {
  const { onProgress } = request;
  if (onProgress === undefined) return transport(request);
  return defer(() => {
    onProgress('sent');
    return transport(request).pipe(
      tap({
        next: (response) => {
          if (refuses(response)) onProgress('notProcessed');
        },
        error: (error: unknown) => {
          const isUnsent = error instanceof OriginError;
          if (isUnsent || (error instanceof NetworkError && isNeverConnected(error.code)))
            onProgress('notProcessed');
        },
      }),
    );
  });
};

function refuses({ status }: HttpResponse): boolean {
  return (status < 200 || status > 299) && !LEFT_OPEN.has(status);
}
