import type { RequestProgress } from '../core/transport.ts';

type OnProgress = (progress: RequestProgress) => void;

/**
 * Passes on what becomes of a request that is sent again when its answer was lost. Once an attempt was left
 * open, the refusal of a later one no longer means that the server did nothing.
 */
export function untilLeftOpen(onProgress: OnProgress): OnProgress {
  let isUnderWay = false;
  let wasLeftOpen = false;
  return (progress) => {
    if (progress === 'sent') wasLeftOpen ||= isUnderWay;
    isUnderWay = progress === 'sent';
    if (progress === 'sent' || !wasLeftOpen) onProgress(progress);
  };
}
