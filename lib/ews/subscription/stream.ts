import { asyncScheduler, type BehaviorSubject, defer, EMPTY, type Observable } from 'rxjs';
import type { Checkpointing } from '../../core/checkpoint/checkpointed.ts';
import type { Journal } from '../../core/checkpoint/journal.ts';
import { type ProgressInput, type StreamProgress, transition } from './progress.ts';

/** The position of a stream in a checkpoint: a watermark, or a time if the server sends none. */
export interface StreamPosition {
  readonly watermark?: string | undefined;
  /** No earlier event is missing: milliseconds of the scheduler's clock. */
  readonly since?: number | undefined;
}

/** The checkpoint of a stream that is in use. */
export interface StreamCheckpoint extends Pick<Checkpointing, 'journaled' | 'removeOrphans'> {
  readonly journal: Journal<StreamPosition>;
}

/** One stream of notifications, which may have several subscriptions one after another. */
export interface Stream {
  /** Its progress, which only {@link advance} changes. */
  readonly progress$: BehaviorSubject<StreamProgress>;
  readonly checkpoint: StreamCheckpoint | undefined;
}

/** Moves a stream to the progress after an input. */
export function advance({ progress$ }: Stream, input: ProgressInput): void {
  progress$.next(transition(progress$.value, input));
}

/** Moves a stream to the progress after events that the server has sent on its own. */
export function advanceNotified(stream: Stream, watermark?: string, moreEvents = false): void {
  advance(stream, { type: 'notified', now: asyncScheduler.now(), watermark, moreEvents });
}

/** Returns an Observable that saves the progress when it is subscribed to, and completes after that. */
export function saveProgress({ progress$, checkpoint }: Stream): Observable<never> {
  if (checkpoint === undefined) return EMPTY;
  return defer(() => {
    const { watermark, completeUntil: since } = progress$.value;
    checkpoint.journal.advance({ watermark, since });
    return checkpoint.journal.saved();
  });
}
