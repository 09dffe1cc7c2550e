import { concat, defer, EMPTY, finalize, merge, type Observable, tap } from 'rxjs';
import type { Journal } from './journal.ts';
import { type RemoteResource, remoteResource } from '../lifecycle/remoteResource.ts';

/**
 * Returns an Observable of a {@link remoteResource} of which the journal says that it is asked for, made and gone.
 * That it is asked for is saved before: who finds that knows of what a crash in between leaves there. What may be
 * left on the server is kept.
 *
 * @param journal Asked for when a resource is acquired.
 * @param removedAt Where it is removed, if that is not its id.
 */
export function journaled<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  journal: (parent: Parent) => Pick<Journal<object>, 'note' | 'saved'> | undefined,
  removedAt: (handle: Handle) => string | undefined = () => undefined,
): Observable<Value> {
  const { resource, ledger, acquire, identify, use } = config;
  // Each subscriber has a note of its own: one may be acquired while the one before is being released.
  return defer(() => {
    let over = (): void => undefined;
    return remoteResource<Handle, Value, Parent>({
      ...config,
      ledger: {
        begin: (what) => ledger.begin(what),
        givenUp$: ledger.givenUp$,
        record: (outcome) => {
          ledger.record(outcome);
          if (outcome.outcome !== 'Failed') over();
        },
      },
      acquire: (parent, onProgress) => {
        const note = journal(parent)?.note(resource);
        if (note === undefined) return acquire(parent, onProgress);
        over = () => note.over();
        return concat(note.asked(), acquire(parent, onProgress)).pipe(
          tap((handle) => note.made(identify(handle), removedAt(handle))),
          finalize(() => note.answered()),
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
