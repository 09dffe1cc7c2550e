import type { Checkpoint, CheckpointStore } from '../../core/checkpoint/checkpoint.ts';
import { type Checkpointing, checkpointing } from '../../core/checkpoint/checkpointing.ts';
import { feature, type Feature } from '../../core/feature.ts';
import { resumedApplications } from './resume.ts';

/** The functions that a checkpoint of a connection carries. */
export interface ConnectionCheckpointing extends Checkpointing {
  readonly resumedApplications: typeof resumedApplications;
}

/** The feature of {@link checkpointed}. */
export const CHECKPOINTING: Feature<ConnectionCheckpointing> = /* @__PURE__ */ feature(
  "checkpointed(store, key) from 'rxchange/ucwa'",
);

/**
 * Returns a checkpoint: the option `checkpoint` of a connection.
 *
 * The position of the connection and its resources on the server are saved in the store under this key. After
 * a crash, a process with the same key resumes at that position and removes what was left on the server.
 *
 * @param store The store, such as `fileCheckpoints('/var/lib/presence/checkpoints')`.
 * @param key Identifies the connection in the store; it cannot be used twice at the same time.
 * @throws TypeError that names the argument that cannot be used.
 *
 * @example
 * ```ts
 * import { memoryCheckpoints } from 'rxchange';
 * import { checkpointed } from 'rxchange/ucwa';
 *
 * console.log(checkpointed(memoryCheckpoints(), 'presence').key);
 * // prints: presence
 * ```
 */
export function checkpointed(store: CheckpointStore, key: string): Checkpoint {
  const { checkpoint, functions } = checkpointing(store, key);
  return CHECKPOINTING.create(checkpoint, { ...functions, resumedApplications });
}
