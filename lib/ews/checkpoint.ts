import type { CheckpointStore } from '../core/checkpoint.ts';
import { invalidOption, objectOption } from '../core/options.ts';
import { textOption } from './watchedFolders.ts';

/** Where a stream keeps how far it has come, and what it has on the server. */
export interface Checkpoint {
  /** Such as `fileCheckpoints('/var/lib/mail/checkpoints')`. */
  readonly store: CheckpointStore;
  /** What tells this stream from the others in the store; no two at a time may have the same. */
  readonly key: string;
}

const METHODS = ['load', 'save', 'remove'] as const;

/** Checks where to keep it; undefined is nowhere. */
export function checkCheckpoint(checkpoint: Checkpoint | undefined): Checkpoint | undefined {
  if (checkpoint === undefined) return undefined;
  const { store, key } = objectOption('checkpoint', checkpoint);
  objectOption('checkpoint.store', store);
  if (METHODS.some((method) => typeof store[method] !== 'function')) {
    throw invalidOption('checkpoint.store', store, 'a store of checkpoints, with load, save and remove');
  }
  return { store, key: textOption('checkpoint.key', key) };
}
