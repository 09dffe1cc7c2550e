import { defer, EMPTY, of } from 'rxjs';
import type { CheckpointStore, Json } from './checkpoint.ts';

/**
 * Creates a {@link CheckpointStore} in memory.
 *
 * It is for specs, and for streams that continue within one process. It emits synchronously and never errors.
 *
 * @example
 * ```ts
 * import { concat } from 'rxjs';
 * import { memoryCheckpoints } from 'rxchange';
 *
 * const store = memoryCheckpoints();
 * concat(store.load('inbox'), store.save('inbox', { watermark: 'AQAAAA==' }), store.load('inbox')).subscribe(
 *   (saved) => console.log(JSON.stringify(saved)),
 * );
 * // prints: undefined
 * // prints: {"watermark":"AQAAAA=="}
 * ```
 */
export function memoryCheckpoints(): CheckpointStore {
  const texts = new Map<string, string>();
  return {
    load: (key) => defer(() => of(parsed(texts.get(key)))),
    save: (key, value) =>
      defer(() => {
        texts.set(key, JSON.stringify(value));
        return EMPTY;
      }),
    remove: (key) =>
      defer(() => {
        texts.delete(key);
        return EMPTY;
      }),
  };
}

/** Returns a copy of its own to each caller. */
function parsed(text: string | undefined): Json | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}
