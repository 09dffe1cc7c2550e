import { defer, tap } from 'rxjs';
import { NetworkError, OriginError } from '../errors.ts';
import { NO_TLS } from '../networkCause.ts';
import type { HttpResponse, Middleware } from './transport.ts';

/** Codes of errors before a connection was established: no byte of the request was sent. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  NO_TLS,
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

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
          if (neverConnected(error)) onProgress('notProcessed');
        },
      }),
    );
  });
};

function refuses({ status }: HttpResponse): boolean {
  return (status < 200 || status > 299) && !LEFT_OPEN.has(status);
}

function neverConnected(error: unknown): boolean {
  if (error instanceof OriginError) return true;
  return error instanceof NetworkError && error.code !== undefined && NEVER_CONNECTED.has(error.code);
}
