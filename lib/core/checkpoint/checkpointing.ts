import type { Observable } from 'rxjs';
import type { ReleaseLedger } from '../lifecycle/ledger.ts';
import { checkCheckpoint, type Checkpoint, type CheckpointStore } from './checkpoint.ts';
import { type Journal, journal, type JournalFormat } from './journal.ts';
import { journaled } from './journaled.ts';
import { removeOrphans } from './orphans.ts';

/** The functions that a checkpoint of either protocol carries. */
export interface Checkpointing {
  /** Opens the journal of a connection or a stream: see {@link journal}. */
  readonly open: <Position extends object>(
    format: JournalFormat<Position>,
    ledger: ReleaseLedger,
  ) => Observable<Journal<Position>>;
  readonly journaled: typeof journaled;
  readonly removeOrphans: typeof removeOrphans;
}

/**
 * Returns a checkpoint, and the functions that it carries.
 *
 * @throws TypeError that names the argument that cannot be used.
 */
export function checkpointing(
  store: CheckpointStore,
  key: string,
): { readonly checkpoint: Checkpoint; readonly functions: Checkpointing } {
  const checkpoint = checkCheckpoint({ store, key });
  const open: Checkpointing['open'] = (format, ledger) => journal(format, checkpoint, ledger);
  return { checkpoint, functions: { open, journaled, removeOrphans } };
}
