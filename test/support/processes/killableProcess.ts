import { concat, defer, EMPTY, NEVER, type Observable, Subject, takeUntil } from 'rxjs';
import type { CheckpointStore } from '../../../lib/core/checkpoint/checkpoint.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';

/** One process, as its server and its store see it: until it is killed. */
export interface KillableProcess {
  /** Its ways out: from when it is killed nothing of it is sent or saved, and nothing comes. */
  readonly transport: Transport;
  /** What is open on this one is not known on another of the same store, as in another process. */
  readonly store: CheckpointStore;
  /** Mirrors a source until it is killed, and is silent then. */
  readonly untilKilled: <Value>(source: () => Observable<Value>) => Observable<Value>;
  readonly kill: () => void;
}

/** Makes a process that can be killed, without a word to anybody. */
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
