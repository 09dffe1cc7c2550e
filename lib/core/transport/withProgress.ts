import { defer, tap } from 'rxjs';
import { NetworkError, OriginError } from '../errors.ts';
import { NO_TLS } from '../networkCause.ts';
import type { HttpResponse, Middleware } from './transport.ts';

/** Errors of a connection that was never made: no byte of the request has left. */
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

/** Statuses by which a server, or a gateway that waited for it, leaves open whether it acted. */
const LEFT_OPEN = new Set([408, 500, 502, 504]);

/**
 * Returns a Transport that tells each request's `onProgress` what becomes of it. It belongs next to the
 * network, below all that sends a request again.
 *
 * Only what is certain counts as `undone`: a connection that was never made, and an answer that refuses.
 * What stays `sent` may have been acted on.
 */
export const withProgress: Middleware = (transport) => (request) => {
  const { onProgress } = request;
  if (onProgress === undefined) return transport(request);
  return defer(() => {
    onProgress('sent');
    return transport(request).pipe(
      tap({
        next: (response) => {
          if (refuses(response)) onProgress('undone');
        },
        error: (error: unknown) => {
          if (neverConnected(error)) onProgress('undone');
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
