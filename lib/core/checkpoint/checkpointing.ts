import { type Observable, concat, defer, EMPTY, finalize, merge, tap } from 'rxjs';
import { type ReleaseLedger } from '../lifecycle/ledger.ts';
import { releaseEntry } from '../lifecycle/releaseOutcome.ts';
import { checkCheckpoint, type Checkpoint, type CheckpointStore } from './checkpoint.ts';
import { type Journal, journal, type JournalFormat, type Orphan } from './journal.ts';
import { type RemoteResource, remoteResource } from '../lifecycle/remoteResource.ts';
import { NetworkError } from '../errors.ts';
import { release, type ReleasePlan } from '../lifecycle/release.ts';

/** How one orphan is removed. */
interface OrphanRemoval extends Omit<ReleasePlan, 'resource' | 'id'> {
  /** Called when the ledger has the outcome. */
  readonly done?: () => void;
}

/**
 * Releases a resource that an earlier process has left. The outcome is recorded in the ledger.
 *
 * An orphan without an id cannot be removed: its outcome is `Unknown`.
 *
 * @param creation The URL of the request that created it, and the hint if its id is not known: one sentence.
 */
export function removeOrphan(
  ledger: Pick<ReleaseLedger, 'begin' | 'record' | 'givenUp$'>,
  { resource, id, clear }: Orphan,
  { url, unknownHint: hint }: { readonly url: string; readonly unknownHint: string },
  planOf: (id: string) => OrphanRemoval,
): void {
  if (id === undefined) {
    const cause = new NetworkError('the process ended before the response', { method: 'POST', url });
    ledger.record({ outcome: 'Unknown', ...releaseEntry(resource, id), cause, hint });
    clear();
    return;
  }
  const { done, ...plan } = planOf(id);
  release(ledger, { resource, id, ...plan }, () => {
    done?.();
    clear();
  });
}

/**
 * Returns an Observable of a {@link remoteResource} whose creation and removal are recorded in a journal.
 *
 * The intent is saved before the request, so that a restart after a crash can find and remove the resource. A
 * resource that may be left on the server stays recorded.
 *
 * @param journal Returns the journal, when a resource is acquired.
 * @param removedAt Returns the URL that removes the resource. @default its id
 * @param request Identifies the request for the next process. @default it cannot use the resource
 */
export function journaled<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  journal: (parent: Parent) => Pick<Journal<object>, 'entry' | 'saved'> | undefined,
  removedAt: (handle: Handle) => string | undefined = () => undefined,
  request?: string,
): Observable<Value> {
  const { resource, ledger, acquire, identify, use } = config;
  // An entry per subscriber: one resource may be acquired while the one before is being released.
  return defer(() => {
    let clear = (): void => undefined;
    return remoteResource<Handle, Value, Parent>({
      ...config,
      ledger: clearing(ledger, () => clear()),
      acquire: (parent, onProgress) => {
        const entry = journal(parent)?.entry(resource);
        if (entry === undefined) return acquire(parent, onProgress);
        clear = () => entry.clear();
        return concat(entry.intend(), acquire(parent, onProgress)).pipe(
          tap((handle) => entry.commit(identify(handle), removedAt(handle), request)),
          finalize(() => entry.abort()),
        );
      },
      use: (handle, lease, parent) =>
        merge(
          use(handle, lease, parent),
          defer(() => journal(parent)?.saved() ?? EMPTY),
        ),
    });
  });
}

/** The functions that a checkpoint of either protocol carries. */
export interface Checkpointing {
  /** Opens the journal of a connection or a stream: see {@link journal}. */
  readonly open: <Position extends object>(
    format: JournalFormat<Position>,
    ledger: ReleaseLedger,
  ) => Observable<Journal<Position>>;
  readonly journaled: typeof journaled;
  readonly removeOrphan: typeof removeOrphan;
}

/**
 * Returns a checkpoint, and the functions that it carries.
 *
 * @throws TypeError that names the argument that cannot be used.
 */
export function checkpointing(
  store: CheckpointStore,
  key: string,
): { readonly checkpoint: Checkpoint; readonly functions: Checkpointing } {
  const checkpoint = checkCheckpoint({ store, key });
  const open: Checkpointing['open'] = (format, ledger) => journal(format, checkpoint, ledger);
  return { checkpoint, functions: { open, journaled, removeOrphan } };
}

/** Returns a ledger that clears an entry of the journal with each outcome, unless the removal has failed. */
export function clearing(
  ledger: RemoteResource<never, never, never>['ledger'],
  clear: () => void,
): RemoteResource<never, never, never>['ledger'] {
  return {
    begin: (pending) => ledger.begin(pending),
    givenUp$: ledger.givenUp$,
    record: (outcome) => {
      ledger.record(outcome);
      if (outcome.outcome !== 'Failed') clear();
    },
  };
}
