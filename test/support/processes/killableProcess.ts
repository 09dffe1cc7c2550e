import { concat, defer, EMPTY, NEVER, type Observable, Subject, takeUntil } from 'rxjs';
import type { CheckpointStore } from '../../../lib/core/checkpoint/checkpoint.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';

/** A simulated process that can be killed. */
export interface KillableProcess {
  /** Its transport: after the kill, nothing is sent and nothing arrives. */
  readonly transport: Transport;
  /** Its store: after the kill, nothing is saved. Other processes do not see its open resources. */
  readonly store: CheckpointStore;
  /** Mirrors a source until the kill, and never emits or ends afterwards. */
  readonly untilKilled: <Value>(source: () => Observable<Value>) => Observable<Value>;
  readonly kill: () => void;
}

/** Creates a {@link KillableProcess}. */
export function killableProcess(transport: Transport, store: CheckpointStore): KillableProcess {
  const killed = new Subject<void>();
  let isKilled = false;
  const until = <Value>(source: () => Observable<Value>): Observable<Value> => {
    const silence$ = defer(() => (isKilled ? NEVER : EMPTY));
    return concat(silence$, defer(source).pipe(takeUntil(killed)), silence$);
  };
  return {
    untilKilled: until,
    transport: (request) => until(() => transport(request)),
    store: {
      load: (key) => until(() => store.load(key)),
      save: (key, value) => until(() => store.save(key, value)),
      remove: (key) => until(() => store.remove(key)),
    },
    kill: () => {
      isKilled = true;
      killed.next();
    },
  };
}
