import type { Observable } from 'rxjs';
import { invalidOption, objectOption } from '../options.ts';
import { excerpt } from '../text.ts';

/** How many characters of the path the message has. */
const LONGEST_PATH = 300;

/** Checkpoints cannot be read, must not be trusted, or cannot be written. */
export class CheckpointError extends Error {
  readonly _tag = 'CheckpointError';
  override readonly name: string = 'CheckpointError';
  /**
   * - `corrupt`: the file is not what was saved, or not all of it.
   * - `unsafe`: another user could have written the file, or can read it; the message says what to do.
   * - `unreadable`, `unwritable`: the system refuses it; `cause` says why.
   */
  readonly problem: 'corrupt' | 'unsafe' | 'unreadable' | 'unwritable';
  /** The file that the checkpoints are in. */
  readonly path: string;

  constructor(
    problem: CheckpointError['problem'],
    path: string,
    options: {
      readonly cause?: unknown;
      /** Why the file is unsafe, and what to do. */
      readonly reason?: string;
    } = {},
  ) {
    super(messageFor(problem, excerpt(path, LONGEST_PATH), options.reason), { cause: options.cause });
    this.problem = problem;
    this.path = path;
  }
}

function messageFor(problem: CheckpointError['problem'], path: string, reason = 'it is not safe'): string {
  switch (problem) {
    case 'corrupt':
      return `The checkpoints in ${path} are torn or damaged, and are not used. Move the file away to start afresh.`;
    case 'unsafe':
      return `The checkpoints in ${path} are not used: ${reason}. Or move the file away to start afresh.`;
    default:
      return `The checkpoints in ${path} cannot be ${problem === 'unreadable' ? 'read' : 'written'}: see the cause.`;
  }
}

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
