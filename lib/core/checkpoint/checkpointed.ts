import type { Observable } from 'rxjs';
import { feature, type Feature } from '../feature.ts';
import type { ReleaseLedger } from '../lifecycle/ledger.ts';
import { checkCheckpoint, type Checkpoint, type CheckpointStore } from './checkpoint.ts';
import { type Journal, journal, type JournalFormat } from './journal.ts';
import { journaled } from './journaled.ts';
import { removeOrphans } from './orphans.ts';

/** The functions that a checkpoint carries. */
export interface Checkpointing {
  /** Opens the journal of a connection or a stream: see {@link journal}. */
  readonly open: <Position extends object>(
    kind: JournalFormat<Position>,
    ledger: ReleaseLedger,
  ) => Observable<Journal<Position>>;
  readonly journaled: typeof journaled;
  readonly removeOrphans: typeof removeOrphans;
}

/** The feature of {@link checkpointed}. */
export const CHECKPOINTING: Feature<Checkpointing> = /* @__PURE__ */ feature(
  "checkpointed(store, key) from 'rxchange'",
);

/**
 * Returns a checkpoint: the option `checkpoint` of a UCWA connection or an EWS stream.
 *
 * The position and the resources on the server are saved in the store under this key. After a crash, a
 * process with the same key resumes at that position and removes what was left on the server.
 *
 * @param store The store, such as `fileCheckpoints('/var/lib/presence/checkpoints')`.
 * @param key Identifies the connection or stream in the store; it cannot be used twice at the same time.
 * @throws TypeError that names the argument that cannot be used.
 *
 * @example
 * ```ts
 * import { checkpointed, memoryCheckpoints } from 'rxchange';
 *
 * console.log(checkpointed(memoryCheckpoints(), 'presence').key);
 * // prints: presence
 * ```
 */
export function checkpointed(store: CheckpointStore, key: string): Checkpoint {
  const checkpoint = checkCheckpoint({ store, key });
  return CHECKPOINTING.create(checkpoint, {
    open: (kind, ledger) => journal(kind, checkpoint, ledger),
    ...{ journaled, removeOrphans },
  });
}
