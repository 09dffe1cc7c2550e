import { concat, defer, EMPTY, finalize, merge, type Observable, tap } from 'rxjs';
import { type RemoteResource, remoteResource } from '../lifecycle/remoteResource.ts';
import type { Journal } from './journal.ts';

/**
 * Returns an Observable of a {@link remoteResource} whose creation and removal are recorded in a journal.
 *
 * The intent is saved before the request, so that a restart after a crash can find and remove the resource. A
 * resource that may be left on the server stays recorded.
 *
 * @param journal Returns the journal, when a resource is acquired.
 * @param removedAt Returns the URL that removes the resource. @default its id
 */
export function journaled<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  journal: (parent: Parent) => Pick<Journal<object>, 'entry' | 'saved'> | undefined,
  removedAt: (handle: Handle) => string | undefined = () => undefined,
): Observable<Value> {
  const { resource, ledger, acquire, identify, use } = config;
  // An entry per subscriber: one resource may be acquired while the one before is being released.
  return defer(() => {
    let clear = (): void => undefined;
    return remoteResource<Handle, Value, Parent>({
      ...config,
      ledger: {
        begin: (pending) => ledger.begin(pending),
        givenUp$: ledger.givenUp$,
        record: (outcome) => {
          ledger.record(outcome);
          if (outcome.outcome !== 'Failed') clear();
        },
      },
      acquire: (parent, onProgress) => {
        const entry = journal(parent)?.entry(resource);
        if (entry === undefined) return acquire(parent, onProgress);
        clear = () => entry.clear();
        return concat(entry.intend(), acquire(parent, onProgress)).pipe(
          tap((handle) => entry.commit(identify(handle), removedAt(handle))),
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
