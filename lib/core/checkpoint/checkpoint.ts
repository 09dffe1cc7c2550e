import type { Observable } from 'rxjs';
import { invalidOption, objectOption } from '../options.ts';

/** A value that JSON can represent. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * A store in which a process saves what its successor needs: positions, and resources on the server. No
 * secrets.
 *
 * Nothing happens before one of these Observables is subscribed to. Unsubscribing does not undo a write. Only
 * one process at a time may use a store.
 */
export interface CheckpointStore {
  /** Emits the value that was last saved under the key, or undefined, and completes. */
  load(key: string): Observable<Json | undefined>;
  /**
   * Replaces the value of a key. It emits nothing, and completes when the next process would find the value
   * even if this process were killed.
   */
  save(key: string, value: Json): Observable<never>;
  /** Removes a key. It emits nothing, and completes when the key is removed. */
  remove(key: string): Observable<never>;
}

/** A checkpoint of one connection or stream: what `checkpointed` returns. */
export interface Checkpoint {
  /** Such as `fileCheckpoints('/var/lib/mail/checkpoints')`. */
  readonly store: CheckpointStore;
  /** Identifies the connection or stream in the store; it cannot be used twice at the same time. */
  readonly key: string;
}

const METHODS = ['load', 'save', 'remove'] as const;

/**
 * Returns the checkpoint.
 *
 * @throws TypeError that names the member that cannot be used.
 */
export function checkCheckpoint<Given extends Checkpoint | undefined>(checkpoint: Given): Given {
  if (checkpoint === undefined) return checkpoint;
  const { store, key } = objectOption<Checkpoint>('checkpoint', checkpoint, { store: 1, key: 1 });
  objectOption('checkpoint.store', store);
  if (METHODS.some((method) => typeof store[method] !== 'function')) {
    throw invalidOption('checkpoint.store', store, 'a store of checkpoints, with load, save and remove');
  }
  if (typeof key !== 'string' || key === '') throw invalidOption('checkpoint.key', key, 'a text');
  return checkpoint;
}
