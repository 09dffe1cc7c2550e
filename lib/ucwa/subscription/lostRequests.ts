import type { HttpRequest } from '../../core/transport/transport.ts';

/**
 * Returns an `onProgress` that calls `onLost` when a request is sent again although an earlier one is unanswered.
 * That one can still arrive, for as long as `LATE_MS`.
 */
export function ifLost(onLost: () => void): NonNullable<HttpRequest['onProgress']> {
  let isUnanswered = false;
  return (progress) => {
    if (progress === 'sent' && isUnanswered) onLost();
    isUnanswered = progress === 'sent';
  };
}
