import type { Observable } from 'rxjs';
import type { Checkpoint, CheckpointStore } from '../../core/checkpoint/checkpoint.ts';
import { checkpointing } from '../../core/checkpoint/checkpointing.ts';
import type { Journal, JournalFormat } from '../../core/checkpoint/journal.ts';
import { number, partial, string } from '../../core/codec.ts';
import { feature, type Feature } from '../../core/feature.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import { recorded } from './recorded.ts';
import type { StreamCheckpoint, StreamPosition } from './stream.ts';

/** The functions that a checkpoint of a stream carries. */
export interface StreamCheckpointing extends Pick<StreamCheckpoint, 'recorded'> {
  /** Opens the journal of the stream. */
  readonly open: (ledger: ReleaseLedger) => Observable<Journal<StreamPosition>>;
}

const POSITIONS: JournalFormat<StreamPosition> = {
  codec: /* @__PURE__ */ partial({ watermark: string, since: number }),
  // The time matters only without a watermark.
  isSame: (one, other) =>
    other.watermark === undefined ? other.since === one.since : other.watermark === one.watermark,
};

/** The feature of {@link checkpointed}. */
export const CHECKPOINTING: Feature<StreamCheckpointing> = /* @__PURE__ */ feature(
  "checkpointed(store, key) from 'rxchange/ews'",
);

/**
 * Returns a checkpoint: the option `checkpoint` of a stream.
 *
 * The position of the stream and its subscription are saved in the store under this key. After a crash, a
 * process with the same key resumes at that position, and uses or removes what was left on the server.
 *
 * @param store The store, such as `fileCheckpoints('/var/lib/mail/checkpoints')`.
 * @param key Identifies the stream in the store; it cannot be used twice at the same time.
 * @throws TypeError that names the argument that cannot be used.
 *
 * @example
 * ```ts
 * import { memoryCheckpoints } from 'rxchange';
 * import { checkpointed } from 'rxchange/ews';
 *
 * console.log(checkpointed(memoryCheckpoints(), 'inbox').key);
 * // prints: inbox
 * ```
 */
export function checkpointed(store: CheckpointStore, key: string): Checkpoint {
  const { checkpoint, functions } = checkpointing(store, key);
  return CHECKPOINTING.create(checkpoint, {
    recorded,
    open: (ledger) => functions.open(POSITIONS, ledger),
  });
}
