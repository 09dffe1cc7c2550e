import type { StreamUpdate } from './request.ts';

/** The state of the requests of a connection when something arrives on one of them. */
export interface HandoverState {
  /** Whether it arrives on the only request, or on the older or newer one of two. */
  readonly on: 'only' | 'older' | 'newer';
  /** Whether the server serves the newer request, so that it has ended the older one. */
  readonly isReplaced: boolean;
  /** Whether the backlog of the newer request is being emitted. */
  readonly isFlushing: boolean;
}

/**
 * The next step of the requests of a connection.
 *
 * - `emit`: emit what has arrived.
 * - `buffer`: append it to the backlog.
 * - `complete`: end the older request, then emit the backlog.
 * - `bufferAndComplete`: both.
 * - `abort`: end the newer request, and keep the older one.
 */
export type HandoverStep = 'emit' | 'buffer' | 'complete' | 'bufferAndComplete' | 'abort';

/** Returns the step after a message: a pure function. */
export function stepAfterMessage(
  { on, isReplaced, isFlushing }: HandoverState,
  { error }: Pick<StreamUpdate, 'error'>,
): HandoverStep {
  if (isFlushing) return 'buffer';
  if (on === 'only') return 'emit';
  // On the older one, an error says that another request was opened, which is expected.
  if (on === 'older') return error === undefined ? 'emit' : 'complete';
  return !isReplaced && error !== undefined ? 'abort' : 'buffer';
}

/** Returns the step after the end of a request: a pure function. */
export function stepAfterEnd({ on, isReplaced, isFlushing }: HandoverState): HandoverStep {
  if (isFlushing) return 'buffer';
  if (on === 'only') return 'emit';
  if (on === 'older') return 'complete';
  // After its backlog, and before another request is opened.
  return isReplaced ? 'bufferAndComplete' : 'abort';
}

/**
 * Returns whether a message shows that the server serves the subscriptions that it does not refuse: then it
 * has ended the older request.
 */
export function isServing({ refused, decodeError }: StreamUpdate): boolean {
  return refused === undefined && decodeError === undefined;
}
