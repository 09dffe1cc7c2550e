import { concat, ignoreElements, timer } from 'rxjs';
import type { CheckpointStore } from '../../../lib/core/checkpoint/checkpoint.ts';

/** Returns a store that saves and removes with a delay. */
export function slowStore(store: CheckpointStore, ms = 100): CheckpointStore {
  const wait$ = timer(ms).pipe(ignoreElements());
  return {
    load: (key) => store.load(key),
    save: (key, value) => concat(wait$, store.save(key, value)),
    remove: (key) => concat(wait$, store.remove(key)),
  };
}
