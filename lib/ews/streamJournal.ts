import * as t from 'io-ts';
import type { Journal, JournalKind } from '../core/journal.ts';

/** How far a stream has come: behind a watermark, or to a time where the server tells none. */
interface StreamPlace {
  readonly watermark?: string | undefined;
  /** In milliseconds of the scheduler's clock. */
  readonly since?: number | undefined;
}

/** What one stream keeps for the next process. */
export type StreamJournal = Journal<StreamPlace>;

/** What is kept of a stream. The time matters only where there is no watermark. */
export const STREAM_JOURNAL: JournalKind<StreamPlace> = {
  codec: t.partial({ watermark: t.string, since: t.number }),
  isSame: (one, other) =>
    other.watermark === undefined ? other.since === one.since : other.watermark === one.watermark,
};
