import { catchError, concat, defer, EMPTY, type Observable, Subject } from 'rxjs';

/**
 * Returns a function that asks for a piece of work, such as writing what is known by then. Its Observable
 * completes, or errors, with the first run that began after it was asked for: runs follow one another, and
 * all that ask during one run share the next. A run goes on when nobody waits for it any more.
 */
export function coalesce(work: () => Observable<unknown>): () => Observable<never> {
  let latest: Observable<never> = EMPTY;
  let next: Observable<never> | undefined;

  return () => {
    if (next !== undefined) return next;
    // A Subject that is over tells late subscribers how.
    const run = new Subject<never>();
    const before = latest.pipe(catchError(() => EMPTY));
    next = latest = run;
    concat(
      before,
      defer(() => {
        next = undefined;
        return work();
      }),
    ).subscribe({ error: (error: unknown) => run.error(error), complete: () => run.complete() });
    return run;
  };
}
