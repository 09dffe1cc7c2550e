import { catchError, type Observable, of } from 'rxjs';
import type { Journal, Orphan } from '../../core/checkpoint/journal.ts';
import { remoteResource, type RemoteResource } from '../../core/lifecycle/remoteResource.ts';

/** How a resource of an earlier process is used, or replaced. */
interface Reattachment<Handle, Value, Parent> {
  /** Creates a resource, and records it in the journal. */
  readonly created$: Observable<Value>;
  /** Removes the orphans that cannot be used. */
  readonly remove: (orphans: readonly Orphan[]) => void;
  /** Returns the handle of the resource with this id. */
  readonly attach: (parent: Parent, id: string) => Handle;
  /** Returns whether a new resource replaces the one that failed with this error. */
  readonly isToCreate: (error: unknown) => boolean;
}

/**
 * Returns an Observable that uses the resource that an earlier process has left, or creates one.
 *
 * It stays in the journal until it is removed, so that another restart finds it again.
 *
 * @param request Identifies the request that would create it; undefined if none can be used.
 */
export function reattached<Handle, Value, Parent>(
  config: RemoteResource<Handle, Value, Parent>,
  journal: Journal<{ readonly watermark?: string | undefined }>,
  request: string | undefined,
  { created$, remove, attach, isToCreate }: Reattachment<Handle, Value, Parent>,
): Observable<Value> {
  const { ledger } = config;
  const orphans = journal.takeOrphans();
  // Without a watermark, the events that the earlier process has received would be lost.
  const isResumable = request !== undefined && journal.position.watermark !== undefined;
  const live = isResumable
    ? orphans.find((one) => one.id !== undefined && one.request === request)
    : undefined;
  remove(orphans.filter((one) => one !== live));
  if (live?.id === undefined) return created$;
  const { id, clear } = live;
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
    acquire: (parent) => of(attach(parent, id)),
  }).pipe(
    catchError((error: unknown) => {
      // Whatever the reason of the refusal, a new subscription resumes from the same watermark.
      if (!isToCreate(error)) throw error;
      return created$;
    }),
  );
}
