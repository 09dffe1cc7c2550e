import {
  concat,
  defer,
  EMPTY,
  ignoreElements,
  NEVER,
  type Observable,
  Subject,
  takeUntil,
  timer,
} from 'rxjs';
import type { CheckpointStore, Json } from '../../lib/core/checkpoint.ts';
import type { ReleaseOutcome } from '../../lib/core/releases.ts';
import type { UcwaSimulator } from '../../lib/testing/ucwaSimulator.ts';
import { connect, type Ucwa } from '../../lib/ucwa/connect.ts';
import type { ConnectOptions } from '../../lib/ucwa/connectOptions.ts';

/** The key of the checkpoints. */
export const KEY = 'ucwa';

/** One process: a connection with a checkpoint, until it is killed. */
export interface Life {
  readonly ucwa: Ucwa;
  readonly outcomes: readonly ReleaseOutcome[];
  readonly told: () => string[];
  /** From now on nothing of it is sent or saved, and nothing comes. */
  readonly kill: () => void;
}

export function life(
  server: UcwaSimulator,
  store: CheckpointStore,
  options: Partial<ConnectOptions> = {},
): Life {
  const killed = new Subject<void>();
  let isKilled = false;
  const mortal = <Value>(source: () => Observable<Value>): Observable<Value> => {
    const silence$ = defer(() => (isKilled ? NEVER : EMPTY));
    return concat(silence$, defer(source).pipe(takeUntil(killed)), silence$);
  };
  const ucwa = connect({
    applications: server.url,
    token: 'token',
    transport: (request) => mortal(() => server.transport(request)),
    retry: { random: () => 0.5 },
    batch: false,
    // What is open on the one store is not known on the other, as in another process.
    checkpoint: {
      store: {
        load: (key) => mortal(() => store.load(key)),
        save: (key, value) => mortal(() => store.save(key, value)),
        remove: (key) => mortal(() => store.remove(key)),
      },
      key: KEY,
    },
    ...options,
  } as ConnectOptions);
  const outcomes: ReleaseOutcome[] = [];
  ucwa.releases.outcomes$.pipe(takeUntil(killed)).subscribe((outcome) => outcomes.push(outcome));
  return {
    ucwa,
    outcomes,
    told: () => outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`),
    kill: () => {
      isKilled = true;
      killed.next();
      // Without a word to the server; but timers end.
      void ucwa.close();
    },
  };
}

export interface Saved {
  readonly application?: { readonly identity: Record<string, string>; readonly self?: string };
  readonly next?: string;
  readonly held: readonly { readonly resource: string; readonly id?: string; readonly removedAt?: string }[];
}

export function savedIn(store: CheckpointStore): Saved | undefined {
  let saved: Json | undefined;
  store.load(KEY).subscribe((value) => (saved = value));
  return saved as unknown as Saved | undefined;
}

/** A store that takes its time. */
export function slow(store: CheckpointStore, ms = 100): CheckpointStore {
  const wait$ = timer(ms).pipe(ignoreElements());
  return {
    load: (key) => store.load(key),
    save: (key, value) => concat(wait$, store.save(key, value)),
    remove: (key) => concat(wait$, store.remove(key)),
  };
}
