import type { HttpRequest } from '../../core/transport/transport.ts';

/**
 * Returns an `onProgress` that calls `onLost` when a request is repeated although an earlier one got no
 * response.
 *
 * The earlier one may still arrive, for as long as `LATE_MS`.
 */
export function reportLost(onLost: () => void): NonNullable<HttpRequest['onProgress']> {
  let isUnanswered = false;
  return (progress) => {
    if (progress === 'sent' && isUnanswered) onLost();
    isUnanswered = progress === 'sent';
  };
}
