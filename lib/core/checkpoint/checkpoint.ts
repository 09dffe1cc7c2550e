import type { Observable } from 'rxjs';
import { invalidOption, objectOption } from '../options.ts';

/** What JSON can say. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined };

/**
 * Where a process keeps what its next life has to know: how far a stream has come, and what it has on the
 * server. Nothing secret is kept there.
 *
 * Nothing happens before one of these Observables is subscribed to. Unsubscribing stops waiting, and takes
 * nothing back. One process at a time uses a store.
 */
export interface CheckpointStore {
  /** Emits what was last saved under the key, or undefined, and completes. It errors with what hinders it. */
  load(key: string): Observable<Json | undefined>;
  /**
   * Saves a value under a key in place of the one before. It emits nothing, and completes when the value is
   * where the next process finds it, even if this one is killed right then.
   */
  save(key: string, value: Json): Observable<never>;
  /** Forgets what was saved under a key. It emits nothing, and completes when it is forgotten. */
  remove(key: string): Observable<never>;
}

/** Where a stream, or a connection, keeps how far it has come, and what it has on the server. */
export interface Checkpoint {
  /** Such as `fileCheckpoints('/var/lib/mail/checkpoints')`. */
  readonly store: CheckpointStore;
  /** What tells this one from the others in the store; no two at a time may have the same. */
  readonly key: string;
}

const METHODS = ['load', 'save', 'remove'] as const;

/** Returns the checkpoint if it can be used, and throws a TypeError that names what cannot. */
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
